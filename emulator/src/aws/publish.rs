//! A message is either taken as a whole or refused for one reason. Everything that AWS looks at apart from who sends it
//! is brought together here, in the order in which the refusals win.

use super::answer::Refusal;
use super::query::{flag, parameter};
use super::{properties, topic};
use crate::http1::{Framing, Request};

/// 128 KB, as AWS counts it.
pub(super) const MAX_PAYLOAD: usize = 131_072;

/// A request that AWS would take from a caller that may publish there.
pub(super) struct Publish {
    pub(super) topic: String,
    pub(super) qos: u8,
    pub(super) retain: bool,
    /// In base64, as they were sent. Nothing when there are none, even if that was said at length.
    pub(super) user_properties: Option<String>,
}

impl Publish {
    pub(super) fn check(request: &Request, encoded_topic: &str) -> Result<Self, Refusal> {
        if request.body.len() > MAX_PAYLOAD {
            return Err(Refusal::TOO_LARGE);
        }
        let topic = topic::decode(encoded_topic)?;
        topic::check(&topic)?;
        if let Some(qos) = parameter(request, "qos")
            && !matches!(qos.as_str(), "0" | "1")
        {
            return Err(Refusal::invalid("qos must be 0 or 1"));
        }
        let retain = flag(request, "retain")?;
        properties::check(request)?;
        let user_properties = properties::encoded_user_properties(request);
        Ok(Self { topic, qos: qos(request).unwrap_or_default(), retain, user_properties })
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
