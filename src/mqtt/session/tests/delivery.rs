use super::world::World;
use super::{at_least_once, at_most_once, config, prompt};
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::message::{Message, Qos};
use crate::mqtt::{Options, Session, Step, Subscription, Version};
use crate::outcome::{Delivery, Retry};

#[test]
fn a_message_is_accepted_when_it_is_acknowledged_and_not_before() {
    for version in [Version::V3, Version::V5] {
        let mut world = World::online(config(version), prompt());
        world.broker.holds_acks = true;
        let id = world.publish(at_least_once("a/b", "21.5"));
        assert_eq!(world.published(), []);
        assert_eq!(world.session.outstanding(), 1);
        let ack = world.broker.ack(world.broker.arrivals[0].id.unwrap());
        world.hear(&ack);
        assert_eq!(world.published(), [(id, 1)]);
        assert_eq!(world.session.outstanding(), 0);
    }
}

#[test]
fn at_most_once_is_over_when_the_last_byte_is_written() {
    let mut world = World::online(config(Version::V3), prompt());
    world.wire_takes = Some(5);
    let id = world.publish(at_most_once("a/b", "21.5"));
    assert_eq!(world.published(), []);
    world.wire_takes = None;
    world.settle();
    assert_eq!(world.published(), [(id, 1)]);
    assert_eq!(world.broker.payloads(), ["21.5"]);
}

#[test]
fn at_most_once_that_was_written_in_part_is_sent_again_and_arrives_once() {
    let mut world = World::online(config(Version::V3), prompt());
    world.wire_takes = Some(5);
    let id = world.publish(at_most_once("a/b", "21.5"));
    world.cut(TransportErrorKind::ConnectionClosed);
    world.wire_takes = None;
    world.pass(2000);
    assert_eq!(world.published(), [(id, 2)]);
    assert_eq!(world.broker.payloads(), ["21.5"]);
    assert!(!world.broker.arrivals[0].duplicate);
}

#[test]
fn what_is_not_acknowledged_is_sent_again_as_a_duplicate_in_the_old_order_before_anything_newer() {
    for version in [Version::V3, Version::V5] {
        let mut world = World::online(config(version), prompt());
        world.broker.holds_acks = true;
        for payload in ["1", "2", "3"] {
            world.publish(at_least_once("t", payload));
        }
        world.cut(TransportErrorKind::ConnectionClosed);
        world.publish(at_least_once("t", "4"));
        world.broker.holds_acks = false;
        world.pass(2000);
        assert_eq!(world.broker.payloads(), ["1", "2", "3", "1", "2", "3", "4"]);
        let (first, again) = (&world.broker.arrivals[..3], &world.broker.arrivals[3..]);
        assert!(first.iter().all(|arrival| !arrival.duplicate));
        assert!(again[..3].iter().all(|arrival| arrival.duplicate) && !again[3].duplicate);
        assert!(first.iter().zip(again).all(|(before, after)| before.id == after.id), "{:?}", world.broker.arrivals);
        assert_eq!(world.published(), [(1, 2), (2, 2), (3, 2), (4, 1)]);
    }
}

#[test]
fn a_message_each_second_arrives_in_order_though_the_broker_is_away_for_a_minute() {
    for version in [Version::V3, Version::V5] {
        let mut world = World::online(config(version), Options::default());
        for second in 0..180 {
            match second {
                40 => {
                    world.broker.is_up = false;
                    world.cut(TransportErrorKind::ConnectionClosed);
                }
                100 => world.broker.is_up = true,
                // Lost with an acknowledgement under way.
                150 => world.broker.holds_acks = true,
                151 => {
                    world.cut(TransportErrorKind::ConnectionClosed);
                    world.broker.holds_acks = false;
                }
                _ => {}
            }
            world.publish(at_least_once("t", second.to_string()));
            world.pass(1000);
        }
        world.pass(60_000);
        assert_eq!(world.session.outstanding(), 0);
        assert_eq!(world.published().len(), 180);
        let mut firsts: Vec<u32> = Vec::new();
        for arrival in &world.broker.arrivals {
            let number = arrival.payload.parse().unwrap();
            if firsts.contains(&number) {
                assert!(arrival.duplicate, "{arrival:?}");
            } else {
                firsts.push(number);
            }
        }
        assert_eq!(firsts, (0..180).collect::<Vec<_>>());
    }
}

