//! The policies of a session. They are those that the vendors' SDKs have, with two differences: a message that is dropped is
//! named, and draining a queue ends however fast new messages come.

use crate::config_error::ConfigError as Problem;

/// How many messages may wait while there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLimit {
    /// None: they are refused.
    Off,
    /// So many, at least 1.
    Messages(u32),
    /// As many as there are, up to 32 MiB with what belongs to them.
    Unlimited,
}

/// What to do when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullQueue {
    /// The message that comes is refused.
    DropNewest,
    /// The message that has waited longest goes.
    DropOldest,
}

/// What may wait in any case, with all that belongs to it: a sandbox has a bounded memory (ours 256 MiB), and running out
/// of it would lose everything. To export what waits takes twice as much again.
pub(super) const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// More at-least-once messages than anybody leaves unacknowledged: packet identifiers are looked up one by one.
const MAX_IN_FLIGHT: u32 = 1000;

/// Bounds and pace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many messages may wait while there is no connection. Default: 1,000, so that a short loss costs nothing and a long one
    /// not all the memory.
    pub queue_limit: QueueLimit,
    /// What to do when they are more. Default: the newest is refused, on the spot, where its sender can still keep it.
    pub full_queue: FullQueue,
    /// How many of those that waited are sent per second after a reconnect. 0: all at once. Default: 50, half of the 100 that AWS
    /// takes on one connection, so that new messages have room beside them.
    pub drain_per_second: u32,
    /// How many messages are sent per second at the most. 0, the default: as many as the broker takes.
    pub max_per_second: u32,
    /// The longest pause before the first attempt to reconnect. It doubles each time. Default: 1 second, as in the SDKs of AWS.
    pub reconnect_base_ms: u32,
    /// The longest pause of all. Default: 32 seconds. A device is back within half a minute after the broker is.
    pub reconnect_max_ms: u32,
    /// After so long a connection the pauses begin anew. Default: 20 seconds. A connection that is accepted and lost at once is no
    /// success.
    pub stable_ms: u32,
    /// How long a connection may take until the broker has accepted it. Default: 30 seconds, for name lookup, TCP, TLS and CONNECT
    /// over a slow link.
    pub connect_timeout_ms: u32,
    /// How long nothing at all may come while an answer is awaited. In the middle of it the broker is asked whether it
    /// is there. Default: 5 seconds; it doubles each time that was too short.
    pub operation_timeout_ms: u32,
    /// How long a message is tried, counted from when it was first sent; the time without a connection does not count. 0: for as
    /// long as the session lives, which is the default: an MQTT client promises no less.
    pub message_timeout_ms: u32,
    /// How many at-least-once messages may wait for their acknowledgement. At most 1,000. Default: 20, which is enough for any
    /// link that is not both fast and far, and little to send again after a loss.
    pub max_in_flight: u32,
    /// How many times the broker may close the connection upon the same message, when that is alone on it. Default: 4.
    pub max_attempts: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue_limit: QueueLimit::Messages(1000),
            full_queue: FullQueue::DropNewest,
            drain_per_second: 50,
            max_per_second: 0,
            reconnect_base_ms: 1000,
            reconnect_max_ms: 32_000,
            stable_ms: 20_000,
            connect_timeout_ms: 30_000,
            operation_timeout_ms: 5000,
            message_timeout_ms: 0,
            max_in_flight: 20,
            max_attempts: 4,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<(), Problem> {
        for (option, value) in [
            ("reconnect base", self.reconnect_base_ms),
            ("reconnect maximum", self.reconnect_max_ms),
            ("connect timeout", self.connect_timeout_ms),
            ("operation timeout", self.operation_timeout_ms),
            ("number of messages in flight", self.max_in_flight),
            ("number of attempts", self.max_attempts),
        ] {
            if value == 0 {
                return Err(Problem::Zero(option));
            }
        }
        if self.queue_limit == QueueLimit::Messages(0) {
            return Err(Problem::Zero("queue limit"));
        }
        if self.reconnect_base_ms > self.reconnect_max_ms {
            return Err(Problem::TooLarge("reconnect base", "the reconnect maximum"));
        }
        if self.max_in_flight > MAX_IN_FLIGHT {
            return Err(Problem::TooLarge("number of messages in flight", "1000"));
        }
        Ok(())
    }
}
