//! One packet can ask for many topics, and is answered for each of them.

use super::frame::Packet;
use super::properties::Properties;
use super::reader::Reader;

/// A subscription that a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mqtt) struct Subscribe<'a> {
    pub(in crate::mqtt) packet_id: u16,
    /// With the QoS that is asked for.
    pub(in crate::mqtt) filters: Vec<(&'a str, u8)>,
}

/// A subscription that a client ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mqtt) struct Unsubscribe<'a> {
    pub(in crate::mqtt) packet_id: u16,
    pub(in crate::mqtt) filters: Vec<&'a str>,
}

impl<'a> Subscribe<'a> {
    /// Nothing when it is malformed. The packet must be a SUBSCRIBE.
    pub(in crate::mqtt) fn read(packet: &Packet<'a>, is_version_5: bool) -> Option<Self> {
        let mut reader = Reader::new(packet.body);
        let packet_id = begin(&mut reader, is_version_5)?;
        let mut filters = Vec::new();
        while !reader.is_empty() {
            let filter = reader.text()?;
            filters.push((filter, reader.byte()? & 3));
        }
        (!filters.is_empty()).then_some(Self { packet_id, filters })
    }
}

impl<'a> Unsubscribe<'a> {
    /// Nothing when it is malformed. The packet must be an UNSUBSCRIBE.
    pub(in crate::mqtt) fn read(packet: &Packet<'a>, is_version_5: bool) -> Option<Self> {
        let mut reader = Reader::new(packet.body);
        let packet_id = begin(&mut reader, is_version_5)?;
        let mut filters = Vec::new();
        while !reader.is_empty() {
            filters.push(reader.text()?);
        }
        (!filters.is_empty()).then_some(Self { packet_id, filters })
    }
}

fn begin(reader: &mut Reader<'_>, is_version_5: bool) -> Option<u16> {
    let packet_id = reader.two_bytes()?;
    if is_version_5 {
        Properties::read(reader)?;
    }
    Some(packet_id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::frame::Kind;
    use super::*;

    fn packet(body: &[u8]) -> Packet<'_> {
        Packet { kind: Kind::Subscribe, flags: 2, body }
    }

    #[test]
    fn all_filters_of_a_packet_are_read() {
        let three = Subscribe::read(&packet(b"\0\x07\0\x01a\x01\0\x03b/#\x00"), false).unwrap();
        assert_eq!(three, Subscribe { packet_id: 7, filters: vec![("a", 1), ("b/#", 0)] });
        // The upper bits are options of version 5.
        let five = Subscribe::read(&packet(b"\0\x07\x02\x0b\x01\0\x01a\x2d"), true).unwrap();
        assert_eq!(five, Subscribe { packet_id: 7, filters: vec![("a", 1)] });
        let off = Unsubscribe::read(&packet(b"\0\x07\0\x01a\0\x01b"), false).unwrap();
        assert_eq!(off, Unsubscribe { packet_id: 7, filters: vec!["a", "b"] });
    }

    #[test]
    fn a_packet_without_a_whole_filter_is_malformed() {
        for body in [&b""[..], b"\0", b"\0\x07", b"\0\x07\0\x01", b"\0\x07\0\x01a"] {
            assert_eq!(Subscribe::read(&packet(body), false), None, "{body:?}");
        }
        assert_eq!(Unsubscribe::read(&packet(b"\0\x07"), false), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            body in prop::collection::vec(any::<u8>(), 0..100),
            is_version_5 in any::<bool>(),
        ) {
            let _whatever_it_is = Subscribe::read(&packet(&body), is_version_5);
            let _whatever_it_is = Unsubscribe::read(&packet(&body), is_version_5);
        }
    }
}
