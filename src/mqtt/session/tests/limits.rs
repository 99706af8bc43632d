//! What a broker says of itself in its CONNACK, and a message that does not fit.

use super::world::World;
use super::{at_least_once, config, prompt};
use crate::error::Cause;
use crate::message::Message;
use crate::mqtt::{Event, Version};
use crate::outcome::Delivery;

/// Why the message is not sent to a broker like this.
fn explanation(message: Message, prepare: impl FnOnce(&mut World), cause: Cause) -> String {
    let mut world = World::new(config(Version::V5), prompt());
    prepare(&mut world);
    world.connect();
    world.publish(message);
    assert_eq!(world.broker.payloads(), [""; 0]);
    let [Event::NotPublished { error, explanation, .. }] = &world.events[..] else { panic!("{:?}", world.events) };
    assert_eq!((error.cause, error.delivery), (cause, Delivery::NotSent));
    explanation.clone()
}

#[test]
fn a_packet_that_is_too_large_for_the_broker_is_told_with_its_size_and_that_limit() {
    let limited = |world: &mut World| world.broker.max_packet_bytes = Some(60);
    let explanation = explanation(at_least_once("t", "x".repeat(200)), limited, Cause::PayloadTooLarge);
    for named in ["the packet has 209 bytes", "this broker takes at most 60", "send less"] {
        assert!(explanation.contains(named), "{explanation}");
    }
    assert!(!explanation.contains("128 KB"), "{explanation}");
}

#[test]
fn a_message_that_the_broker_has_no_way_to_take_is_told_with_what_it_lacks_and_the_way_out() {
    let retained = Message { retain: true, ..at_least_once("t", "1") };
    let without_retain = |world: &mut World| world.broker.retains_nothing = true;
    let at_most_once = |world: &mut World| world.broker.takes_at_most_once_only = true;
    for (explanation, lacks) in [
        (explanation(retained, without_retain, Cause::Unsupported), "it takes no retained messages"),
        (explanation(at_least_once("t", "1"), at_most_once, Cause::Unsupported), "it takes messages at QoS 0 alone"),
    ] {
        for named in ["the broker does not have it", lacks, "without what the broker does not take"] {
            assert!(explanation.contains(named), "{explanation}");
        }
        assert!(!explanation.contains("this way to authenticate"), "{explanation}");
    }
}

#[test]
fn a_broker_that_says_so_only_when_it_is_asked_is_understood_as_well() {
    for (code, way_out) in [(0x9a, "without retain"), (0x9b, "at most once")] {
        let mut world = World::online(config(Version::V5), prompt());
        world.broker.puback = code;
        world.publish(at_least_once("t", "1"));
        let [Event::NotPublished { explanation, .. }] = &world.events[..] else { panic!("{:?}", world.events) };
        assert!(explanation.contains("the broker does not have it") && explanation.contains(way_out), "{explanation}");
    }
}
