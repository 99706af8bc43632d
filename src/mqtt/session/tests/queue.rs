use super::world::World;
use super::{at_least_once, at_most_once, config, prompt};
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::message::{Message, Properties};
use crate::mqtt::{FullQueue, Options, QueueLimit, Session, Version};
use crate::outcome::Delivery;

fn offline(options: Options) -> World {
    World::new(config(Version::V3), options)
}

#[test]
fn messages_wait_for_a_connection_and_go_in_their_order() {
    let mut world = offline(prompt());
    for payload in ["1", "2", "3"] {
        world.publish(at_least_once("t", payload));
    }
    assert_eq!(world.session.outstanding(), 3);
    world.connect();
    assert_eq!(world.broker.payloads(), ["1", "2", "3"]);
}

#[test]
fn a_full_queue_refuses_the_newest_and_says_so_to_whoever_brings_it() {
    let mut world = offline(Options { queue_limit: QueueLimit::Messages(2), ..prompt() });
    world.publish(at_least_once("t", "1"));
    world.publish(at_least_once("t", "2"));
    let (error, explanation) = world.session.publish(world.now_ms, at_least_once("t", "3")).unwrap_err();
    assert_eq!((error.cause, error.delivery), (Cause::QueueFull, Delivery::NotSent));
    assert!(explanation.contains("queue"), "{explanation}");
    world.connect();
    assert_eq!(world.broker.payloads(), ["1", "2"]);
}

#[test]
fn a_full_queue_drops_the_oldest_and_names_it() {
    let options =
        Options { queue_limit: QueueLimit::Messages(2), full_queue: FullQueue::DropOldest, ..Options::default() };
    let mut world = offline(options);
    let first = world.publish(at_least_once("t", "1"));
    world.publish(at_least_once("t", "2"));
    let third = world.session.publish(world.now_ms, at_least_once("t", "3")).unwrap();
    world.settle();
    let [(dropped, error)] = &world.not_published()[..] else { panic!("{:?}", world.events) };
    assert_eq!((*dropped, error.cause, error.delivery), (first, Cause::QueueFull, Delivery::NotSent));
    assert_eq!(world.session.outstanding(), 2);
    world.connect();
    world.pass(1000);
    assert_eq!(world.broker.payloads(), ["2", "3"]);
    assert_eq!(world.published().last(), Some(&(third, 1)));
}

#[test]
fn what_was_sent_before_is_never_dropped() {
    let options = Options { queue_limit: QueueLimit::Messages(2), full_queue: FullQueue::DropOldest, ..prompt() };
    let mut world = World::online(config(Version::V3), options);
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "1"));
    world.publish(at_least_once("t", "2"));
    world.broker.is_up = false;
    world.cut(TransportErrorKind::ConnectionClosed);
    let (error, _) = world.session.publish(world.now_ms, at_least_once("t", "3")).unwrap_err();
    assert_eq!(error.cause, Cause::QueueFull);
    assert_eq!(world.not_published(), []);
}

#[test]
fn without_a_queue_a_message_needs_a_connection() {
    let mut world = offline(Options { queue_limit: QueueLimit::Off, ..prompt() });
    let (error, _) = world.session.publish(world.now_ms, at_least_once("t", "1")).unwrap_err();
    assert_eq!((error.cause, error.delivery), (Cause::NotConnected, Delivery::NotSent));
    world.connect();
    for payload in 0..50 {
        world.publish(at_least_once("t", payload.to_string()));
    }
    assert_eq!(world.published().len(), 50);
}

#[test]
fn the_limit_is_for_messages_without_a_connection_and_not_for_a_batch_with_one() {
    let mut world = World::online(config(Version::V3), Options { queue_limit: QueueLimit::Messages(1), ..prompt() });
    for payload in 0..100 {
        world.session.publish(world.now_ms, at_least_once("t", payload.to_string())).unwrap();
    }
    world.settle();
    assert_eq!(world.published().len(), 100);
}

#[test]
fn an_unlimited_queue_ends_at_32_mebibytes() {
    let mut world = offline(Options { queue_limit: QueueLimit::Unlimited, ..prompt() });
    let payload = "x".repeat(128 * 1024);
    let taken =
        (0..1000).take_while(|_| world.session.publish(world.now_ms, at_most_once("t", &payload)).is_ok()).count();
    assert_eq!(taken, 254, "what belongs to a message counts as well");
}

#[test]
fn what_waited_is_sent_at_the_pace_that_was_asked_for() {
    let mut world = offline(Options { drain_per_second: 2, ..Options::default() });
    for payload in ["1", "2", "3", "4"] {
        world.publish(at_least_once("t", payload));
    }
    world.session.keep_connecting();
    world.pass(5000);
    let start_ms = world.broker.connects[0];
    let at_ms: Vec<u64> = world.broker.arrivals.iter().map(|arrival| arrival.at_ms - start_ms).collect();
    assert_eq!(at_ms, [0, 500, 1000, 1500]);
}

