use super::world::World;
use super::{config, prompt};
use crate::http::TransportErrorKind;
use crate::message::{PayloadFormat, Qos};
use crate::mqtt::{Event, Incoming, Version};

fn messages(world: &mut World) -> Vec<Incoming> {
    world.events.drain(..).filter_map(|event| if let Event::Message(it) = event { Some(it) } else { None }).collect()
}

#[test]
fn a_message_is_acknowledged_when_whoever_took_it_says_so_and_not_before() {
    let mut world = World::online(config(Version::V3), prompt());
    (world.takes_events, world.acknowledges) = (false, true);
    world.hear(&[0x32, 8, 0, 1, b'a', 0, 9, b'x', b'y', b'z']);
    assert!(world.broker.acknowledged.is_empty());
    (world.takes_events, world.acknowledges) = (true, false);
    world.settle();
    assert!(world.broker.acknowledged.is_empty());
    world.session.acknowledge();
    world.settle();
    assert_eq!(world.broker.acknowledged, [9]);
    let [message] = &messages(&mut world)[..] else { panic!() };
    assert_eq!((message.topic.as_str(), &message.payload[..], message.qos), ("a", &b"xyz"[..], Qos::AtLeastOnce));
}

#[test]
fn a_message_is_not_acknowledged_over_another_connection() {
    let mut world = World::online(config(Version::V3), prompt());
    world.takes_events = false;
    world.hear(&[0x32, 5, 0, 1, b'a', 0, 9]);
    world.cut(TransportErrorKind::ConnectionClosed);
    world.pass(2000);
    world.takes_events = true;
    world.settle();
    assert_eq!(messages(&mut world).len(), 1);
    assert!(world.broker.acknowledged.is_empty());
}

#[test]
fn packets_may_come_in_any_pieces() {
    let bytes = [&[0x3b, 5, 0, 1, b'a', 0, 9][..], &[0x30, 4, 0, 1, b'b', b'1'], &[0x31, 3, 0, 1, b'c']].concat();
    for size in 1..bytes.len() {
        let mut world = World::online(config(Version::V3), prompt());
        for piece in bytes.chunks(size) {
            world.hear(piece);
        }
        let messages = messages(&mut world);
        let topics: Vec<_> = messages.iter().map(|it| (it.topic.as_str(), it.duplicate, it.retain)).collect();
        assert_eq!(topics, [("a", true, true), ("b", false, false), ("c", false, true)], "{size} bytes at a time");
    }
}

#[test]
fn mqtt_5_brings_properties_along() {
    let properties = [
        &[0x01, 1][..],
        &[0x02, 0, 0, 0, 60],
        &[0x03, 0, 1, b'j'],
        &[0x08, 0, 1, b'r'],
        &[0x09, 0, 2, 0, 255],
        &[0x26, 0, 1, b'k', 0, 1, b'v'],
    ]
    .concat();
    let mut packet = vec![0x30, (5 + properties.len()) as u8, 0, 1, b'a', properties.len() as u8];
    packet.extend(properties);
    // Calls itself text and is not: that is for the receiver to judge.
    packet.push(0xff);
    let mut world = World::online(config(Version::V5), prompt());
    world.hear(&packet);
    let [message] = &messages(&mut world)[..] else { panic!("{:?}", world.events) };
    assert_eq!(message.payload[..], [0xff]);
    let properties = message.properties.as_ref().unwrap();
    assert_eq!(properties.payload_format, Some(PayloadFormat::Utf8Data));
    assert_eq!(properties.message_expiry_s, Some(60));
    assert_eq!(properties.content_type.as_deref(), Some("j"));
    assert_eq!(properties.response_topic.as_deref(), Some("r"));
    assert_eq!(properties.correlation_data.as_deref(), Some(&[0, 255][..]));
    assert_eq!(properties.user_properties, [("k".to_owned(), "v".to_owned())]);
}

#[test]
fn a_goodbye_waits_until_the_broker_has_read_what_was_acknowledged() {
    let mut world = World::online(config(Version::V3), prompt());
    world.hear(&[0x32, 5, 0, 1, b'a', 0, 9]);
    assert_eq!(world.broker.acknowledged, [9]);
    world.session.disconnect(world.now_ms);
    assert!(world.session.is_leaving());
    world.settle();
    assert!(!world.session.is_leaving());
    assert_eq!(world.broker.log[1..], ["ping", "disconnect"]);
}

#[test]
fn a_goodbye_to_a_broker_that_reads_nothing_ends_with_its_time() {
    let mut world = World::online(config(Version::V3), prompt());
    world.hear(&[0x32, 5, 0, 1, b'a', 0, 9]);
    world.is_half_open = true;
    world.session.disconnect(world.now_ms);
    world.pass(4999);
    assert!(world.session.is_leaving());
    world.pass(1);
    assert!(!world.session.is_leaving(), "the goodbye itself was taken at once");
    assert_eq!(world.disconnections().len(), 0);
}

#[test]
fn a_broker_that_has_answered_since_is_not_asked_before_a_goodbye() {
    let mut world = World::online(config(Version::V3), prompt());
    world.hear(&[0x32, 5, 0, 1, b'a', 0, 9]);
    world.pass(50_000);
    world.session.disconnect(world.now_ms);
    world.settle();
    assert_eq!(world.broker.log[1..], ["ping", "disconnect"]);
}

#[test]
fn what_belongs_to_messages_counts_against_what_is_held_for_whoever_takes_no_events() {
    let mut world = World::online(config(Version::V5), prompt());
    world.takes_events = false;
    // A payload of one byte, and a user property of 60,000.
    let property = [&[0x26, 0, 1, b'n', 0xea, 0x60][..], &[b'v'; 60_000]].concat();
    let body = [&[0, 1, b'a', 0xe6, 0xd4, 0x03][..], &property, b"x"].concat();
    let message = [&[0x30, 0xed, 0xd4, 0x03][..], &body].concat();
    let mut received = 0;
    while world.session.wants_input() && received < 1000 {
        world.hear(&message);
        received += 1;
    }
    assert_eq!(received, 18, "a mebibyte is enough");
}
