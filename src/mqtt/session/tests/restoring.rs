use super::world::World;
use super::{at_least_once, at_most_once, config, prompt};
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::mqtt::{Options, Session, Unfinished, Version};
use crate::outcome::Delivery;

#[test]
fn what_a_session_leaves_the_next_one_sends_first_under_the_same_numbers() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "sent"));
    world.cut(TransportErrorKind::ConnectionClosed);
    world.publish(at_most_once("t", "waits"));
    world.session.disconnect(world.now_ms);
    let unfinished = world.session.unfinished(world.now_ms);
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
    let left = |world: &World| world.session.unfinished(world.now_ms).iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(left(&world), [1, 2, 3, 4, 5, 6]);
    world.cut(TransportErrorKind::ConnectionClosed);
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
    assert_eq!(world.session.unfinished(world.now_ms), []);
}

#[test]
fn a_message_of_an_earlier_session_that_no_broker_can_take_has_its_outcome_and_holds_up_no_other() {
    let left = |id: u64, topic, packet_id| {
        let message = at_least_once(topic, id.to_string());
        Unfinished { id, message, attempts: 1, packet_id, age_ms: None }
    };
    let unfinished = vec![left(1, "a/#", None), left(2, "t", Some(3)), left(3, "b/+", Some(4))];
    let mut world = World::restored(config(Version::V3), prompt(), unfinished);
    world.settle();
    let stands: Vec<_> = world.not_published().iter().map(|(id, error)| (*id, error.delivery)).collect();
    assert_eq!(stands, [(1, Delivery::NotSent), (3, Delivery::Unknown)]);
    assert!(world.not_published().iter().all(|(_, error)| matches!(error.cause, Cause::InvalidTopic(_))));
    assert_eq!(world.publish(at_least_once("t", "4")), 4);
    world.session.keep_connecting();
    world.settle();
    assert_eq!(world.broker.payloads(), ["2", "4"]);
}

#[test]
fn what_is_in_the_output_of_a_connection_may_yet_be_sent() {
    let mut world = World::online(config(Version::V3), prompt());
    world.wire_takes = Some(0);
    let id = world.publish(at_most_once("t", "1"));
    world.session.abandon();
    world.settle();
    let [(abandoned, error)] = &world.not_published()[..] else { panic!("{:?}", world.events) };
    assert_eq!((*abandoned, error.delivery), (id, Delivery::Unknown));
    world.wire_takes = None;
    world.settle();
    assert_eq!(world.broker.payloads(), ["1"]);
    assert_eq!(world.published(), [], "it has its outcome");
}

#[test]
fn the_broker_counts_what_was_given_up_until_it_has_acknowledged_it() {
    let mut world = World::new(config(Version::V5), prompt());
    world.broker.receive_maximum = Some(2);
    world.connect();
    world.broker.holds_acks = true;
    for payload in ["1", "2"] {
        world.publish(at_least_once("t", payload));
    }
    world.session.abandon();
    for payload in ["3", "4"] {
        world.publish(at_least_once("t", payload));
    }
    assert_eq!(world.broker.payloads(), ["1", "2"]);
    let ack = world.broker.ack(world.broker.arrivals[0].id.unwrap());
    world.hear(&ack);
    assert_eq!(world.broker.payloads(), ["1", "2", "3"]);
}

#[test]
fn what_cannot_have_been_left_by_a_session_is_refused() {
    let unfinished =
        |id, packet_id| Unfinished { id, message: at_least_once("t", "1"), attempts: 1, packet_id, age_ms: None };
    let opens = |left: Vec<Unfinished>| Session::open(0, config(Version::V3), prompt(), left, 1).is_ok();
    assert!(opens(vec![unfinished(1, Some(7)), unfinished(2, Some(8)), unfinished(9, None)]));
    assert!(!opens(vec![unfinished(2, None), unfinished(1, None)]), "descending");
    assert!(!opens(vec![unfinished(1, None), unfinished(1, None)]), "twice the same");
    assert!(!opens(vec![unfinished(u64::MAX, None)]), "nothing comes after it");
    assert!(!opens(vec![unfinished(1, Some(7)), unfinished(2, Some(7))]), "the same identifier");
    assert!(!opens(vec![unfinished(1, Some(0))]), "no identifier");
    let many = (1..=1001).map(|id| unfinished(id, Some(id as u16))).collect();
    assert!(!opens(many), "more under way than there can be");
}
