use super::world::World;
use super::{at_least_once, at_most_once, config, prompt};
use crate::error::Cause;
use crate::http::Failure;
use crate::mqtt::{Options, Session, Unfinished, Version};
use crate::outcome::Delivery;

#[test]
fn what_a_session_leaves_the_next_one_sends_first_under_the_same_numbers() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "sent"));
    world.cut(Failure::ConnectionClosed);
    world.publish(at_most_once("t", "waits"));
    world.session.disconnect(world.now_ms);
    let unfinished = world.session.unfinished();
    assert_eq!(unfinished.iter().map(|it| (it.id, it.attempts)).collect::<Vec<_>>(), [(1, 1), (2, 0)]);
    let packet_id = unfinished[0].packet_id;
    assert_eq!(packet_id, world.broker.arrivals[0].id);

    let mut next = World::restored(config(Version::V3), prompt(), unfinished);
    assert_eq!(next.publish(at_least_once("t", "new")), 3);
    next.session.keep_connecting();
    next.settle();
    assert_eq!(next.broker.payloads(), ["sent", "waits", "new"]);
    let first = &next.broker.arrivals[0];
    assert_eq!((first.duplicate, first.id), (true, packet_id));
    assert_eq!(next.published(), [(2, 1), (1, 2), (3, 1)]);
}

#[test]
fn what_is_under_way_and_what_waits_is_left_in_one_order() {
    let mut world = World::online(config(Version::V3), Options { max_in_flight: 2, ..prompt() });
    world.broker.holds_acks = true;
    world.wire_takes = Some(0);
    for number in 1..=6 {
        let message = if number % 2 == 0 { at_most_once("t", "x") } else { at_least_once("t", "x") };
        assert_eq!(world.publish(message), number);
    }
    let left = |world: &World| world.session.unfinished().iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(left(&world), [1, 2, 3, 4, 5, 6]);
    world.cut(Failure::ConnectionClosed);
    assert_eq!(left(&world), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn whoever_gives_up_learns_where_each_message_stands() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    let sent = world.publish(at_least_once("t", "1"));
    world.session.disconnect(world.now_ms);
    world.settle();
    let waits = world.publish(at_least_once("t", "2"));
    world.session.abandon();
    world.settle();
    let stands: Vec<_> = world.not_published().iter().map(|(id, error)| (*id, error.cause, error.delivery)).collect();
    assert_eq!(stands, [(sent, Cause::Abandoned, Delivery::Unknown), (waits, Cause::Abandoned, Delivery::NotSent)]);
    assert_eq!(world.session.outstanding(), 0);
    assert_eq!(world.session.unfinished(), []);
}

#[test]
fn a_message_that_no_broker_can_take_is_not_taken_from_an_earlier_session_either() {
    let message = at_least_once("a/#", "1");
    let unfinished = vec![Unfinished { id: 1, message, attempts: 0, packet_id: None }];
    assert!(Session::open(config(Version::V3), prompt(), unfinished, 1).is_err());
}
