//! Packets follow each other without a gap, and a read ends wherever it likes. So the first question to any bytes is
//! whether they hold a whole packet.

use super::reader::Reader;

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mqtt) enum Kind {
    Connect,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
    Auth,
}

impl Kind {
    fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Connect,
            2 => Self::Connack,
            3 => Self::Publish,
            4 => Self::Puback,
            5 => Self::Pubrec,
            6 => Self::Pubrel,
            7 => Self::Pubcomp,
            8 => Self::Subscribe,
            9 => Self::Suback,
            10 => Self::Unsubscribe,
            11 => Self::Unsuback,
            12 => Self::Pingreq,
            13 => Self::Pingresp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }
}

/// One whole packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mqtt) struct Packet<'a> {
    pub(in crate::mqtt) kind: Kind,
    /// The lower half of the first byte.
    pub(in crate::mqtt) flags: u8,
    /// Everything behind the length.
    pub(in crate::mqtt) body: &'a [u8],
}

impl Packet<'_> {
    /// As it is on the wire.
    pub(in crate::mqtt) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![((self.kind as u8) + 1) << 4 | self.flags];
        bytes.extend(super::write::length(self.body.len()));
        bytes.extend_from_slice(self.body);
        bytes
    }
}

/// What the beginning of some bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mqtt) enum Cut<'a> {
    /// A packet of so many bytes.
    Whole(Packet<'a>, usize),
    /// A part of one, which will have so many bytes if that much is known.
    Part(Option<usize>),
    /// No packet, whatever follows.
    Malformed,
}

/// Cuts the first packet off.
pub(in crate::mqtt) fn cut(bytes: &[u8]) -> Cut<'_> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Cut::Part(None);
    };
    let Some(kind) = Kind::from_number(first >> 4) else {
        return Cut::Malformed;
    };
    let mut reader = Reader::new(rest);
    let Some(length) = reader.variable() else {
        // Four bytes at most say how long it is.
        return if rest.len() < 4 { Cut::Part(None) } else { Cut::Malformed };
    };
    let header = bytes.len() - reader.rest().len();
    match reader.take(length as usize) {
        Some(body) => Cut::Whole(Packet { kind, flags: first & 0x0f, body }, header + body.len()),
        None => Cut::Part(Some(header + length as usize)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_packet_is_cut_off_what_follows_it() {
        let bytes = [0x32, 5, 0, 1, b't', 0, 7, 0xc0, 0];
        let Cut::Whole(packet, length) = cut(&bytes) else { panic!("{:?}", cut(&bytes)) };
        assert_eq!((packet.kind, packet.flags, packet.body), (Kind::Publish, 2, &bytes[2..7]));
        assert_eq!(length, 7);
        assert!(matches!(cut(&bytes[length..]), Cut::Whole(Packet { kind: Kind::Pingreq, .. }, 2)));
    }

    #[test]
    fn a_part_of_a_packet_says_how_long_it_will_be_once_that_is_known() {
        assert_eq!(cut(&[]), Cut::Part(None));
        assert_eq!(cut(&[0x30]), Cut::Part(None));
        assert_eq!(cut(&[0x30, 0x80]), Cut::Part(None));
        assert_eq!(cut(&[0x30, 0x80, 0x01]), Cut::Part(Some(3 + 128)));
        assert_eq!(cut(&[0x30, 0xff, 0xff, 0xff, 0x7f, 0]), Cut::Part(Some(5 + 268_435_455)));
    }

    #[test]
    fn what_is_no_packet_is_not_waited_for() {
        assert_eq!(cut(&[0x00, 0]), Cut::Malformed);
        assert_eq!(cut(&[0x30, 0xff, 0xff, 0xff, 0xff]), Cut::Malformed);
        assert_eq!(cut(&[0x30, 0xff, 0xff, 0xff, 0xff, 0]), Cut::Malformed);
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_within_their_bounds(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Cut::Whole(packet, length) = cut(&bytes) {
                prop_assert!(length <= bytes.len() && packet.body.len() + 2 <= length);
            }
        }

        #[test]
        fn a_packet_is_not_whole_before_its_last_byte(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = vec![0x30];
            bytes.extend(super::super::write::length(body.len()));
            bytes.extend(&body);
            for end in 0..bytes.len() {
                prop_assert!(matches!(cut(&bytes[..end]), Cut::Part(_)));
            }
            let packet = Packet { kind: Kind::Publish, flags: 0, body: &body };
            prop_assert_eq!(cut(&bytes), Cut::Whole(packet, bytes.len()));
            prop_assert_eq!(packet.to_bytes(), bytes);
        }
    }
}
