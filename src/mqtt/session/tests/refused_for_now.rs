use super::world::World;
use super::{at_least_once, config, prompt};
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::mqtt::{Event, Options, Subscription, Version};
use crate::outcome::Delivery;
use crate::{message::Qos, random::SplitMix64};

const SECOND: u32 = 1000;

fn with_timeout(message_timeout_ms: u32) -> Options {
    Options { message_timeout_ms, ..prompt() }
}

/// Takes so many in each second of its clock.
fn quota(per_second: u32) -> impl FnMut(u64, &str) -> u8 {
    let (mut second, mut taken) = (0, 0);
    move |now_ms, _| {
        if now_ms / 1000 != second {
            (second, taken) = (now_ms / 1000, 0);
        }
        taken += 1;
        if taken > per_second { 0x97 } else { 0 }
    }
}

#[test]
fn a_message_that_is_refused_for_now_is_sent_again_as_a_new_one_until_it_is_taken() {
    for code in [0x97, 0x96, 0x80, 0x83, 0x91] {
        let mut world = World::online(config(Version::V5), with_timeout(60 * SECOND));
        let mut left = 3;
        world.broker.verdict = Some(Box::new(move |_, _| {
            left -= 1;
            if left < 0 { 0 } else { code }
        }));
        let id = world.publish(at_least_once("t", "1"));
        world.pass(10_000);
        assert_eq!(world.published(), [(id, 4)], "{code:#x}");
        assert!(!world.broker.arrivals[0].duplicate, "it was answered, so it is no duplicate");
        assert_eq!((world.broker.connection, world.not_published().len()), (1, 0));
    }
}

#[test]
fn its_pauses_grow_to_two_seconds_and_end_with_its_time() {
    let mut world = World::online(config(Version::V5), with_timeout(20 * SECOND));
    world.broker.puback = 0x97;
    let id = world.publish(at_least_once("t", "1"));
    world.pass(19_999);
    assert_eq!(world.not_published(), []);
    world.pass(1);
    let [(refused, error)] = &world.not_published()[..] else { panic!("{:?}", world.events) };
    assert_eq!((*refused, error.cause, error.delivery), (id, Cause::Throttled, Delivery::Refused));
    let times: Vec<u64> = world.broker.refusals.iter().map(|(at_ms, _)| *at_ms).collect();
    let pauses: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses[..6], [200, 400, 800, 1600, 2000, 2000]);
    assert_eq!(times.last().unwrap() - times[0], 20_000, "once more when its time is over");
    assert_eq!(usize::try_from(error.attempts), Ok(times.len()));
}

#[test]
fn what_is_refused_for_good_is_refused_at_once() {
    let mut world = World::online(config(Version::V5), with_timeout(60 * SECOND));
    for code in [0x87, 0x90, 0x99] {
        world.broker.puback = code;
        world.publish(at_least_once("t", "1"));
    }
    assert_eq!(world.not_published().len(), 3);
}

#[test]
fn a_refusal_does_not_hide_that_an_earlier_attempt_may_have_arrived() {
    for code in [0x87, 0x97] {
        let mut world = World::online(config(Version::V5), with_timeout(5 * SECOND));
        world.broker.holds_acks = true;
        world.publish(at_least_once("t", "1"));
        world.cut(TransportErrorKind::ConnectionReset);
        (world.broker.holds_acks, world.broker.puback) = (false, code);
        world.pass(20_000);
        let [(_, error)] = &world.not_published()[..] else { panic!("{:?}", world.events) };
        assert_eq!(error.delivery, Delivery::Unknown, "{code:#x}");
    }
}

#[test]
fn others_pass_it_meanwhile_at_full_speed() {
    let mut world = World::online(config(Version::V5), with_timeout(30 * SECOND));
    world.broker.verdict = Some(Box::new(|_, payload| if payload == "poison" { 0x80 } else { 0 }));
    world.publish(at_least_once("t", "poison"));
    for number in 0..1000 {
        world.publish(at_least_once("t", number.to_string()));
    }
    assert_eq!(world.published().len(), 1000, "at once");
    world.pass(31_000);
    assert_eq!((world.not_published().len(), world.session.outstanding()), (1, 0));
}

#[test]
fn a_quota_sets_the_pace_and_nothing_is_refused_in_the_end() {
    let mut world = World::online(config(Version::V5), with_timeout(60 * SECOND));
    world.broker.verdict = Some(Box::new(quota(100)));
    for number in 0..1000 {
        world.session.publish(world.now_ms, at_least_once("t", number.to_string())).unwrap();
    }
    let start_ms = world.now_ms;
    while world.session.outstanding() > 0 {
        world.pass(100);
        assert!(world.now_ms - start_ms < 60_000, "{} left", world.session.outstanding());
    }
    assert_eq!((world.published().len(), world.not_published().len()), (1000, 0));
    let (took_ms, refused) = (world.now_ms - start_ms, world.broker.refusals.len());
    // The quota alone takes nine seconds.
    assert!(took_ms < 15_000 && refused < 500, "{took_ms} ms, {refused} refusals");
}

