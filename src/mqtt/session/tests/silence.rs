use std::collections::BTreeSet;

use super::world::World;
use super::{at_least_once, at_most_once, config, prompt};
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::message::Qos;
use crate::mqtt::{Disconnection, Event, Options, Subscription, Version};
use crate::outcome::Delivery;

#[test]
fn a_quiet_connection_is_kept_alive_before_its_time_is_over() {
    let mut world = World::online(config(Version::V3), prompt());
    world.pass(44_999);
    assert!(!world.broker.log.contains(&"ping".to_owned()));
    world.pass(1);
    assert_eq!(world.broker.log.last().unwrap(), "ping");
    world.pass(600_000);
    assert!(world.session.connection().is_some());
    assert_eq!(world.broker.connection, 1);
}

#[test]
fn a_broker_that_does_not_answer_a_ping_is_given_up_and_the_error_says_so() {
    let mut world = World::online(config(Version::V3), prompt());
    world.is_half_open = true;
    world.pass(45_000 + 4999);
    assert!(world.session.connection().is_some());
    world.pass(1);
    assert_eq!(world.last_cause(), Some(Cause::Transport(TransportErrorKind::KeepAliveTimeout)));
}

#[test]
fn who_only_sends_at_most_once_learns_as_well_that_nobody_hears() {
    let mut world = World::online(config(Version::V3), prompt());
    world.is_half_open = true;
    for _ in 0..60 {
        world.publish(at_most_once("t", "1"));
        world.pass(1000);
        if !world.disconnections().is_empty() {
            return assert_eq!(world.last_cause(), Some(Cause::Transport(TransportErrorKind::KeepAliveTimeout)));
        }
    }
    panic!("a minute of silence");
}

#[test]
fn a_missing_acknowledgement_ends_the_connection_and_the_message_goes_again() {
    let mut world = World::online(config(Version::V3), prompt());
    world.is_half_open = true;
    world.publish(at_least_once("t", "1"));
    world.pass(4999);
    assert!(world.session.connection().is_some());
    world.pass(1);
    assert_eq!(world.last_cause(), Some(Cause::Transport(TransportErrorKind::AnswerTimeout)));
    world.is_half_open = false;
    world.pass(2000);
    assert_eq!(world.published(), [(1, 2)]);
}

#[test]
fn bytes_of_any_kind_are_a_sign_of_life() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "1"));
    for _ in 0..10 {
        world.pass(4000);
        world.hear(&[0x30, 3, 0, 1, b'x']);
    }
    assert!(world.session.connection().is_some());
}

#[test]
fn a_message_that_the_broker_has_dropped_is_sent_again_though_others_are_acknowledged() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "dropped"));
    world.broker.holds_acks = false;
    for _ in 0..70 {
        world.publish(at_least_once("t", "others"));
        world.pass(1000);
    }
    let again = world.broker.arrivals.iter().filter(|arrival| arrival.payload == "dropped").count();
    assert_eq!((again, world.session.outstanding()), (2, 0));
    assert_eq!(world.last_cause(), Some(Cause::Transport(TransportErrorKind::AnswerTimeout)));
}

#[test]
fn a_wire_that_is_slow_and_goes_on_is_not_given_up() {
    let mut world = World::online(config(Version::V3), prompt());
    world.wire_takes = Some(0);
    world.publish(at_least_once("t", "x".repeat(10_000)));
    for _ in 0..20 {
        world.wire_takes = Some(490);
        world.pass(4000);
        assert!(world.session.connection().is_some());
    }
    world.wire_takes = None;
    world.settle();
    assert_eq!(world.published(), [(1, 1)]);
}

#[test]
fn patience_doubles_with_each_silence_and_is_as_short_as_ever_after_an_acknowledgement() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_acks = true;
    world.is_half_open = true;
    world.publish(at_least_once("t", "1"));
    for patience_ms in [5000, 10_000, 20_000, 40_000, 80_000, 80_000] {
        let connection = world.broker.connection;
        world.pass(patience_ms - 1);
        assert!(world.session.connection().is_some(), "after {patience_ms}");
        world.pass(1);
        assert!(world.session.connection().is_none(), "after {patience_ms}");
        // Up to the moment of the next connection, and not beyond it.
        world.is_half_open = false;
        while world.broker.connection == connection {
            world.pass(1);
        }
        world.is_half_open = true;
    }
    world.broker.holds_acks = false;
    let ack = world.broker.ack(world.broker.arrivals[0].id.unwrap());
    world.hear(&ack);
    world.is_half_open = true;
    world.publish(at_least_once("t", "2"));
    world.pass(5000);
    assert!(world.session.connection().is_none());
}

