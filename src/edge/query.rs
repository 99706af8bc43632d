//! What stands behind the question mark. A parameter that is not known is refused: a `?QoS=1` that is passed over
//! publishes at most once, and nothing ever shows it.

use alloc::borrow::ToOwned;

use super::path::decode;
use super::refusal::Refusal;
use crate::message::{Properties, Qos};

/// The parameters, under the names that AWS has for them.
#[derive(Debug)]
pub(super) struct Query {
    pub qos: Qos,
    pub retain: bool,
    pub properties: Properties,
}

/// All names, for the refusal of another one.
pub(super) const NAMES: [&str; 5] = ["qos", "retain", "contentType", "responseTopic", "messageExpiry"];

impl Query {
    pub fn read(query: &str) -> Result<Self, Refusal> {
        let (mut qos, mut retain) = (None, None);
        let mut properties = Properties::default();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = decode(value)?;
            let Some(name) = NAMES.into_iter().find(|known| *known == name) else {
                return Err(Refusal::UnknownParameter(decode(name)?));
            };
            let is_first = match name {
                "qos" => qos.replace(read_qos(&value)?).is_none(),
                "retain" => retain.replace(read_retain(&value)?).is_none(),
                "contentType" => properties.content_type.replace(value).is_none(),
                "responseTopic" => properties.response_topic.replace(value).is_none(),
                _ => properties.message_expiry_s.replace(read_expiry(&value)?).is_none(),
            };
            if !is_first {
                return Err(Refusal::Parameter { name, rule: "it stands there twice" });
            }
        }
        Ok(Self { qos: qos.unwrap_or(Qos::AtMostOnce), retain: retain.unwrap_or(false), properties })
    }
}

fn read_qos(value: &str) -> Result<Qos, Refusal> {
    match value {
        "0" => Ok(Qos::AtMostOnce),
        "1" => Ok(Qos::AtLeastOnce),
        _ => Err(Refusal::Parameter { name: "qos", rule: "it is 0 or 1" }),
    }
}

fn read_retain(value: &str) -> Result<bool, Refusal> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Refusal::Parameter { name: "retain", rule: "it is `true` or `false`" }),
    }
}

fn read_expiry(value: &str) -> Result<u32, Refusal> {
    // `parse` takes a sign.
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = value.parse().ok().filter(|_| is_number);
    seconds.ok_or(Refusal::Parameter { name: "messageExpiry", rule: "it is a number of seconds, at most 4294967295" })
}

/// The parameter that is likely to be meant, where only its spelling differs.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let bare = |name: &str| name.to_owned().replace(['-', '_'], "").to_ascii_lowercase();
    NAMES.into_iter().find(|known| bare(known) == bare(name))
}
