//! The message is what all of this is about. Where its payload begins depends on everything before it.

use super::frame::Packet;
use super::properties::Properties;
use super::reader::Reader;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mqtt) struct Publish<'a> {
    pub(in crate::mqtt) dup: bool,
    pub(in crate::mqtt) qos: u8,
    pub(in crate::mqtt) retain: bool,
    /// Empty when an alias stands for it.
    pub(in crate::mqtt) topic: &'a str,
    /// With QoS 0 there is none.
    pub(in crate::mqtt) packet_id: Option<u16>,
    pub(in crate::mqtt) properties: Properties<'a>,
    pub(in crate::mqtt) payload: &'a [u8],
}

impl<'a> Publish<'a> {
    /// Nothing when it is malformed. The packet must be a PUBLISH.
    pub(in crate::mqtt) fn read(packet: &Packet<'a>, is_version_5: bool) -> Option<Self> {
        let qos = (packet.flags >> 1) & 3;
        if qos == 3 {
            return None;
        }
        let mut reader = Reader::new(packet.body);
        let topic = reader.text()?;
        let packet_id = if qos > 0 { Some(reader.two_bytes()?) } else { None };
        let properties = if is_version_5 { Properties::read(&mut reader)? } else { Properties::default() };
        Some(Self {
            dup: packet.flags & 8 != 0,
            qos,
            retain: packet.flags & 1 != 0,
            topic,
            packet_id,
            properties,
            payload: reader.rest(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::frame::Kind;
    use super::*;

    fn packet(flags: u8, body: &[u8]) -> Packet<'_> {
        Packet { kind: Kind::Publish, flags, body }
    }

    #[test]
    fn a_payload_begins_where_the_version_and_the_qos_say() {
        let body = b"\0\x01t\0\x07\x05hello";
        let one = Publish::read(&packet(0b1011, body), false).unwrap();
        assert_eq!((one.dup, one.qos, one.retain, one.topic), (true, 1, true, "t"));
        assert_eq!((one.packet_id, one.payload), (Some(7), &b"\x05hello"[..]));
        let zero = Publish::read(&packet(0, body), false).unwrap();
        assert_eq!((zero.packet_id, zero.payload), (None, &b"\0\x07\x05hello"[..]));
        let five = Publish::read(&packet(2, b"\0\0\0\x07\x03\x23\0\x01hello"), true).unwrap();
        assert_eq!((five.topic, five.properties.topic_alias, five.payload), ("", Some(1), &b"hello"[..]));
    }

    #[test]
    fn there_is_no_qos_3_and_no_message_without_a_topic() {
        assert_eq!(Publish::read(&packet(6, b"\0\x01t\0\x07"), false), None);
        assert_eq!(Publish::read(&packet(0, b"\0"), false), None);
        assert_eq!(Publish::read(&packet(2, b"\0\x01t\0"), false), None);
        assert_eq!(Publish::read(&packet(0, b"\0\x01t"), true), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            flags in 0_u8..16,
            body in prop::collection::vec(any::<u8>(), 0..100),
            is_version_5 in any::<bool>(),
        ) {
            let _whatever_it_is = Publish::read(&packet(flags, &body), is_version_5);
        }
    }
}