#[test]
fn a_broker_that_wants_no_pings_gets_few() {
    let mut world = World::new(config(Version::V5), prompt());
    world.broker.keep_alive_s = Some(0);
    world.connect();
    assert_eq!(world.session.connection().unwrap().keep_alive_s, 0);
    world.pass(100_000);
    assert_eq!(world.broker.log.iter().filter(|entry| *entry == "ping").count(), 2);
    world.is_half_open = true;
    world.pass(60_000);
    assert_eq!(world.last_cause(), Some(Cause::Transport(TransportErrorKind::KeepAliveTimeout)));
}

#[test]
fn who_takes_no_events_is_not_told_that_the_broker_is_silent() {
    let mut world = World::online(config(Version::V3), prompt());
    world.takes_events = false;
    world.broker.holds_acks = true;
    world.publish(at_least_once("t", "1"));
    let message = [&[0x30, 0x83, 0x80, 0x08, 0, 1, b'a'][..], &[b'x'; 128 * 1024]].concat();
    let mut received = 0;
    while world.session.wants_input() {
        world.hear(&message);
        received += 1;
    }
    assert_eq!(received, 8, "a mebibyte is enough");
    world.pass(300_000);
    assert_eq!(world.broker.connection, 1);
    world.takes_events = true;
    world.is_half_open = true;
    world.settle();
    assert!(world.session.wants_input());
    world.pass(5000);
    assert_eq!(world.last_cause(), Some(Cause::Transport(TransportErrorKind::AnswerTimeout)));
}

#[test]
fn an_acknowledgement_that_takes_its_time_costs_neither_the_connection_nor_a_duplicate() {
    for (version, message_timeout_ms) in [(Version::V3, 60_000), (Version::V5, 60_000), (Version::V5, 0)] {
        let mut world = World::online(config(version), Options { message_timeout_ms, ..prompt() });
        world.broker.ack_delay_ms = 7000;
        for payload in 0..50 {
            world.publish(at_least_once("t", payload.to_string()));
        }
        world.pass(30_000);
        assert_eq!(world.published().len(), 50);
        assert!(world.published().iter().all(|(_, attempts)| *attempts == 1));
        assert_eq!((world.broker.connection, world.broker.arrivals.len()), (1, 50));
        assert!(world.broker.log.contains(&"ping".to_owned()), "in doubt it is asked");
    }
}

#[test]
fn a_message_is_sent_once_more_half_way_through_its_time_and_is_unknown_at_its_end() {
    let mut world = World::online(config(Version::V3), Options { message_timeout_ms: 60_000, ..prompt() });
    world.broker.holds_acks = true;
    let id = world.publish(at_least_once("t", "1"));
    world.pass(29_999);
    assert_eq!(world.broker.arrivals.len(), 1);
    world.pass(5000);
    assert_eq!((world.broker.connection, world.broker.arrivals.len()), (2, 2));
    assert!(world.broker.arrivals[1].duplicate);
    // The pause between the connections does not count.
    let pause_ms = world.disconnections()[0].retry_ms.unwrap();
    world.pass(25_000 + pause_ms);
    assert_eq!(world.not_published(), []);
    world.pass(1);
    let [(unknown, error)] = &world.not_published()[..] else { panic!("{:?}", world.events) };
    assert_eq!((*unknown, error.delivery, error.attempts), (id, Delivery::Unknown, 2));
    assert_eq!(error.cause, Cause::Transport(TransportErrorKind::AnswerTimeout));
    assert!(world.session.connection().is_some(), "the connection is there, and stays");
}

#[test]
fn the_time_without_a_connection_is_nobodys_time() {
    let mut world = World::online(config(Version::V3), Options { message_timeout_ms: 30_000, ..prompt() });
    world.broker.holds_acks = true;
    let id = world.publish(at_least_once("t", "1"));
    world.broker.is_up = false;
    world.cut(TransportErrorKind::ConnectionReset);
    world.pass(3_600_000);
    assert_eq!(world.not_published(), []);
    (world.broker.is_up, world.broker.holds_acks) = (true, false);
    world.pass(40_000);
    assert_eq!(world.published(), [(id, 2)]);
}

#[test]
fn a_missing_answer_to_a_ping_of_an_idle_connection_makes_nobody_more_patient() {
    let mut world = World::online(config(Version::V3), prompt());
    world.is_half_open = true;
    world.pass(50_000);
    assert_eq!(world.last_cause(), Some(Cause::Transport(TransportErrorKind::KeepAliveTimeout)));
    world.is_half_open = false;
    world.pass(2000);
    assert_eq!(world.broker.connection, 2);
    world.is_half_open = true;
    world.publish(at_least_once("t", "1"));
    world.pass(4999);
    assert!(world.session.connection().is_some());
    world.pass(1);
    assert!(world.session.connection().is_none());
}

