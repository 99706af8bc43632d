//! Of most answers one byte is of interest: what the broker thinks of what was asked.

use super::frame::Packet;
use super::properties::Properties;
use super::reader::Reader;

/// What a CONNACK says: 0 for yes.
pub(in crate::mqtt) fn connack_code(packet: &Packet<'_>) -> Option<u8> {
    packet.body.get(1).copied()
}

/// Which packet an acknowledgement is for, and its reason, which is 0 in version 3.1.1.
pub(in crate::mqtt) fn acknowledged(packet: &Packet<'_>) -> Option<(u16, u8)> {
    let mut reader = Reader::new(packet.body);
    let packet_id = reader.two_bytes()?;
    // Version 5 leaves a reason out that is 0, and so does 3.1.1 always.
    Some((packet_id, reader.byte().unwrap_or(0)))
}

/// Which SUBSCRIBE a SUBACK is for, and what became of each filter.
pub(in crate::mqtt) fn granted<'a>(packet: &Packet<'a>, is_version_5: bool) -> Option<(u16, &'a [u8])> {
    let mut reader = Reader::new(packet.body);
    let packet_id = reader.two_bytes()?;
    if is_version_5 {
        Properties::read(&mut reader)?;
    }
    Some((packet_id, reader.rest()))
}

/// Why a client disconnects: 0 when nothing is said about it.
pub(in crate::mqtt) fn disconnect_reason(packet: &Packet<'_>) -> u8 {
    packet.body.first().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::frame::Kind;
    use super::*;

    fn packet(kind: Kind, body: &[u8]) -> Packet<'_> {
        Packet { kind, flags: 0, body }
    }

    #[test]
    fn a_reason_that_is_left_out_is_success() {
        assert_eq!(acknowledged(&packet(Kind::Puback, &[1, 2])), Some((258, 0)));
        assert_eq!(acknowledged(&packet(Kind::Puback, &[1, 2, 0x10])), Some((258, 0x10)));
        assert_eq!(acknowledged(&packet(Kind::Puback, &[1])), None);
        assert_eq!(disconnect_reason(&packet(Kind::Disconnect, &[])), 0);
        assert_eq!(disconnect_reason(&packet(Kind::Disconnect, &[0x8e, 0])), 0x8e);
        assert_eq!(connack_code(&packet(Kind::Connack, &[0, 5])), Some(5));
        assert_eq!(connack_code(&packet(Kind::Connack, &[0])), None);
    }

    #[test]
    fn each_filter_has_its_own_answer() {
        assert_eq!(granted(&packet(Kind::Suback, &[0, 7, 1, 0x80]), false), Some((7, &[1, 0x80][..])));
        assert_eq!(granted(&packet(Kind::Suback, &[0, 7, 0, 1, 0x87]), true), Some((7, &[1, 0x87][..])));
        assert_eq!(granted(&packet(Kind::Suback, &[0]), true), None);
    }
}
