//! A message on its way out. Nearly every packet is one, and mqtt-proto checks its topic again and takes topic and payload as
//! values of its own: 15 % of the instructions that a message takes. So it is put together here.

use alloc::vec::Vec;

use mqtt_proto::Encodable;

use super::{Unsendable, head, properties};
use crate::message::Message;
use crate::mqtt::Version;

const PUBLISH: u8 = 0x30;
const QOS_1: u8 = 0b10;
pub(super) const DUPLICATE: u8 = 0b1000;
pub(super) const RETAIN: u8 = 0b1;

/// A message that is about to be sent.
pub(in crate::mqtt) struct Publish<'a> {
    pub message: &'a Message,
    /// As it goes over the wire.
    pub topic: &'a str,
    /// For at-least-once.
    pub id: Option<u16>,
    pub duplicate: bool,
    /// What is left of its message expiry.
    pub expiry_s: Option<u32>,
}

impl Publish<'_> {
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        let first = PUBLISH
            | flag(DUPLICATE, self.duplicate)
            | flag(QOS_1, self.id.is_some())
            | flag(RETAIN, self.message.retain);
        let topic_length = u16::try_from(self.topic.len()).map_err(|_| Unsendable)?;
        let properties = match (version, &self.message.properties) {
            (Version::V5, Some(given)) => Some(properties::of_message(given, self.expiry_s)?),
            _ => None,
        };
        // Of MQTT 5 without properties, their length.
        let empty: &[u8] = if version == Version::V5 { &[0] } else { &[] };
        let id = self.id.map(u16::to_be_bytes);
        let id = id.as_ref().map_or(&[][..], |id| id);
        let properties_length = properties.as_ref().map_or(empty.len(), Encodable::encode_len);
        head(first, 2 + self.topic.len() + id.len() + properties_length + self.message.payload.len(), out)?;
        for part in [&topic_length.to_be_bytes()[..], self.topic.as_bytes(), id] {
            out.extend_from_slice(part);
        }
        match properties {
            Some(properties) => properties.encode(out)?,
            None => out.extend_from_slice(empty),
        }
        out.extend_from_slice(&self.message.payload);
        Ok(())
    }
}
