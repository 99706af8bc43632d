//! What comes and cannot be taken. The first bytes of a connection tell whether it is MQTT at all; after that it is the
//! broker that is wrong, and with MQTT 5 it is told so.

use alloc::borrow::ToOwned;

use super::Session;
use super::connecting::{GRACE_MS, connection_error};
use super::connection_state::ConnectionState;
use crate::error::{Cause, Error};
use crate::mqtt::packet::{self, Malformed};
use crate::mqtt::{MqttErrorContext, Version};
use crate::outcome::Retry;

impl Session {
    /// These bytes are not taken.
    pub(super) fn unreadable(&mut self, now_ms: u64, malformed: Malformed, bytes: &[u8]) {
        let is_answer = matches!((malformed, bytes), (Malformed::Broken(..), [first, ..]) if packet::may_greet(*first));
        if !matches!(self.state, ConnectionState::Greeting { .. }) || is_answer {
            return self.broken(now_ms, malformed, Retry::Never);
        }
        let (cause, detail) = match bytes.starts_with(b"HTTP/") {
            true => (Cause::WrongHostOrPath, "it is HTTP"),
            false => (Cause::MalformedAnswer, "it is not MQTT"),
        };
        self.end(now_ms, Error { detail: Some(detail.to_owned()), ..connection_error(cause, Retry::Never) });
    }

    /// The broker speaks MQTT, and not as it should.
    pub(super) fn broken(&mut self, now_ms: u64, malformed: Malformed, retry: Retry) {
        // In the middle of a packet it would be part of that.
        let can_tell = self.config.version == Version::V5 && self.output.is_empty();
        let context = match malformed {
            Malformed::TooLarge(_) => MqttErrorContext::TooMuch,
            _ => MqttErrorContext::RuleBroken,
        };
        let error = Error { detail: Some(malformed.text()), ..connection_error(Cause::MalformedAnswer, retry) };
        self.end_upon(now_ms, error, Some(context));
        if can_tell {
            packet::disconnect_because(malformed.reason_code(), self.output.buffer());
            self.last_word_until_ms = Some(now_ms.saturating_add(GRACE_MS));
        }
    }

    /// Until when the close waits, if it does.
    pub(super) fn last_word_ms(&mut self, now_ms: u64) -> Option<u64> {
        let until_ms = self.last_word_until_ms?;
        if now_ms < until_ms && !self.output.is_empty() {
            return Some(until_ms);
        }
        self.last_word_until_ms = None;
        self.output.clear();
        None
    }
}
