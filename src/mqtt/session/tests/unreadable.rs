//! Brokers that are wrong, and what is none.

use super::world::World;
use super::{at_least_once, config, prompt};
use crate::error::Cause;
use crate::mqtt::{Disconnection, Session, Step, Version};

/// A session that has sent its CONNECT.
fn greeting(version: Version) -> Session {
    let mut session = Session::open(0, config(version), prompt(), vec![], 1).unwrap();
    session.connect_once();
    assert!(matches!(session.poll(0), Step::Dial { .. }));
    session.handle_dialed();
    let sent = session.output().len();
    session.handle_written(0, sent);
    session
}

/// What comes of these bytes in place of, or after, a CONNACK, and the last bytes that are sent.
fn upon(version: Version, is_online: bool, bytes: &[u8]) -> (Disconnection, Vec<u8>) {
    if !is_online {
        let mut session = greeting(version);
        session.handle_input(0, bytes);
        let last = session.output().to_vec();
        if !last.is_empty() {
            assert!(matches!(session.poll(0), Step::Wait(Some(_))));
            assert!(!session.has_attempt(), "it is not driven any further when it has");
            session.handle_written(0, last.len());
        }
        assert_eq!(session.poll(0), Step::Close);
        assert!(session.has_attempt());
        return (session.poll_attempt().unwrap().unwrap_err(), last);
    }
    let mut world = World::online(config(version), prompt());
    world.session.handle_input(world.now_ms, bytes);
    let last = world.session.output().to_vec();
    world.settle();
    (world.disconnections()[0].clone(), last)
}

#[test]
fn a_broker_that_breaks_a_rule_is_told_so_and_not_taken_for_something_else() {
    let (greeting, online) = (false, true);
    for (when, bytes, named) in [
        (online, &[0xf0, 0][..], "AUTH: "),
        (greeting, &[0xf0, 0], "AUTH: "),
        (greeting, &[0x20, 6, 0, 0, 3, 0x21, 0, 0], "CONNACK: its receive maximum is 0"),
        (greeting, &[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 0], "CONNACK: its maximum packet size is 0"),
        (greeting, &[0x20, 9, 0, 0, 6, 0x21, 0, 9, 0x21, 0, 9], "CONNACK: a property stands in it twice"),
        (greeting, &[0x20, 5, 0, 0, 2, 0x7e, 0], "CONNACK: it has a property"),
        (greeting, &[0x20, 5, 0, 0, 2, 0x01, 0], "CONNACK: it has a property"),
        (greeting, &[0x20, 3, 1, 0, 0], "CONNACK: it goes on with a session"),
        (greeting, &[0xd0, 0], "PINGRESP: it came in place of CONNACK"),
        (online, &[0x50, 2, 0, 1], "PUBREC: it belongs to QoS 2"),
        (online, &[0x20, 3, 0, 0, 0], "CONNACK: a second one"),
        (online, &[0x36, 6, 0, 1, b'a', 0, 1, 0], "PUBLISH: its QoS is 3"),
        (online, &[0x34, 6, 0, 1, b'a', 0, 1, 0], "PUBLISH: its QoS is 2"),
        (online, &[0x30, 7, 0, 1, b'a', 3, 0x23, 0, 1], "PUBLISH: it has a topic alias"),
        (online, &[0x10, 0], "CONNECT: it is not for a client"),
        (online, &[0x90, 1, 0], "SUBACK: it is not laid out"),
        (online, &[0xd0, 1, 0], "PINGRESP: it is not laid out"),
    ] {
        let (lost, last) = upon(Version::V5, when, bytes);
        assert_eq!(lost.error.cause, Cause::MalformedAnswer, "{bytes:?}");
        assert!(lost.explanation.contains(named), "{bytes:?}: {}", lost.explanation);
        for wrong in ["not MQTT", "check the endpoint", "ALPN"] {
            assert!(!lost.explanation.contains(wrong), "{bytes:?}: {}", lost.explanation);
        }
        assert_eq!(last, [0xe0, 1, 0x82], "{bytes:?}");
    }
    let (lost, last) = upon(Version::V5, online, &[0x30, 0xff, 0xff, 0xff, 0xff]);
    assert!(lost.explanation.contains("a length has more than four bytes"), "{}", lost.explanation);
    assert_eq!(last, [0xe0, 1, 0x81]);
}

#[test]
fn a_broker_of_mqtt_3_1_1_is_named_as_well_and_sent_nothing() {
    for (is_online, bytes, named) in [
        (false, &[0x20, 2, 1, 0][..], "CONNACK: it goes on with a session"),
        (false, &[0x20, 2, 2, 0], "CONNACK: it has a flag"),
        (true, &[0x50, 2, 0, 1], "PUBREC: it belongs to QoS 2"),
        (true, &[0xf0, 0], "AUTH: "),
    ] {
        let (lost, last) = upon(Version::V3, is_online, bytes);
        assert!(lost.explanation.contains(named), "{bytes:?}: {}", lost.explanation);
        assert!(last.is_empty(), "a DISCONNECT without a reason would take the will back");
    }
}

#[test]
fn what_no_packet_begins_with_is_still_not_mqtt() {
    for bytes in
        [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"220 mail.example\r\n", b"<html>", &[0x15, 3, 3, 0, 2, 2, 40], &[0xff; 9]]
    {
        for version in [Version::V3, Version::V5] {
            let (lost, last) = upon(version, false, bytes);
            assert!(lost.explanation.contains("it is not MQTT"), "{bytes:?}: {}", lost.explanation);
            assert!(last.is_empty());
        }
    }
}

#[test]
fn a_packet_that_is_too_large_is_named_with_its_size_and_the_broker_is_told() {
    // 1.3 MB.
    let head = [0x30, 0xa0, 0xac, 0x4f];
    for (version, told) in [(Version::V3, &[][..]), (Version::V5, &[0xe0, 1, 0x95])] {
        let (lost, last) = upon(version, true, &head);
        assert_eq!(lost.error.cause, Cause::MalformedAnswer);
        for named in ["a packet of 1300004 bytes came, and at most 1048581 are taken", "made smaller"] {
            assert!(lost.explanation.contains(named), "{}", lost.explanation);
        }
        assert!(!lost.explanation.contains("MQTT") && !lost.explanation.contains("endpoint"), "{}", lost.explanation);
        assert_eq!(last, told);
    }
}

#[test]
fn the_last_word_waits_neither_for_ever_nor_in_the_middle_of_a_message() {
    let mut world = World::online(config(Version::V5), prompt());
    world.wire_takes = Some(0);
    world.hear(&[0xf0, 0]);
    assert_eq!(world.session.output(), [0xe0, 1, 0x82]);
    world.pass(1000);
    assert_ne!(world.session.output(), [0xe0, 1, 0x82]);
    world.wire_takes = None;
    world.pass(2000);
    assert!(world.session.connection().is_some(), "it comes back");

    world.wire_takes = Some(3);
    world.publish(at_least_once("t", "1"));
    world.hear(&[0xf0, 0]);
    assert!(world.session.output().is_empty());
    world.wire_takes = None;
    world.pass(5000);
    assert_eq!(world.broker.payloads(), ["1"]);
}