#[test]
fn no_more_messages_are_unacknowledged_than_both_sides_allow() {
    for (ours, theirs, window) in [(3, None, 3), (3, Some(2), 2), (2, Some(100), 2)] {
        let mut world = World::new(config(Version::V5), Options { max_in_flight: ours, ..prompt() });
        world.broker.receive_maximum = theirs;
        world.connect();
        world.broker.holds_acks = true;
        for payload in ["1", "2", "3", "4"] {
            world.publish(at_least_once("t", payload));
        }
        assert_eq!(world.broker.arrivals.len(), window);
        let ack = world.broker.ack(world.broker.arrivals[0].id.unwrap());
        world.hear(&ack);
        assert_eq!(world.broker.arrivals.len(), window + 1);
    }
}

#[test]
fn messages_under_way_have_different_identifiers_though_they_come_around() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "stays"));
    let stays = world.broker.arrivals[0].id.unwrap();
    world.broker.holds_acks = false;
    for _ in 0..70_000 {
        world.session.publish(world.now_ms, at_least_once("t", "goes")).unwrap();
        world.settle();
    }
    assert!(world.broker.arrivals[1..].iter().all(|arrival| arrival.id != Some(stays) && arrival.id != Some(0)));
}

#[test]
fn a_message_upon_which_the_broker_closes_each_time_is_given_up_and_the_others_arrive() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.closes_upon = Some("forbidden".into());
    world.publish(at_least_once("t", "before"));
    let forbidden = world.session.publish(world.now_ms, at_least_once("forbidden", "x")).unwrap();
    for payload in ["1", "2", "3"] {
        world.session.publish(world.now_ms, at_least_once("t", payload)).unwrap();
    }
    world.pass(120_000);
    let [(id, error)] = &world.not_published()[..] else { panic!("{:?}", world.events) };
    // Once with others behind it, which proves nothing, and four times alone.
    assert_eq!((*id, error.delivery, error.attempts), (forbidden, Delivery::Unknown, 5));
    assert_eq!(error.cause, Cause::Transport(TransportErrorKind::ConnectionClosed));
    assert_eq!(world.broker.payloads(), ["before", "1", "2", "3"]);
    // Once behind the forbidden one, and once after it: not each time for its sake.
    assert_eq!(world.published(), [(1, 1), (3, 2), (4, 2), (5, 2)]);
    assert_eq!(world.broker.connection, 6);
}

#[test]
fn after_the_first_acknowledgement_nobody_is_suspected_any_more() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    for payload in ["1", "2", "3"] {
        world.publish(at_least_once("t", payload));
    }
    world.cut(TransportErrorKind::ConnectionClosed);
    world.pass(2000);
    assert_eq!(world.broker.arrivals.len(), 4, "the first one goes alone");
    let ack = world.broker.ack(world.broker.arrivals[0].id.unwrap());
    world.hear(&ack);
    assert_eq!(world.broker.arrivals.len(), 6);
}

#[test]
fn no_more_is_encoded_than_a_connection_can_be_expected_to_take() {
    let mut world = World::online(config(Version::V3), Options { max_in_flight: 1000, ..prompt() });
    world.wire_takes = Some(0);
    for _ in 0..100 {
        world.publish(Message::new("t", vec![b'x'; 10_000], Qos::AtLeastOnce));
    }
    assert!((64 * 1024..76 * 1024).contains(&world.session.output().len()), "{}", world.session.output().len());
    world.wire_takes = None;
    world.settle();
    assert_eq!(world.published().len(), 100);
}

