//! An explanation names what was asked for: the topic that a policy must allow, the shadow that is not there.

use alloc::boxed::Box;
use alloc::string::String;

use crate::aws;
use crate::message::Message;

/// What a request was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A message.
    Publication {
        /// Its topic as the platform knows it.
        topic: String,
        /// Whether the topic was to keep it.
        retain: bool,
    },
    /// Another operation.
    Operation(Box<aws::Operation>),
    /// To authenticate.
    Authentication,
}

impl Subject {
    /// To publish a message.
    pub fn publication(message: Message) -> Self {
        let topic = aws::wire_topic(&message).unwrap_or(message.topic);
        Self::Publication { topic, retain: message.retain }
    }
}
