//! What a cloud refuses never reaches the broker, so the proxy has to say the refusal itself.

use super::frame::Packet;
use super::properties::{Properties, SERVER_KEEP_ALIVE};
use super::reader::Reader;

/// A CONNACK without a session.
pub(in crate::mqtt) fn connack(code: u8, is_version_5: bool) -> Vec<u8> {
    if is_version_5 { vec![0x20, 3, 0, code, 0] } else { vec![0x20, 2, 0, code] }
}

/// A CONNACK of version 5 as the broker has said it, with this keep-alive in seconds. Nothing when it cannot be read.
pub(in crate::mqtt) fn connack_with_keep_alive(packet: &Packet<'_>, seconds: u16) -> Option<Vec<u8>> {
    let mut reader = Reader::new(packet.body);
    let (flags, code) = (reader.byte()?, reader.byte()?);
    let mut properties = Properties::without_server_keep_alive(&mut reader)?;
    properties.push(SERVER_KEEP_ALIVE);
    properties.extend(seconds.to_be_bytes());
    let mut body = vec![flags, code];
    body.extend(length(properties.len()));
    body.extend(properties);
    Some(Packet { body: &body, ..*packet }.to_bytes())
}

/// A PUBACK with a reason, which only version 5 has.
pub(in crate::mqtt) fn puback(packet_id: u16, reason: u8) -> Vec<u8> {
    let [high, low] = packet_id.to_be_bytes();
    vec![0x40, 3, high, low, reason]
}

/// A SUBACK with the same code for each filter.
pub(in crate::mqtt) fn suback(packet_id: u16, code: u8, filters: usize, is_version_5: bool) -> Vec<u8> {
    let properties = usize::from(is_version_5);
    let mut bytes = vec![0x90];
    bytes.extend(length(2 + properties + filters));
    bytes.extend(packet_id.to_be_bytes());
    bytes.resize(bytes.len() + properties, 0);
    bytes.resize(bytes.len() + filters, code);
    bytes
}

/// A PUBLISH of version 3.1.1, at least once.
pub(in crate::mqtt) fn publish(packet_id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let topic_length = u16::try_from(topic.len()).expect("a topic of the front's own is short");
    let mut bytes = vec![0x32];
    bytes.extend(length(4 + topic.len() + payload.len()));
    bytes.extend(topic_length.to_be_bytes());
    bytes.extend(topic.as_bytes());
    bytes.extend(packet_id.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// What a server says before it closes, in version 5.
pub(in crate::mqtt) fn disconnect(reason: u8) -> Vec<u8> {
    vec![0xe0, 1, reason]
}

/// The length behind the first byte of a packet. It has to be one that MQTT has.
pub(super) fn length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4);
    loop {
        let byte = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Cut, Kind, cut};
    use super::super::{Publish, acknowledged, connack_code, disconnect_reason, granted};
    use super::*;

    #[test]
    fn a_keep_alive_takes_the_place_of_another_and_leaves_the_rest() {
        let with = |body: &[u8]| connack_with_keep_alive(&Packet { kind: Kind::Connack, flags: 0, body }, 1200);
        assert_eq!(with(&[1, 0, 0]), Some(vec![0x20, 6, 1, 0, 3, 0x13, 4, 0xb0]));
        let others = [0, 0, 9, 0x21, 0, 20, 0x13, 0xff, 0xff, 0x22, 0, 10];
        let expected = vec![0x20, 12, 0, 0, 9, 0x21, 0, 20, 0x22, 0, 10, 0x13, 4, 0xb0];
        assert_eq!(with(&others), Some(expected));
        assert_eq!(with(&[0, 0, 9, 0x21]), None);
        assert_eq!(with(&[0]), None);
    }

    #[test]
    fn what_is_written_can_be_read() {
        let whole = |bytes: &[u8], check: &dyn Fn(&Packet<'_>)| match cut(bytes) {
            Cut::Whole(packet, length) if length == bytes.len() => check(&packet),
            other => panic!("{other:?}"),
        };
        for is_version_5 in [false, true] {
            whole(&connack(0x87, is_version_5), &|packet| assert_eq!(connack_code(packet), Some(0x87)));
            whole(&suback(7, 0x80, 200, is_version_5), &|packet| {
                assert_eq!(granted(packet, is_version_5), Some((7, &[0x80; 200][..])));
            });
        }
        whole(&publish(1, "/ext/register", b"{}"), &|packet| {
            let publish = Publish::read(packet, false).unwrap();
            assert_eq!((publish.topic, publish.payload, publish.packet_id), ("/ext/register", &b"{}"[..], Some(1)));
        });
        whole(&puback(258, 0x87), &|packet| assert_eq!(acknowledged(packet), Some((258, 0x87))));
        whole(&disconnect(0x8e), &|packet| assert_eq!(disconnect_reason(packet), 0x8e));
    }
}