#[test]
fn what_was_sent_before_does_not_wait_for_the_pace() {
    let mut world = World::online(config(Version::V3), Options { drain_per_second: 1, ..Options::default() });
    world.broker.holds_acks = true;
    for payload in ["1", "2", "3"] {
        world.publish(at_least_once("t", payload));
    }
    world.cut(TransportErrorKind::Other);
    world.broker.holds_acks = false;
    world.publish(at_least_once("t", "4"));
    world.publish(at_least_once("t", "5"));
    world.broker.arrivals.clear();
    world.pass(1100);
    let start_ms = world.broker.connects[1];
    let at_ms: Vec<u64> = world.broker.arrivals.iter().map(|arrival| arrival.at_ms - start_ms).collect();
    assert_eq!(at_ms[..4], [0, 0, 0, 0]);
}

#[test]
fn messages_that_were_dropped_do_not_hold_up_the_pace_for_ever() {
    let options = Options {
        queue_limit: QueueLimit::Messages(3),
        full_queue: FullQueue::DropOldest,
        drain_per_second: 1,
        ..Options::default()
    };
    let mut world = offline(options);
    for payload in ["1", "2", "3"] {
        world.publish(at_least_once("t", payload));
    }
    world.session.keep_connecting();
    world.settle();
    // One is sent, two wait for their turn, and go for newer ones.
    for payload in ["4", "5", "6"] {
        world.publish(at_least_once("t", payload));
    }
    world.pass(10_000);
    assert_eq!(world.broker.payloads(), ["1", "4", "5", "6"]);
    world.events.clear();
    for payload in 0..50 {
        world.publish(at_least_once("t", payload.to_string()));
    }
    assert_eq!(world.published().len(), 50, "the queue is for those without a connection again");
}

#[test]
fn draining_ends_though_messages_come_faster_than_it_goes() {
    let mut world = offline(Options { drain_per_second: 2, ..Options::default() });
    for payload in 0..20 {
        world.publish(at_least_once("t", payload.to_string()));
    }
    world.session.keep_connecting();
    for payload in 20..120 {
        world.publish(at_least_once("t", payload.to_string()));
        world.pass(200);
    }
    assert_eq!(world.session.outstanding(), 0);
    let numbers: Vec<u32> = world.broker.payloads().iter().map(|payload| payload.parse().unwrap()).collect();
    assert_eq!(numbers, (0..120).collect::<Vec<_>>());
}

#[test]
fn bounds_that_cannot_work_are_refused_by_name() {
    let refused =
        |options: Options| Session::open(0, config(Version::V3), options, vec![], 1).err().map(|it| it.text());
    assert_eq!(refused(Options::default()), None);
    let zero = refused(Options { operation_timeout_ms: 0, ..Options::default() });
    assert_eq!(zero.as_deref(), Some("the operation timeout is 0"));
    let crossed = refused(Options { reconnect_base_ms: 2000, reconnect_max_ms: 1000, ..Options::default() });
    assert_eq!(crossed.as_deref(), Some("the reconnect base is more than the reconnect maximum"));
    let many = refused(Options { max_in_flight: 1001, ..Options::default() });
    assert_eq!(many.as_deref(), Some("the number of messages in flight is more than 1000"));
}

#[test]
fn small_messages_count_with_all_that_belongs_to_them() {
    let mut world = offline(Options { queue_limit: QueueLimit::Unlimited, ..prompt() });
    let taken =
        (0..1_000_000).take_while(|_| world.session.publish(world.now_ms, at_most_once("t", "")).is_ok()).count();
    assert!((50_000..150_000).contains(&taken), "{taken}");
}

#[test]
fn a_large_message_drops_as_many_small_ones_as_it_needs_and_names_them_all() {
    let options = Options { queue_limit: QueueLimit::Unlimited, full_queue: FullQueue::DropOldest, ..prompt() };
    let mut world = offline(options);
    for _ in 0..2 {
        world.session.publish(world.now_ms, at_most_once("t", "x".repeat(1000))).unwrap();
    }
    let large = "x".repeat(128 * 1024);
    let mut dropped = Vec::new();
    for _ in 0..300 {
        world.session.publish(world.now_ms, at_most_once("t", &large)).unwrap();
        world.settle();
        dropped.extend(world.not_published().iter().map(|(id, _)| *id));
        world.events.clear();
    }
    assert_eq!(dropped, (1..=dropped.len() as u64).collect::<Vec<_>>());
    assert_eq!(world.session.outstanding() + dropped.len(), 302);
    assert_eq!(world.session.outstanding(), 254);
}

#[test]
fn without_a_queue_a_message_is_taken_while_others_are_drained() {
    let mut world = offline(Options { queue_limit: QueueLimit::Messages(5), drain_per_second: 1, ..prompt() });
    world.publish(at_least_once("t", "1"));
    world.publish(at_least_once("t", "2"));
    let unfinished = world.session.unfinished(world.now_ms);
    let options = Options { queue_limit: QueueLimit::Off, drain_per_second: 1, ..Options::default() };
    let mut next = World::restored(config(Version::V3), options, unfinished);
    next.session.keep_connecting();
    next.settle();
    next.publish(at_least_once("t", "3"));
    next.pass(5000);
    assert_eq!(next.broker.payloads(), ["1", "2", "3"]);
}

