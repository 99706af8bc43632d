use super::world::World;
use super::{at_least_once, config, prompt};
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::message::{Message, Properties, Qos};
use crate::mqtt::{FullQueue, Options, QueueLimit, Session, Step, Unfinished, Version};
use crate::outcome::Delivery;

fn expiring(payload: &str, seconds: u32) -> Message {
    let properties = Properties { message_expiry_s: Some(seconds), ..Properties::default() };
    Message { properties: Some(properties), ..at_least_once("t", payload) }
}

fn expired(world: &World) -> Vec<(u64, Delivery)> {
    let all = world.not_published();
    assert!(all.iter().all(|(_, error)| error.cause == Cause::Expired), "{all:?}");
    all.into_iter().map(|(id, error)| (id, error.delivery)).collect()
}

#[test]
fn the_time_in_the_queue_counts() {
    let mut world = World::new(config(Version::V5), prompt());
    world.publish(expiring("long", 60));
    let short = world.publish(expiring("short", 5));
    world.pass(22_300);
    world.publish(expiring("new", 7));
    world.session.keep_connecting();
    world.settle();
    let left: Vec<_> = world.broker.arrivals.iter().map(|it| (it.payload.as_str(), it.expiry_s)).collect();
    assert_eq!(left, [("long", Some(38)), ("new", Some(7))]);
    assert_eq!(expired(&world), [(short, Delivery::NotSent)]);
    assert_eq!(world.session.outstanding(), 0);
}

#[test]
fn so_does_the_time_between_two_sessions_if_it_is_known() {
    let left = |id, age_ms| Unfinished { id, message: expiring("x", 60), attempts: 0, packet_id: None, age_ms };
    let unfinished = vec![left(1, Some(50_000)), left(2, Some(61_000)), left(3, None)];
    let mut world = World::restored(config(Version::V5), prompt(), unfinished);
    world.session.keep_connecting();
    world.settle();
    let left: Vec<_> = world.broker.arrivals.iter().map(|it| it.expiry_s).collect();
    assert_eq!(left, [Some(10), Some(60)]);
    assert_eq!(expired(&world), [(2, Delivery::NotSent)]);
}

#[test]
fn a_message_may_be_older_than_the_clock() {
    let left = |age_ms| Unfinished { id: 1, message: expiring("x", 60), attempts: 0, packet_id: None, age_ms };
    for (age_ms, left_s) in [(Some(61_000), None), (Some(20_000), Some(40)), (Some(u64::MAX), None)] {
        let mut session = Session::open(5, config(Version::V5), prompt(), vec![left(age_ms)], 1).unwrap();
        assert!(session.unfinished(5)[0].age_ms.unwrap() >= 20_000);
        session.keep_connecting();
        assert!(matches!(session.poll(5), Step::Dial { .. }));
        session.handle_dialed();
        session.handle_written(5, session.output().len());
        session.handle_input(5, &[0x20, 3, 0, 0, 0]);
        session.poll(5);
        // After the topic and the identifier: 5 bytes of properties, of which this is one.
        let expiry = (!session.output().is_empty()).then(|| session.output()[12]);
        assert_eq!(expiry, left_s);
    }
}

#[test]
fn the_age_goes_to_the_next_session() {
    let mut world = World::new(config(Version::V5), prompt());
    world.publish(expiring("x", 60));
    world.pass(22_000);
    assert_eq!(world.session.unfinished(world.now_ms)[0].age_ms, Some(22_000));
}

#[test]
fn what_was_sent_and_has_expired_since_is_not_sent_again_and_may_have_arrived() {
    let mut world = World::online(config(Version::V5), prompt());
    world.broker.holds_acks = true;
    let id = world.publish(expiring("x", 5));
    world.broker.is_up = false;
    world.cut(TransportErrorKind::ConnectionClosed);
    world.pass(30_000);
    world.broker.is_up = true;
    world.pass(40_000);
    assert_eq!(world.broker.arrivals.len(), 1);
    assert_eq!(expired(&world), [(id, Delivery::Unknown)]);
}

#[test]
fn a_message_that_rests_expires_as_well() {
    let mut world = World::online(config(Version::V5), prompt());
    world.broker.puback = 0x97;
    let id = world.publish(expiring("x", 5));
    world.pass(10_000);
    assert_eq!(expired(&world), [(id, Delivery::Refused)]);
    assert!(world.broker.refusals.last().unwrap().0 < world.now_ms - 5000);
}

#[test]
fn nobody_loses_a_place_to_what_has_expired() {
    let options = Options { queue_limit: QueueLimit::Messages(2), full_queue: FullQueue::DropOldest, ..prompt() };
    let mut world = World::new(config(Version::V5), options);
    world.publish(at_least_once("t", "stays"));
    let short = world.publish(expiring("short", 5));
    world.pass(6000);
    world.publish(at_least_once("t", "new"));
    assert_eq!(expired(&world), [(short, Delivery::NotSent)]);
    world.session.keep_connecting();
    world.settle();
    assert_eq!(world.broker.payloads(), ["stays", "new"]);
}

#[test]
fn zero_seconds_are_taken_for_one_as_aws_does() {
    let mut world = World::online(config(Version::V5), prompt());
    world.publish(expiring("x", 0));
    assert_eq!(world.broker.arrivals[0].expiry_s, Some(1));
}

#[test]
fn at_most_once_expires_alike() {
    let mut world = World::new(config(Version::V5), prompt());
    let id = world.publish(Message { qos: Qos::AtMostOnce, ..expiring("x", 5) });
    world.pass(5000);
    world.session.keep_connecting();
    world.settle();
    assert_eq!((expired(&world), world.broker.arrivals.len()), (vec![(id, Delivery::NotSent)], 0));
}