#[test]
fn a_subscription_is_not_waited_for_without_end_though_other_packets_keep_coming() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.holds_subacks = true;
    world.session.subscribe(Subscription::new("a", Qos::AtLeastOnce)).unwrap();
    for _ in 0..30 {
        world.pass(1000);
        world.hear(&[0x30, 3, 0, 1, b'x']);
    }
    assert_eq!(world.broker.log.iter().filter(|entry| *entry == "subscribe a").count(), 2);
}

#[test]
fn the_answer_to_one_subscription_does_not_hide_that_another_one_is_missing() {
    for version in [Version::V3, Version::V5] {
        let mut world = World::online(config(version), prompt());
        // Nine do not fit into one packet. The answer to the second one is lost.
        let mut answers = 0;
        world.broker.loses = Some(Box::new(move |first| {
            answers += u32::from(first == 0x90);
            first == 0x90 && answers == 2
        }));
        for number in 0..9 {
            let filter = number.to_string();
            world.session.subscribe(Subscription::new(filter, Qos::AtLeastOnce)).unwrap();
        }
        world.pass(60_000);
        let granted = world.events.iter().filter(|event| matches!(event, Event::Subscribed { granted: Ok(_), .. }));
        let filters: BTreeSet<_> = granted.map(|event| format!("{event:?}")).collect();
        assert_eq!((filters.len(), world.broker.connection), (9, 2), "{version:?}");
    }
}

#[test]
fn who_is_impatient_with_a_slow_link_becomes_patient_and_does_not_send_for_ever() {
    // The first answer to five large messages takes two and a half seconds, and that to a ping lies behind it.
    let mut world = World::online(config(Version::V5), Options { operation_timeout_ms: 300, ..prompt() });
    world.broker.ack_delay_ms = 2500;
    world.broker.loses = Some(Box::new(|first| first == 0xd0));
    for number in 0..5 {
        world.publish(at_least_once("t", number.to_string()));
    }
    world.pass(600_000);
    // Not within 300, 600, 1200 and 2400 ms.
    assert_eq!(world.published(), [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    assert_eq!(world.broker.arrivals.len(), 25);
    let late = |lost: &&Disconnection| lost.error.cause == Cause::Transport(TransportErrorKind::AnswerTimeout);
    assert_eq!(world.disconnections().into_iter().filter(late).count(), 4);
}

#[test]
fn a_large_message_on_a_slow_link_is_sent_once() {
    // At two KB a second a minute passes before it is there, and the answer to a ping lies behind it.
    for message_timeout_ms in [0, 120_000] {
        let mut world = World::online(config(Version::V5), Options { message_timeout_ms, ..prompt() });
        world.broker.ack_delay_ms = 60_000;
        world.broker.loses = Some(Box::new(|first| first == 0xd0));
        let id = world.publish(at_least_once("t", "x".repeat(120 * 1024)));
        world.pass(61_000);
        assert_eq!(world.published(), [(id, 1)]);
        assert_eq!((world.broker.connection, world.broker.arrivals.len()), (1, 1));
    }
}

#[test]
fn large_messages_have_their_time_one_after_the_other() {
    let mut world = World::online(config(Version::V5), Options { message_timeout_ms: 20_000, ..prompt() });
    world.broker.ack_delay_ms = 4000;
    for _ in 0..12 {
        world.publish(at_least_once("t", "x".repeat(100 * 1024)));
    }
    world.settle();
    assert_eq!(world.broker.arrivals.len(), 1);
    world.pass(12 * 4000 + 1000);
    assert_eq!(world.published().len(), 12);
    assert_eq!((world.broker.connection, world.broker.arrivals.len()), (1, 12));
}

#[test]
fn what_is_sent_again_has_time_to_be_answered() {
    for message_timeout_ms in [12_000, 15_000, 20_000] {
        let mut world = World::online(config(Version::V5), Options { message_timeout_ms, ..prompt() });
        world.broker.holds_acks = true;
        for number in 0..20 {
            world.publish(at_least_once("t", number.to_string()));
        }
        world.pass(10_000);
        world.broker.holds_acks = false;
        world.pass(60_000);
        assert_eq!((world.published().len(), world.not_published()), (20, vec![]), "{message_timeout_ms}");
    }
}