#[test]
fn losses_that_are_not_the_brokers_doing_are_not_put_down_to_a_message() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "1"));
    for _ in 0..10 {
        world.cut(TransportErrorKind::Other);
        world.pass(40_000);
        assert_eq!(world.not_published(), []);
    }
}

#[test]
fn a_message_that_the_broker_refuses_with_a_reason_is_not_sent_again() {
    let mut world = World::online(config(Version::V5), prompt());
    world.broker.puback = 0x87;
    let id = world.publish(at_least_once("t", "1"));
    let [(refused, error)] = &world.not_published()[..] else { panic!("{:?}", world.events) };
    assert_eq!((*refused, error.cause, error.delivery), (id, Cause::Forbidden, Delivery::Refused));
    let answer = error.answer.as_ref().unwrap();
    assert_eq!((answer.status, answer.code.as_deref()), (0x87, Some("not authorized")));
    world.pass(60_000);
    assert_eq!(world.broker.refusals.len(), 1);
}

#[test]
fn a_message_that_this_broker_cannot_take_is_refused_without_being_sent() {
    let mut world = World::new(config(Version::V5), prompt());
    world.broker.max_packet_bytes = Some(100);
    world.connect();
    let id = world.publish(Message::new("t", [0; 200], Qos::AtLeastOnce));
    let [(refused, error)] = &world.not_published()[..] else { panic!("{:?}", world.events) };
    assert_eq!((*refused, error.cause, error.delivery), (id, Cause::PayloadTooLarge, Delivery::NotSent));
    assert_eq!(world.broker.arrivals, []);
    world.publish(at_least_once("t", "small"));
    assert_eq!(world.broker.payloads(), ["small"]);
}

#[test]
fn a_message_that_no_broker_can_take_is_refused_on_the_spot() {
    let mut world = World::online(config(Version::V3), prompt());
    let (error, explanation) = world.session.publish(world.now_ms, at_least_once("a/#", "1")).unwrap_err();
    assert!(matches!(error.cause, Cause::InvalidTopic(_)) && !explanation.is_empty());
    assert_eq!(world.session.outstanding(), 0);
}

#[test]
fn what_an_earlier_broker_may_have_taken_is_unknown_though_this_one_cannot_take_it() {
    let mut world = World::online(config(Version::V5), prompt());
    world.broker.holds_acks = true;
    let sent = world.publish(at_least_once("t", "1"));
    world.cut(TransportErrorKind::ConnectionClosed);
    let waits = world.session.publish(world.now_ms, at_least_once("t", "2")).unwrap();
    world.broker.takes_at_most_once_only = true;
    world.pass(2000);
    let stands: Vec<_> = world.not_published().iter().map(|(id, error)| (*id, error.delivery)).collect();
    assert_eq!(stands, [(sent, Delivery::Unknown), (waits, Delivery::NotSent)]);
}

#[test]
fn nothing_is_put_down_to_a_message_that_was_not_alone() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.closes_upon = Some("forbidden".into());
    for round in 0..8 {
        world.session.publish(world.now_ms, at_most_once("forbidden", "x")).unwrap();
        if round == 0 {
            world.session.publish(world.now_ms, at_least_once("t", "innocent")).unwrap();
        }
        world.pass(40_000);
    }
    assert_eq!(world.not_published(), []);
    assert_eq!(world.broker.payloads(), ["innocent"]);
}

