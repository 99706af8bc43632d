//! MQTT as bytes. The codec is mqtt-proto's, and of that only the packets that a client sends and gets: with its decoders
//! for whole streams the component has 50 KB more, and an acknowledged message costs a third more instructions.
//!
//! Whatever comes is hostile: lengths are checked before anything is kept, and what cannot be read ends the connection.

mod malformed;
mod properties;
mod publish;
mod receive;
#[cfg(test)]
mod tests;
mod v3;
mod v5;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use mqtt_proto::{Encodable, Pid, QoS, TopicFilter, TopicName};

pub(super) use malformed::Malformed;
pub(super) use publish::Publish;
pub(super) use receive::frame;

use super::broker::Login;
use super::event::Incoming;
use super::{Subscription, Version};
use crate::message::{Message, Qos};

/// A CONNECT.
pub(super) struct Connect<'a> {
    pub login: &'a Login,
    pub keep_alive_s: u16,
    pub session_expiry_s: u32,
    pub starts_clean: bool,
    /// Of MQTT 5.
    pub will_delay_s: Option<u32>,
    /// The message and its topic as it goes over the wire.
    pub will: Option<(&'a Message, &'a str)>,
}

/// A packet from the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Connack(Connack),
    Publish { packet: Incoming, id: Option<u16> },
    Puback(Ack),
    Suback(Acks),
    Unsuback(Acks),
    Pingresp,
    Disconnect { code: u8, reason: Option<String>, elsewhere: Option<String> },
}

impl Packet {
    /// How the standard calls it.
    pub fn name(&self) -> &'static str {
        malformed::name(match self {
            Self::Connack(_) => CONNACK,
            Self::Publish { .. } => 0x30,
            Self::Puback(_) => PUBACK,
            Self::Suback(_) => 0x90,
            Self::Unsuback(_) => 0xb0,
            Self::Pingresp => 0xd0,
            Self::Disconnect { .. } => FAREWELL,
        })
    }
}

/// What the broker says to a CONNECT. Limits are those of MQTT 5.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Connack {
    pub code: u8,
    pub reason: Option<String>,
    /// Which other server the client is to use.
    pub elsewhere: Option<String>,
    pub session_present: bool,
    pub keep_alive_s: Option<u16>,
    pub receive_maximum: Option<u16>,
    pub max_packet_bytes: Option<u32>,
    pub takes_qos_1: bool,
    pub takes_retained: bool,
    /// Of MQTT 3.1.1, to a CONNECT of MQTT 5.
    pub is_of_v3: bool,
}

/// The answer to a message. `code` is 0 in MQTT 3.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ack {
    pub id: u16,
    pub code: u8,
    pub reason: Option<String>,
}

/// The answer to subscriptions, in their order. Empty for an UNSUBACK of MQTT 3.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Acks {
    pub id: u16,
    pub codes: Vec<u8>,
    pub reason: Option<String>,
}

/// Something cannot stand in a packet. What a session sends has been checked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsendable;

impl From<mqtt_proto::Error> for Unsendable {
    fn from(_: mqtt_proto::Error) -> Self {
        Self
    }
}

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const UNSUBSCRIBE: u8 = 0xa2;
const PINGREQ: [u8; 2] = [0xc0, 0];
/// With MQTT 5 that is the one with reason code 0, which may be left out.
const DISCONNECT: [u8; 2] = [FAREWELL, 0];
const FAREWELL: u8 = 0xe0;
const SESSION_EXPIRY_INTERVAL: u8 = 0x11;
const AUTH: u8 = 0xf0;

impl Version {
    pub(super) fn connect(self, connect: &Connect, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        match self {
            Self::V3 => append(CONNECT, &v3::connect(connect)?, out),
            Self::V5 => append(CONNECT, &v5::connect(connect)?, out),
        }
    }

    pub(super) fn subscribe(self, id: u16, to: &[Subscription], out: &mut Vec<u8>) -> Result<(), Unsendable> {
        match self {
            Self::V3 => append(SUBSCRIBE, &v3::subscribe(id, to)?, out),
            Self::V5 => append(SUBSCRIBE, &v5::subscribe(id, to)?, out),
        }
    }

    pub(super) fn unsubscribe(self, id: u16, filter: &str, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let id = Pid::try_from(id)?;
        let filters = alloc::vec![TopicFilter::try_from(filter)?];
        match self {
            Self::V3 => append(UNSUBSCRIBE, &mqtt_proto::v3::Unsubscribe::new(id, filters), out),
            Self::V5 => append(UNSUBSCRIBE, &mqtt_proto::v5::Unsubscribe::new(id, filters), out),
        }
    }
}

/// An acknowledgement as both versions have it: MQTT 5 lets a reason code of 0 be left out.
pub(super) fn puback(id: u16, out: &mut Vec<u8>) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[PUBACK, 2, high, low]);
}

pub(super) fn pingreq(out: &mut Vec<u8>) {
    out.extend_from_slice(&PINGREQ);
}

/// `session_expiry_s` is of MQTT 5: how long the broker is to keep the session from now on, if that is not what the CONNECT said.
pub(super) fn disconnect(session_expiry_s: Option<u32>, out: &mut Vec<u8>) {
    match session_expiry_s {
        None => out.extend_from_slice(&DISCONNECT),
        Some(seconds) => {
            // The length of all, reason code 0, the length of the properties, and the only one.
            out.extend_from_slice(&[FAREWELL, 7, 0, 5, SESSION_EXPIRY_INTERVAL]);
            out.extend_from_slice(&seconds.to_be_bytes());
        }
    }
}

/// Of MQTT 5: the broker is told why.
pub(super) fn disconnect_because(code: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[FAREWELL, 1, code]);
}

/// Whether this begins what a broker says to a CONNECT, be it right or wrong. No text begins so.
pub(super) fn may_greet(first: u8) -> bool {
    matches!(first, CONNACK | FAREWELL | AUTH)
}

/// Header, length and body, without a buffer in between.
fn append(first: u8, body: &impl Encodable, out: &mut Vec<u8>) -> Result<(), Unsendable> {
    head(first, body.encode_len(), out)?;
    Ok(body.encode(out)?)
}

/// Header and length.
fn head(first: u8, mut length: usize, out: &mut Vec<u8>) -> Result<(), Unsendable> {
    const LONGEST: usize = 0x0fff_ffff;
    if length > LONGEST {
        return Err(Unsendable);
    }
    out.reserve(length + 5);
    out.push(first);
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            return Ok(());
        }
    }
}

/// Of a will. Shared with the message, not copied.
fn payload(message: &Message) -> Bytes {
    Bytes::from_owner(Payload(message.payload.clone()))
}

struct Payload(Arc<[u8]>);

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn topic(name: &str) -> Result<TopicName, Unsendable> {
    Ok(TopicName::try_from(name)?)
}

fn qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::Level0,
        Qos::AtLeastOnce => QoS::Level1,
    }
}
