//! A message is either taken as a whole or refused for one reason. Everything that AWS looks at apart from who sends it
//! is brought together here, in the order in which the refusals win.

use super::answer::Refusal;
use super::{properties, topic};
use crate::http1::{Framing, Request};
use crate::percent;

/// 128 KB, as AWS counts it.
const MAX_PAYLOAD: usize = 131_072;

/// A request that AWS would take from somebody who may publish there.
pub(super) struct Publish {
    pub(super) topic: String,
    pub(super) qos: u8,
    pub(super) retain: bool,
}

impl Publish {
    pub(super) fn check(request: &Request) -> Result<Self, Refusal> {
        let encoded = topic::encoded(request.path()).ok_or(Refusal::NOT_FOUND)?;
        if request.method != "POST" {
            return Err(Refusal::METHOD_NOT_ALLOWED);
        }
        check_framing(request)?;
        if request.body.len() > MAX_PAYLOAD {
            return Err(Refusal::TOO_LARGE);
        }
        let topic = topic::decode(encoded)?;
        topic::check(&topic)?;
        if let Some(qos) = parameter(request, "qos")
            && !matches!(qos.as_str(), "0" | "1")
        {
            return Err(Refusal::invalid("qos must be 0 or 1"));
        }
        if let Some(retain) = parameter(request, "retain")
            && !matches!(retain.as_str(), "true" | "false")
        {
            return Err(Refusal::invalid("retain must be true or false"));
        }
        properties::check(request)?;
        Ok(Self { topic, qos: qos(request).unwrap_or_default(), retain: retain(request) })
    }
}

/// Whether there is a whole body to look at.
pub(super) fn check_framing(request: &Request) -> Result<(), Refusal> {
    match request.framing {
        Framing::NoLength => Err(Refusal::LENGTH_REQUIRED),
        Framing::TooLarge => Err(Refusal::TOO_LARGE),
        Framing::Complete => Ok(()),
    }
}

/// The first query parameter of that name, decoded. A plus stays a plus; what does not decode is taken as it stands, and
/// so is no valid value of anything.
pub(super) fn parameter(request: &Request, name: &str) -> Option<String> {
    let value = raw_parameter(request, name)?;
    Some(percent::decode(value).unwrap_or_else(|| value.to_owned()))
}

/// The same as it was sent.
pub(super) fn raw_parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query()?.split('&').find_map(|parameter| match parameter.split_once('=') {
        Some((known, value)) => (known == name).then_some(value),
        None => (parameter == name).then_some(""),
    })
}

/// What the ledger shows: AWS's default is 0.
pub(super) fn qos(request: &Request) -> Option<u8> {
    match parameter(request, "qos") {
        None => Some(0),
        Some(qos) => qos.parse().ok(),
    }
}

/// What the ledger shows.
pub(super) fn retain(request: &Request) -> bool {
    parameter(request, "retain").is_some_and(|retain| retain == "true")
}
