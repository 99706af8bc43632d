//! Bytes against the standard's own layout, written out by hand.

use super::*;
use crate::secret::Secret;

const LOGIN: fn() -> Login =
    || Login { client_id: "dev".into(), user_name: Some(Secret::new("user")), password: Some(Secret::new("pw")) };

fn connect(version: Version, session_expiry_s: u32, will: Option<&Message>) -> Vec<u8> {
    let login = LOGIN();
    let will = will.map(|will| (will, will.topic.as_str()));
    let mut out = Vec::new();
    let connect = Connect {
        login: &login,
        keep_alive_s: 60,
        session_expiry_s,
        starts_clean: session_expiry_s == 0,
        will_delay_s: None,
        will,
    };
    version.connect(&connect, &mut out).unwrap();
    out
}

#[test]
fn a_connect_of_mqtt_3_1_1_is_laid_out_as_the_standard_says() {
    let will = Message { retain: true, ..Message::new("w", *b"gone", Qos::AtLeastOnce) };
    let flags = 0b1110_1110;
    let expected =
        [&[0x10, 34][..], b"\0\x04MQTT\x04", &[flags, 0, 60], b"\0\x03dev\0\x01w\0\x04gone\0\x04user\0\x02pw"];
    let mut expected = expected.concat();
    expected[1] = (expected.len() - 2) as u8;
    assert_eq!(connect(Version::V3, 0, Some(&will)), expected);
}

#[test]
fn a_connect_of_mqtt_5_says_how_long_the_session_lasts() {
    let expected = [
        &[0x10, 0][..],
        b"\0\x04MQTT\x05",
        &[0b1100_0000, 0, 60, 10, 0x11, 0, 0, 0x0e, 0x10, 0x27, 0, 0x10, 0, 5],
        b"\0\x03dev\0\x04user\0\x02pw",
    ];
    let mut expected = expected.concat();
    expected[1] = (expected.len() - 2) as u8;
    assert_eq!(connect(Version::V5, 3600, None), expected);
}

#[test]
fn a_publish_carries_duplicate_level_and_retain_in_its_header() {
    let message = Message { retain: true, ..Message::new("a/b", *b"xy", Qos::AtLeastOnce) };
    let mut out = Vec::new();
    let publish = Publish { message: &message, topic: "a/b", id: Some(0x0102), duplicate: true, expiry_s: Some(7) };
    publish.encode(Version::V3, &mut out).unwrap();
    assert_eq!(out, b"\x3b\x09\0\x03a/b\x01\x02xy");
    out.clear();
    publish.encode(Version::V5, &mut out).unwrap();
    assert_eq!(out, b"\x3b\x0a\0\x03a/b\x01\x02\0xy");
}

#[test]
fn a_length_takes_as_many_bytes_as_it_needs() {
    for (payload, length_bytes) in [(100, 1), (200, 2), (20_000, 3)] {
        let message = Message::new("t", vec![7; payload], Qos::AtMostOnce);
        let mut out = Vec::new();
        let publish = Publish { message: &message, topic: "t", id: None, duplicate: false, expiry_s: None };
        publish.encode(Version::V3, &mut out).unwrap();
        assert_eq!(out.len(), 1 + length_bytes + 3 + payload);
        let whole = frame(&out).unwrap().unwrap();
        assert_eq!(whole.length, out.len());
        assert!(frame(&out[..out.len() - 1]).unwrap().is_none());
    }
}

#[test]
fn a_packet_larger_than_a_mebibyte_is_not_waited_for() {
    assert!(frame(&[0x30, 0x80, 0x80, 0x40]).unwrap().is_none());
    assert!(frame(&[0x30, 0x81, 0x80, 0x40]).is_err());
    assert!(frame(&[0x30, 0xff, 0xff, 0xff, 0xff]).is_err());
    assert!(frame(&[0x30, 0xff, 0xff]).unwrap().is_none());
}

#[test]
fn packets_that_a_client_is_not_sent_are_refused() {
    for version in [Version::V3, Version::V5] {
        for packet in [
            &[0x10, 0][..],
            &[0x82, 2, 0, 1],
            &[0xc0, 0],
            // Exactly once, a message without an identifier, a topic with a wildcard, one without a name.
            &[0x34, 5, 0, 1, b'a', 0, 1],
            &[0x32, 5, 0, 1, b'a', 0, 0],
            &[0x30, 3, 0, 1, b'#'],
            &[0x30, 2, 0, 0],
            // Longer than what is in them.
            &[0xd0, 1, 0],
            &[0x20, 1, 0],
            &[0x40, 1, 0],
        ] {
            let frame = frame(packet).unwrap().unwrap();
            assert!(frame.read(version).is_err(), "{version:?} {packet:?}");
        }
    }
}
