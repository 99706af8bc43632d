//! What is known of a message on its way to an outcome, and what it takes of a memory that is bounded: small messages consist
//! of what belongs to them, so payloads alone say little.

use alloc::string::String;
use alloc::vec::Vec;

use super::event::Unfinished;
use crate::message::{Message, Properties};
use crate::outcome::Delivery;

/// A message without an outcome.
#[derive(Debug)]
pub(super) struct Entry {
    pub id: u64,
    pub message: Message,
    /// As it goes over the wire.
    pub topic: String,
    /// Under which the broker may know it. Whatever has one was sent before.
    pub packet_id: Option<u16>,
    pub attempts: u32,
    /// When it was taken, as far as is known. May be before the clock began: that of a sandbox often does with the sandbox.
    pub taken_ms: i64,
    /// When it was first sent. Moves on while there is no connection.
    pub first_sent_ms: Option<u64>,
    /// When it was sent last.
    pub sent_ms: u64,
    /// An attempt has ended without an answer, so it may have arrived.
    pub may_have_arrived: bool,
    /// Where it begins and ends in the output of this connection.
    pub start: u64,
    pub end: u64,
    /// A connection has ended when this was the first that was not acknowledged: it goes alone.
    pub is_suspect: bool,
    /// How many times the broker has closed the connection upon it, when it was alone.
    pub closings: u32,
    /// How many times the broker has refused it for now.
    pub refusals: u32,
    /// Until when it rests after that.
    pub rests_until_ms: u64,
}

impl Entry {
    pub fn new(id: u64, message: Message, topic: String, taken_ms: i64) -> Self {
        Self {
            id,
            message,
            topic,
            packet_id: None,
            attempts: 0,
            taken_ms,
            first_sent_ms: None,
            sent_ms: 0,
            may_have_arrived: false,
            start: 0,
            end: 0,
            is_suspect: false,
            closings: 0,
            refusals: 0,
            rests_until_ms: 0,
        }
    }

    /// How long it may still take, if that is limited. AWS takes 0 seconds for 1.
    pub fn expires_in_ms(&self, now_ms: u64) -> Option<u64> {
        let expiry_s = self.message.properties.as_ref()?.message_expiry_s?.max(1);
        let expires_ms = self.taken_ms.saturating_add(i64::from(expiry_s) * 1000);
        Some(since(expires_ms, signed(now_ms)))
    }

    /// Whether no broker has had its say about it. One that was refused for now has no identifier any more.
    pub fn is_fresh(&self) -> bool {
        self.packet_id.is_none() && self.refusals == 0
    }

    /// Where it stands if nothing more is done with it.
    pub fn delivery(&self) -> Delivery {
        match (self.may_have_arrived, self.refusals) {
            (true, _) => Delivery::Unknown,
            (false, 0) => Delivery::NotSent,
            (false, _) => Delivery::Refused,
        }
    }

    /// What it takes of the memory.
    pub fn bytes(&self) -> usize {
        bytes(&self.message, &self.topic)
    }

    pub fn unfinished(&self, now_ms: u64) -> Unfinished {
        Unfinished {
            id: self.id,
            message: self.message.clone(),
            attempts: self.attempts,
            packet_id: self.packet_id,
            age_ms: Some(since(signed(now_ms), self.taken_ms)),
        }
    }
}

/// A time of the clock that can be gone back from.
pub(super) fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// From one time to another, or nothing if it is the earlier one.
fn since(to_ms: i64, from_ms: i64) -> u64 {
    u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0)
}

/// What a message takes of the memory, generously: small ones consist of what belongs to them.
pub(super) fn bytes(message: &Message, topic: &str) -> usize {
    const ENTRY: usize = 2 * size_of::<Entry>();
    let rule = message.rule.as_ref().map_or(0, String::len);
    let properties = message.properties.as_ref().map_or(0, properties_bytes);
    ENTRY + message.payload.len() + message.topic.len() + topic.len() + rule + properties
}

/// How many bytes the properties of a message take.
pub(super) fn properties_bytes(properties: &Properties) -> usize {
    const PAIR: usize = 2 * size_of::<(String, String)>();
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let user: usize = properties.user_properties.iter().map(|(name, value)| PAIR + name.len() + value.len()).sum();
    let texts = length(&properties.content_type) + length(&properties.response_topic);
    user + texts + properties.correlation_data.as_ref().map_or(0, Vec::len)
}
