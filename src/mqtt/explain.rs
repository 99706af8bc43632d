//! The same error means one thing while connecting and another one in the midst of messages, and MQTT 3.1.1 mostly says
//! nothing but that the connection is closed. So an explanation needs to know what was going on.

/// What was going on when an error came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation<'a> {
    /// Getting a connection.
    Connecting,
    /// A connection was lost.
    Lost {
        /// The topic of the first message that was not acknowledged, or else of the last one that was sent.
        last_topic: Option<&'a str>,
        /// How long it had lasted.
        after_ms: u64,
    },
    /// A message.
    Publication {
        /// Its topic.
        topic: &'a str,
    },
    /// A subscription.
    Subscription {
        /// Its filter.
        filter: &'a str,
    },
}