#[test]
fn one_refusal_in_ten_slows_nothing_down() {
    let mut world = World::online(config(Version::V5), with_timeout(60 * SECOND));
    let mut random = SplitMix64::new(1);
    world.broker.verdict = Some(Box::new(move |_, _| if random.next().is_multiple_of(10) { 0x83 } else { 0 }));
    world.broker.ack_delay_ms = 10;
    for number in 0..2000 {
        world.session.publish(world.now_ms, at_least_once("t", number.to_string())).unwrap();
    }
    world.pass(10_000);
    assert_eq!((world.published().len(), world.not_published().len()), (2000, 0));
}

#[test]
fn a_broker_that_ends_the_connection_for_its_rate_is_sent_less() {
    for code in [0x96, 0x97] {
        let mut world = World::online(config(Version::V5), prompt());
        world.hear(&[0xe0, 1, code]);
        world.pass(2000);
        assert_eq!(world.broker.connection, 2);
        for number in 0..100 {
            world.publish(at_least_once("t", number.to_string()));
        }
        world.pass(1000);
        assert!(world.broker.arrivals.len() < 10, "{}", world.broker.arrivals.len());
    }
}

#[test]
fn the_pace_that_was_asked_for_is_kept_while_connected_too() {
    let mut world = World::online(config(Version::V3), Options { max_per_second: 10, ..prompt() });
    let start_ms = world.now_ms;
    for number in 0..50 {
        world.publish(at_least_once("t", number.to_string()));
    }
    world.pass(2000);
    // A second lost, and what was not taken goes again: that counts as well.
    world.cut(TransportErrorKind::ConnectionReset);
    world.pass(20_000);
    assert_eq!(world.published().len(), 50);
    let at_ms: Vec<u64> = world.broker.arrivals.iter().map(|arrival| arrival.at_ms - start_ms).collect();
    for first in &at_ms {
        let in_a_second = at_ms.iter().filter(|at_ms| (*first..first + 1000).contains(at_ms)).count();
        assert!(in_a_second <= 10, "{in_a_second} in the second from {first}");
    }
}

#[test]
fn a_subscription_that_is_refused_for_now_is_asked_for_again_and_holds_up_no_message() {
    let mut world = World::online(config(Version::V5), prompt());
    (world.broker.refuses_filter, world.broker.suback) = (Some("a".into()), 0x97);
    world.session.subscribe(Subscription::new("a", Qos::AtLeastOnce)).unwrap();
    world.settle();
    world.publish(at_least_once("t", "1"));
    assert_eq!((world.published().len(), world.events.len()), (1, 1));
    world.broker.refuses_filter = None;
    world.pass(1000);
    assert!(matches!(&world.events[1], Event::Subscribed { granted: Ok(_), .. }), "{:?}", world.events);
}

#[test]
fn a_subscription_that_is_refused_for_long_has_its_answer_and_is_not_asked_for_again() {
    for (options, until_ms) in [(prompt(), 60_000), (with_timeout(10 * SECOND), 10_000)] {
        let mut world = World::online(config(Version::V5), options);
        (world.broker.refuses_filter, world.broker.suback) = (Some("a".into()), 0x97);
        world.session.subscribe(Subscription::new("a", Qos::AtLeastOnce)).unwrap();
        world.pass(until_ms - 1);
        assert_eq!(world.events, []);
        world.pass(1);
        let [Event::Subscribed { granted: Err((error, _)), .. }] = &world.events[..] else { panic!() };
        assert_eq!(error.cause, Cause::Throttled);
        let asked = world.broker.log.len();
        world.pass(10_000);
        assert_eq!(world.broker.log.len(), asked);
    }
}

#[test]
fn what_rests_is_left_to_the_next_session_in_its_place() {
    let mut world = World::online(config(Version::V5), prompt());
    world.broker.verdict = Some(Box::new(|_, payload| if payload == "2" { 0x97 } else { 0 }));
    world.broker.ack_delay_ms = 100;
    for payload in ["1", "2", "3"] {
        world.publish(at_least_once("t", payload));
    }
    world.pass(100);
    world.broker.ack_delay_ms = 60_000;
    world.publish(at_least_once("t", "4"));
    let left = world.session.unfinished(world.now_ms);
    assert_eq!(left.iter().map(|it| (it.id, it.packet_id.is_some())).collect::<Vec<_>>(), [(2, false), (4, true)]);
    assert_eq!(world.session.outstanding(), 2);
    world.session.abandon();
    world.settle();
    let stands: Vec<_> = world.not_published().iter().map(|(id, error)| (*id, error.delivery)).collect();
    assert_eq!(stands, [(4, Delivery::Unknown), (2, Delivery::Refused)]);
}

#[test]
fn its_time_ends_before_that_of_others_that_were_sent_before_it_was_sent_again() {
    let mut world = World::online(config(Version::V5), with_timeout(20 * SECOND));
    world.broker.puback = 0x97;
    let rests = world.publish(at_least_once("t", "rests"));
    world.pass(11_500);
    (world.broker.puback, world.broker.holds_acks) = (0, true);
    world.publish(at_least_once("t", "first in flight"));
    world.pass(8499);
    assert_eq!((world.broker.payloads(), world.not_published()), (vec!["first in flight", "rests"], vec![]));
    world.pass(1);
    let given_up: Vec<u64> = world.not_published().iter().map(|(id, _)| *id).collect();
    assert_eq!(given_up, [rests]);
}
