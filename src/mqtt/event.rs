//! What a session tells its holder.

use alloc::string::String;

use crate::error::Error;
use crate::message::{Message, Properties, Qos};
use crate::outcome::Receipt;

/// The broker has accepted the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedConnection {
    /// It remembers the subscriptions of an earlier one.
    pub session_present: bool,
    /// The keep-alive in force.
    pub keep_alive_s: u16,
}

/// There is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnection {
    /// Why.
    pub error: Error,
    /// Whether it was there before: lost, and not failed to come.
    pub was_connected: bool,
    /// When the next attempt is made, from now. None: it is not.
    pub retry_ms: Option<u64>,
    /// The likely reason and the next step, for people.
    pub explanation: String,
}

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: bytes::Bytes,
    /// How often it may arrive.
    pub qos: Qos,
    /// The topic had kept it.
    pub retain: bool,
    /// It may have come before.
    pub duplicate: bool,
    /// What MQTT 5 brings along.
    pub properties: Option<Properties>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// There is a connection.
    Connected(AcceptedConnection),
    /// There is none.
    Disconnected(Disconnection),
    /// A message came.
    Message(Incoming),
    /// A message was accepted.
    Published {
        /// As it was numbered.
        id: u64,
        /// At least once: acknowledged. At most once: handed to the connection.
        receipt: Receipt,
    },
    /// A message was not accepted.
    NotPublished {
        /// As it was numbered.
        id: u64,
        /// Why, and where it stands.
        error: Error,
        /// The likely reason and the next step, for people.
        explanation: String,
    },
    /// A subscription was answered.
    Subscribed {
        /// Which.
        filter: String,
        /// What is granted, or why not and an explanation.
        granted: Result<Qos, (Error, String)>,
    },
    /// The end of a subscription was answered.
    Unsubscribed {
        /// Which.
        filter: String,
        /// Why it goes on, and an explanation.
        error: Option<(Error, String)>,
    },
}

/// A message without an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// As it was numbered.
    pub id: u64,
    /// The message.
    pub message: Message,
    /// How many times it was sent.
    pub attempts: u32,
    /// The packet identifier under which the broker may know it.
    pub packet_id: Option<u16>,
    /// How long ago it was taken, if that is known: its message expiry counts from then.
    pub age_ms: Option<u64>,
}
