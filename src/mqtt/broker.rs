//! Brokers differ in what stands in a CONNECT, in which topics they take, and in how they refuse: by a code, or by
//! closing the connection. All of that is asked for here, so that the session names no platform.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{MqttErrorContext, Version};
use crate::config_error::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::field::Field;
use crate::message::{Message, Properties, RequestError};
use crate::secret::Secret;
use crate::signing::Signing;
use crate::topic;

/// The longest text in an MQTT packet, in bytes: its length has two. Correlation data and a will are no longer either.
pub const MAX_TEXT: usize = u16::MAX as usize;

/// Which broker, and as whom.
///
/// Two functions make a broker that takes all that the standard allows. The others have defaults, which say that it has no rules
/// and no limits of its own.
pub trait Broker: Send + Sync {
    /// Where it is.
    fn endpoint(&self) -> &Endpoint;

    /// What stands in the CONNECT. `signature` is what was asked for with [`external_signing`](Self::external_signing).
    fn login(&self, signature: Option<String>) -> Login;

    /// What is to be signed before a connection is made, if the signature comes from outside.
    fn external_signing(&self) -> Option<Signing> {
        None
    }

    /// The topic of the message as it goes over the wire, if the broker can take the message.
    ///
    /// # Errors
    ///
    /// What it would refuse, or close the connection upon.
    fn check_message(&self, message: &Message, version: Version) -> Result<String, RequestError> {
        if message.rule.is_some() {
            return Err(RequestError::Unsupported);
        }
        topic::check_common(&message.topic)?;
        check_properties(message.properties.as_ref(), version)?;
        Ok(message.topic.clone())
    }

    /// Whether the broker can take the filter.
    ///
    /// # Errors
    ///
    /// As [`check_message`](Self::check_message).
    fn check_filter(&self, filter: &str) -> Result<(), RequestError> {
        Ok(topic::check_filter(filter)?)
    }

    /// Whether the broker can take the keep-alive. 0 stands for none, and without one a dead connection is never noticed.
    ///
    /// # Errors
    ///
    /// The bounds that it breaks.
    fn check_keep_alive(&self, seconds: u16) -> Result<(), ConfigError> {
        match seconds {
            0 => Err(ConfigError::Zero("keep-alive")),
            _ => Ok(()),
        }
    }

    /// Beyond so many seconds of silence the broker takes a client for lost, whatever it was told.
    fn longest_keep_alive(&self) -> Option<u16> {
        None
    }

    /// How many connections the broker takes in a minute, if it counts those of a device.
    fn connects_per_minute(&self) -> Option<usize> {
        None
    }

    /// Whether the broker has this version, and can take the will.
    ///
    /// # Errors
    ///
    /// What it does not have.
    fn check_session(&self, version: Version, will: Option<&Message>) -> Result<(), ConfigError> {
        match will.map(|will| self.check_message(will, version)) {
            Some(Err(_)) => Err(ConfigError::Malformed("will")),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// What an answer must not give away.
    fn secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The likely reason of an error and the next step, for people.
    fn explain(&self, error: &Error, _: Version, context: &MqttErrorContext) -> String {
        super::explain::explain(error, context)
    }
}

/// Shows nothing. What a vtable has comes into each component, and the formatting of a whole configuration is large.
impl fmt::Debug for dyn Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Broker(..)")
    }
}

impl dyn Broker {
    /// The error without what must not be given away.
    pub(super) fn redact(&self, error: Error) -> Error {
        error.without(self.secrets().into_iter())
    }
}

/// What a CONNECT says about the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its id.
    pub client_id: String,
    /// Its user name. May carry a token.
    pub user_name: Option<Secret>,
    /// Its password.
    pub password: Option<Secret>,
}

/// Refuses properties that no packet has room for.
///
/// # Errors
///
/// The property that is too long, or that this version of MQTT has none.
pub fn check_properties(properties: Option<&Properties>, version: Version) -> Result<(), RequestError> {
    let Some(properties) = properties else { return Ok(()) };
    if version == Version::V3 {
        return Err(RequestError::Unsupported);
    }
    let is_too_long = |text: &String| text.len() > MAX_TEXT;
    if properties.content_type.as_ref().is_some_and(is_too_long) {
        return Err(Field::ContentType.into());
    }
    if properties.response_topic.as_ref().is_some_and(is_too_long) {
        return Err(Field::ResponseTopic.into());
    }
    if properties.user_properties.iter().any(|(name, value)| is_too_long(name) || is_too_long(value)) {
        return Err(Field::UserProperty.into());
    }
    match &properties.correlation_data {
        Some(data) if data.len() > MAX_TEXT => Err(RequestError::PayloadTooLarge),
        _ => Ok(()),
    }
}
