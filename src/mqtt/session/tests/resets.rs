use super::world::World;
use super::{at_least_once, config, prompt};
use crate::http::TransportErrorKind;
use crate::message::Qos;
use crate::mqtt::{Event, Subscription, Version};
use crate::outcome::Delivery;

#[test]
fn a_reset_is_no_verdict_on_a_message_however_often_it_comes() {
    for version in [Version::V3, Version::V5] {
        let mut world = World::online(config(version), prompt());
        world.broker.ack_delay_ms = 1000;
        let id = world.publish(at_least_once("t", "1"));
        for _ in 0..20 {
            world.pass(200);
            world.cut(TransportErrorKind::ConnectionReset);
            world.session.keep_connecting();
            world.settle();
            assert_eq!(world.not_published(), []);
        }
        world.pass(2000);
        assert_eq!(world.published(), [(id, 21)]);
    }
}

#[test]
fn a_broker_that_closes_upon_a_message_resets_while_others_lie_behind_it_and_is_found_out_all_the_same() {
    let mut world = World::online(config(Version::V3), prompt());
    world.resets_unread = true;
    world.broker.closes_upon = Some("forbidden".into());
    let forbidden = world.session.publish(world.now_ms, at_least_once("forbidden", "x")).unwrap();
    for payload in ["1", "2", "3"] {
        world.session.publish(world.now_ms, at_least_once("t", payload)).unwrap();
    }
    world.pass(120_000);
    let [(id, error)] = &world.not_published()[..] else { panic!("{:?}", world.events) };
    assert_eq!((*id, error.delivery), (forbidden, Delivery::Unknown));
    assert_eq!(world.broker.payloads(), ["1", "2", "3"]);
    assert_eq!(world.broker.connection, 6);
}

#[test]
fn the_same_with_subscriptions() {
    let mut world = World::new(config(Version::V3), prompt());
    world.resets_unread = true;
    world.broker.closes_upon_filter = Some("0".into());
    for number in 0..10 {
        world.session.subscribe(Subscription::new(number.to_string(), Qos::AtLeastOnce)).unwrap();
    }
    world.session.keep_connecting();
    world.pass(300_000);
    let answers: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Subscribed { filter, granted } => Some((filter.as_str(), granted.is_ok())),
            _ => None,
        })
        .collect();
    assert_eq!(answers.iter().filter(|(_, is_granted)| !is_granted).collect::<Vec<_>>(), [&("0", false)]);
    assert_eq!(answers.len(), 10);
}

#[test]
fn a_message_that_never_left_was_not_attempted() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "left"));
    world.wire_takes = Some(0);
    world.publish(at_least_once("t", "encoded"));
    world.cut(TransportErrorKind::ConnectionReset);
    world.wire_takes = None;
    let left = world.session.unfinished(world.now_ms);
    assert_eq!(
        left.iter().map(|it| (it.attempts, it.packet_id.is_some())).collect::<Vec<_>>(),
        [(1, true), (0, false)]
    );
    world.broker.holds_acks = false;
    world.pass(2000);
    assert_eq!(world.published(), [(1, 2), (2, 1)]);
    let duplicates: Vec<bool> = world.broker.arrivals.iter().map(|arrival| arrival.duplicate).collect();
    assert_eq!(duplicates, [false, true, false]);
}
