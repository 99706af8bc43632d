//! What is published.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::error::Cause;
use crate::field::Field;
use crate::topic::TopicError;

/// The largest payload both platforms take over HTTPS: 128 KB.
pub const MAX_PAYLOAD: usize = 128 * 1024;

/// How often a message may reach its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qos {
    /// Sent again only when it is certain that the platform has not accepted it.
    AtMostOnce,
    /// Also sent again when its fate is unknown, so it may arrive twice.
    AtLeastOnce,
}

/// One message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The full topic name, not percent-encoded.
    pub topic: String,
    /// The payload. Shared, not copied, between the attempts to send it.
    pub payload: Arc<[u8]>,
    /// How often it may arrive.
    pub qos: Qos,
    /// AWS: the topic keeps it for later subscribers. An empty payload clears what it has kept.
    pub retain: bool,
    /// AWS Basic Ingest: it goes to the rule of this name and to no subscriber. A receipt does not prove that there is
    /// such a rule.
    pub rule: Option<String>,
    /// AWS: what subscribers with MQTT 5 get along with it.
    pub properties: Option<Properties>,
}

/// The properties that MQTT 5 has for a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// What the payload is, such as `application/json`.
    pub content_type: Option<String>,
    /// The topic name for a response.
    pub response_topic: Option<String>,
    /// After this many seconds it is not wanted any more.
    pub message_expiry_s: Option<u32>,
    /// Whether the payload is text.
    pub payload_format: Option<PayloadFormat>,
    /// Tells the receiver of a response which request it belongs to.
    pub correlation_data: Option<Vec<u8>>,
    /// Names and values, in their order.
    pub user_properties: Vec<(String, String)>,
}

/// Whether a payload is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadFormat {
    /// Nothing is said about it.
    UnspecifiedBytes,
    /// It is UTF-8.
    Utf8Data,
}

/// Why no request can be made of a message or an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The topic cannot be published to.
    InvalidTopic(TopicError),
    /// This part breaks its rules.
    InvalidField(Field),
    /// The payload has more than [`MAX_PAYLOAD`] bytes, or the state of a shadow more than 8 KB.
    PayloadTooLarge,
    /// This platform, or this way to authenticate, does not have it.
    Unsupported,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Cause::from(*self).text())
    }
}

impl core::error::Error for RequestError {}

impl From<TopicError> for RequestError {
    fn from(problem: TopicError) -> Self {
        Self::InvalidTopic(problem)
    }
}

impl From<Field> for RequestError {
    fn from(field: Field) -> Self {
        Self::InvalidField(field)
    }
}

impl Message {
    /// A message that is nothing but a payload for a topic.
    pub fn new(topic: impl Into<String>, payload: impl Into<Arc<[u8]>>, qos: Qos) -> Self {
        Self { topic: topic.into(), payload: payload.into(), qos, retain: false, rule: None, properties: None }
    }

    /// The payload, if it is not too large.
    ///
    /// # Errors
    ///
    /// A payload of more than [`MAX_PAYLOAD`] bytes.
    pub fn checked_payload(&self) -> Result<Arc<[u8]>, RequestError> {
        match self.payload.len() {
            ..=MAX_PAYLOAD => Ok(self.payload.clone()),
            _ => Err(RequestError::PayloadTooLarge),
        }
    }
}
