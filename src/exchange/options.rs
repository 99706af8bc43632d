//! Bounds and pace of an exchange.

use crate::config_error::ConfigError;

/// Bounds and pace. [`Default`] is meant for a device on a mobile network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long one message may take, from its first request on. When nothing was taken for that long, messages that were
    /// never sent are given up. Default: 30 seconds, which is room for a connection over a mobile network, a token, the message
    /// and a few pauses between attempts.
    pub timeout_ms: u32,
    /// How long a connection may take, TLS handshake included. `None`: a third of `timeout_ms` and no less than 10 seconds,
    /// and twice as long each time that was too short, up to what the message has left.
    pub connect_timeout_ms: Option<u32>,
    /// How many times a message is sent at most of which it is not known whether it arrived. What certainly did not arrive
    /// does not count. Default: 4, as each of them may be a duplicate.
    pub max_attempts: u32,
    /// The pause before the second attempt; it doubles each time. Default: 200 ms, so that what is over at once costs no more.
    pub backoff_base_ms: u32,
    /// The longest pause, unless the platform asks for a longer one. Default: 2 seconds, so that a network that is there again is
    /// noticed well before the message has to be given up.
    pub backoff_max_ms: u32,
    /// How many requests may be under way at once. Default: 32. Refusals one after the other halve what is used of it.
    pub max_in_flight: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout_ms: 30_000,
            connect_timeout_ms: None,
            max_attempts: 4,
            backoff_base_ms: 200,
            backoff_max_ms: 2_000,
            max_in_flight: 32,
        }
    }
}

impl Options {
    /// Refuses what would never send anything.
    ///
    /// # Errors
    ///
    /// The option that is zero.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (name, value) in [
            ("timeout", self.timeout_ms),
            ("connect timeout", self.connect_timeout_ms.unwrap_or(1)),
            ("maximum of attempts", self.max_attempts),
            ("maximum in flight", self.max_in_flight),
        ] {
            if value == 0 {
                return Err(ConfigError::Zero(name));
            }
        }
        Ok(())
    }
}
