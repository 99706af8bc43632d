//! What is published.

use alloc::string::String;

use alloc::sync::Arc;

use crate::topic::TopicProblem;

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
}

/// Why no request can be made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageProblem {
    /// The topic cannot be published to.
    InvalidTopic(TopicProblem),
    /// The payload has more than [`MAX_PAYLOAD`] bytes.
    PayloadTooLarge,
}

impl From<TopicProblem> for MessageProblem {
    fn from(problem: TopicProblem) -> Self {
        Self::InvalidTopic(problem)
    }
}

impl Message {
    /// The payload, if it is not too large.
    pub(crate) fn checked_payload(&self) -> Result<Arc<[u8]>, MessageProblem> {
        match self.payload.len() {
            ..=MAX_PAYLOAD => Ok(self.payload.clone()),
            _ => Err(MessageProblem::PayloadTooLarge),
        }
    }
}
