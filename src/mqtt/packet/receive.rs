//! The frame around every packet, and the messages that come.

use alloc::borrow::ToOwned;

use bytes::Bytes;

use super::malformed::{LAYOUT, Malformed, Rule, name};
use super::publish::{DUPLICATE, RETAIN};
use super::{Packet, v3, v5};
use crate::message::{Properties, Qos};
use crate::mqtt::Version;
use crate::mqtt::event::Incoming;

/// Packets up to this size are taken: the largest payload of any platform here is 256 KB.
pub(super) const MAX_PACKET: usize = 1024 * 1024;

/// A packet in what has come so far.
#[derive(Debug)]
pub(in crate::mqtt) struct Frame<'a> {
    first: u8,
    body: &'a [u8],
    /// How many bytes of the input it takes.
    pub length: usize,
}

/// The first packet in the input, if it is whole.
pub(in crate::mqtt) fn frame(input: &[u8]) -> Result<Option<Frame<'_>>, Malformed> {
    let Some((first, after)) = input.split_first() else { return Ok(None) };
    let mut length = 0;
    for (index, byte) in after.iter().enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            if length > MAX_PACKET {
                return Err(Malformed::TooLarge(2 + index + length));
            }
            let start = index + 1;
            let body = after.get(start..start + length);
            return Ok(body.map(|body| Frame { first: *first, body, length: 1 + start + length }));
        }
        if index == 3 {
            return Err(Malformed::NoFrame);
        }
    }
    Ok(None)
}

impl Frame<'_> {
    pub fn read(&self, version: Version) -> Result<Packet, Malformed> {
        let packet = match version {
            Version::V3 => v3::read(self.first, self.body),
            Version::V5 => v5::read(self.first, self.body),
        };
        packet.map_err(|Rule(rule)| Malformed::Broken(name(self.first), rule))
    }
}

/// A body that is an identifier and nothing else.
pub(super) fn packet_id(body: &[u8]) -> Result<u16, Rule> {
    match body {
        [high, low] => Ok(u16::from_be_bytes([*high, *low])),
        _ => Err(LAYOUT),
    }
}

/// A message. Not by mqtt-proto: its decoder refuses a payload that calls itself text and is not, and a broker that has
/// retained one would be disconnected from for ever.
///
/// `properties` reads what stands before the payload and says how long it is.
pub(super) fn incoming(
    first: u8,
    body: &[u8],
    properties: impl FnOnce(&[u8]) -> Result<(Option<Properties>, usize), Rule>,
) -> Result<Packet, Rule> {
    let (length, rest) = body.split_first_chunk::<2>().ok_or(LAYOUT)?;
    let (topic, mut rest) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(LAYOUT)?;
    let topic = core::str::from_utf8(topic).map_err(|_| LAYOUT)?;
    if topic.is_empty() || topic.bytes().any(|byte| matches!(byte, b'+' | b'#' | 0)) {
        return Err(Rule("its topic is none that can be published to"));
    }
    let (qos, id) = match first >> 1 & 0b11 {
        0 => (Qos::AtMostOnce, None),
        1 => {
            let (id, after) = rest.split_first_chunk::<2>().ok_or(LAYOUT)?;
            rest = after;
            match u16::from_be_bytes(*id) {
                0 => return Err(Rule("its packet identifier is 0")),
                id => (Qos::AtLeastOnce, Some(id)),
            }
        }
        2 => return Err(Rule("its QoS is 2, and nobody has subscribed with that")),
        _ => return Err(Rule("its QoS is 3")),
    };
    let (properties, length) = properties(rest)?;
    let payload = rest.get(length..).ok_or(LAYOUT)?;
    let packet = Incoming {
        topic: topic.to_owned(),
        payload: Bytes::copy_from_slice(payload),
        qos,
        retain: first & RETAIN != 0,
        duplicate: first & DUPLICATE != 0,
        properties,
    };
    Ok(Packet::Publish { packet, id })
}