#[test]
fn a_message_is_blamed_only_for_a_close_that_may_be_its_doing() {
    // Not written in full, or long acknowledged by silence: whatever closed the connection, it was something else.
    for (wire_takes, wait_ms) in [(Some(5), 0), (None, 4900)] {
        let options = Options { max_attempts: 1, operation_timeout_ms: 4000, ..prompt() };
        let mut world = World::online(config(Version::V3), options);
        world.broker.holds_acks = true;
        world.wire_takes = wire_takes;
        world.publish(at_least_once("t", "innocent"));
        // Other things come, so the connection is not dead.
        for _ in 0..wait_ms / 100 {
            world.pass(100);
            world.hear(&[0x30, 3, 0, 1, b'x']);
        }
        world.cut(TransportErrorKind::ConnectionClosed);
        world.wire_takes = None;
        world.settle();
        assert_eq!(world.not_published(), [], "{wire_takes:?} {wait_ms}");
    }
    // The same without an excuse.
    let mut world = World::online(config(Version::V3), Options { max_attempts: 1, ..prompt() });
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "guilty"));
    world.cut(TransportErrorKind::ConnectionClosed);
    world.settle();
    assert_eq!(world.not_published().len(), 1);
}

#[test]
fn a_message_is_not_blamed_for_what_an_at_most_once_message_may_have_done() {
    let options = Options { max_attempts: 1, ..prompt() };
    let mut world = World::online(config(Version::V3), options.clone());
    world.broker.holds_acks = true;
    world.publish(at_most_once("t", "suspect"));
    world.publish(at_least_once("t", "innocent"));
    world.cut(TransportErrorKind::ConnectionClosed);
    world.settle();
    assert_eq!(world.not_published(), []);
    // An acknowledgement clears the suspect.
    let mut world = World::online(config(Version::V3), options);
    world.publish(at_most_once("t", "cleared"));
    world.publish(at_least_once("t", "acknowledged"));
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "guilty"));
    world.cut(TransportErrorKind::ConnectionClosed);
    world.settle();
    assert_eq!(world.not_published().len(), 1);
}

#[test]
fn half_a_packet_of_a_lost_connection_is_no_part_of_the_next() {
    let mut world = World::online(config(Version::V3), prompt());
    world.hear(&[0x30, 10, 0, 1]);
    world.cut(TransportErrorKind::ConnectionClosed);
    world.pass(2000);
    assert!(world.session.connection().is_some(), "{:?}", world.events);
    assert_eq!(world.disconnections().len(), 1);
}

#[test]
fn who_dials_has_a_moment_longer_to_say_why_it_failed() {
    let mut session = Session::open(0, config(Version::V3), prompt(), vec![], 1).unwrap();
    session.connect_once();
    assert!(matches!(session.poll(0), Step::Dial { timeout_ms: 30_000, .. }));
    assert_eq!(session.poll(30_500), Step::Wait(Some(31_000)));
    session.handle_transport_error(30_500, TransportErrorKind::NameResolution.into());
    let error = session.poll_attempt().unwrap().unwrap_err().error;
    assert_eq!(error.cause, Cause::Transport(TransportErrorKind::NameResolution));
}

#[test]
fn errors_that_nobody_cures_by_waiting_say_so() {
    for (failure, retry) in
        [(TransportErrorKind::Denied, Retry::Never), (TransportErrorKind::ConnectionRefused, Retry::AfterMs(0))]
    {
        let mut session = Session::open(0, config(Version::V3), prompt(), vec![], 1).unwrap();
        session.connect_once();
        assert!(matches!(session.poll(0), Step::Dial { .. }));
        session.handle_transport_error(0, failure.into());
        assert_eq!(session.poll_attempt().unwrap().unwrap_err().error.retry, retry);
    }
}

#[test]
fn identifiers_of_subscriptions_are_free_again_after_a_loss() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_subacks = true;
    for _ in 0..70_000 {
        world.session.subscribe(Subscription::new("a", Qos::AtMostOnce)).unwrap();
        world.settle();
        world.cut(TransportErrorKind::Other);
        world.session.keep_connecting();
        world.settle();
        world.events.clear();
    }
    world.broker.holds_subacks = false;
    world.publish(at_least_once("t", "1"));
    world.pass(60_000);
    assert_eq!(world.session.outstanding(), 0);
}