#[test]
fn who_takes_no_events_can_publish_no_more_at_some_time() {
    let mut world = World::online(config(Version::V3), prompt());
    world.takes_events = false;
    let mut taken = 0;
    loop {
        match world.session.publish(world.now_ms, at_most_once("t", "")) {
            Ok(_) => taken += 1,
            Err((error, _)) => {
                assert_eq!(error.cause, Cause::QueueFull);
                break;
            }
        }
        world.settle();
    }
    assert_eq!(taken, 64 * 1024);
    world.takes_events = true;
    world.settle();
    world.publish(at_most_once("t", ""));
}

#[test]
fn a_rate_is_kept_though_it_does_not_divide_a_second_evenly() {
    let mut world = offline(Options { drain_per_second: 600, queue_limit: QueueLimit::Unlimited, ..prompt() });
    for _ in 0..1000 {
        world.session.publish(world.now_ms, at_most_once("t", "")).unwrap();
    }
    world.session.keep_connecting();
    world.pass(1000);
    assert!((600..=601).contains(&world.broker.arrivals.len()), "{}", world.broker.arrivals.len());
}

#[test]
fn the_pace_ends_with_what_waited_though_one_message_has_cost_many_their_place() {
    let options = Options {
        queue_limit: QueueLimit::Messages(1000),
        full_queue: FullQueue::DropOldest,
        drain_per_second: 10,
        ..Options::default()
    };
    let mut world = offline(options);
    for _ in 0..1000 {
        world.session.publish(world.now_ms, at_most_once("t", "small")).unwrap();
    }
    world.session.keep_connecting();
    world.settle();
    // One is sent; the others go for larger ones, of which there are fewer at a time than there were of them.
    let large = "x".repeat(128 * 1024);
    for _ in 0..257 {
        world.session.publish(world.now_ms, at_most_once("t", &large)).unwrap();
    }
    world.pass(60_000);
    assert_eq!(world.session.outstanding(), 0);
    world.events.clear();
    // It is steady again, so there is no limit to a batch.
    for _ in 0..1500 {
        world.session.publish(world.now_ms, at_most_once("t", "small")).unwrap();
    }
    world.settle();
    assert_eq!((world.published().len(), world.not_published().len()), (1500, 0));
}

#[test]
fn what_is_left_of_a_backlog_that_was_refused_or_has_expired_does_not_slow_down_what_comes_later() {
    let options = Options { queue_limit: QueueLimit::Messages(50), drain_per_second: 5, ..Options::default() };
    for waits in ["refused for now", "expired", "both"] {
        let mut world = World::online(config(Version::V5), options.clone());
        world.broker.verdict = Some(Box::new(|_, payload| if payload.starts_with("refused") { 0x97 } else { 0 }));
        if waits != "expired" {
            // So few that the broker is sent no less.
            for number in 0..400 {
                world.publish(at_least_once("t", number.to_string()));
            }
            for number in 0..20 {
                world.publish(at_least_once("t", format!("refused {number}")));
            }
        }
        world.broker.is_up = false;
        world.cut(TransportErrorKind::ConnectionReset);
        world.publish(at_least_once("t", "goes"));
        if waits != "refused for now" {
            for number in 0..20 {
                let properties = Properties { message_expiry_s: Some(1), ..Properties::default() };
                let message = at_least_once("t", format!("expires {number}"));
                world.publish(Message { properties: Some(properties), ..message });
            }
        }
        world.pass(5000);
        (world.broker.is_up, world.broker.verdict) = (true, None);
        world.pass(40_000);
        world.publish(at_least_once("t", "makes the expired ones go"));
        world.settle();
        world.events.clear();
        for number in 0..100 {
            // None is refused: the queue is for those without a connection.
            world.publish(at_least_once("t", number.to_string()));
        }
        world.settle();
        assert_eq!(world.published().len(), 100, "{waits}: at once");
    }
}

#[test]
fn those_that_expire_while_others_are_drained_are_not_waited_for() {
    let options = Options { queue_limit: QueueLimit::Messages(20), drain_per_second: 1, ..Options::default() };
    let mut world = World::new(config(Version::V5), options);
    world.publish(at_least_once("t", "first"));
    for number in 0..19 {
        let properties = Properties { message_expiry_s: Some(3), ..Properties::default() };
        let message = at_least_once("t", format!("expires {number}"));
        world.publish(Message { properties: Some(properties), ..message });
    }
    world.connect();
    world.pass(1500);
    for number in 0..2 {
        world.publish(at_least_once("t", format!("later {number}")));
    }
    // They are taken out by the first message for which there would be no room.
    world.now_ms += 2000;
    world.events.clear();
    for number in 0..18 {
        world.session.publish(world.now_ms, at_least_once("t", format!("after {number}"))).unwrap();
    }
    world.settle();
    assert_eq!((world.published().len(), world.session.outstanding()), (20, 0), "at once");
}
