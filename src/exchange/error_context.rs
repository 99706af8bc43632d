//! An explanation names what was asked for: the topic that a policy must allow, the shadow that is not there.

use alloc::string::String;
use alloc::sync::Arc;

use crate::message::Message;
use crate::operation::Operation;
use crate::platform::Platform;

/// What a request was about.
#[derive(Clone, Debug)]
pub enum ErrorContext {
    /// A message.
    Publication {
        /// Its topic as the platform knows it.
        topic: String,
        /// Whether the topic was to keep it.
        retain: bool,
    },
    /// Another operation.
    Operation(Arc<dyn Operation>),
    /// To authenticate.
    Authentication,
}

impl ErrorContext {
    /// A message for this platform.
    pub fn publication(platform: &(impl Platform + ?Sized), message: Message) -> Self {
        let retain = message.retain;
        Self::Publication { topic: platform.wire_topic(message), retain }
    }
}
