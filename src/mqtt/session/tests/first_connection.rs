//! The first connection is a connection like any other.

use std::sync::Arc;

use super::world::World;
use super::{ENDPOINT, at_least_once, config, prompt};
use crate::aliyun;
use crate::endpoint::Endpoint;
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::message::Message;
use crate::mqtt::{Config, Options, Session, Step, Version};
use crate::secret::Secret;

fn assert_no_storm(dials: &[u64]) {
    for first in dials {
        let in_a_second = dials.iter().filter(|at_ms| (*first..first + 1000).contains(at_ms)).count();
        assert!(in_a_second <= 2, "{in_a_second} in the second from {first}");
    }
}

#[test]
fn whatever_keeps_it_from_coming_it_is_tried_until_it_comes() {
    for away in [
        TransportErrorKind::NameResolution,
        TransportErrorKind::ConnectionRefused,
        TransportErrorKind::Unreachable,
        TransportErrorKind::ConnectTimeout,
        TransportErrorKind::ConnectionLimit,
        // A certificate that is not valid yet, or has expired; a client certificate that is not registered yet.
        TransportErrorKind::TlsCertificate,
        TransportErrorKind::TlsAlert,
        TransportErrorKind::TlsProtocol,
        TransportErrorKind::ConnectionClosed,
        TransportErrorKind::ConnectionReset,
        TransportErrorKind::Other,
    ] {
        let mut world = World::new(config(Version::V5), prompt());
        (world.broker.is_up, world.away) = (false, away);
        world.session.keep_connecting();
        let id = world.publish(at_least_once("t", "1"));
        world.pass(60_000);
        assert!(world.dials.len() >= 5, "{away:?}: {:?}", world.dials);
        assert_no_storm(&world.dials);
        world.broker.is_up = true;
        world.pass(33_000);
        assert_eq!(world.published(), [(id, 1)], "{away:?}");
    }
}

#[test]
fn what_the_host_denies_is_over_at_once_and_says_so() {
    for away in [TransportErrorKind::Denied, TransportErrorKind::RequestRejected] {
        let mut world = World::new(config(Version::V5), prompt());
        (world.broker.is_up, world.away) = (false, away);
        world.session.keep_connecting();
        world.publish(at_least_once("t", "1"));
        world.pass(600_000);
        assert_eq!(world.dials.len(), 1);
        assert_eq!(world.disconnections()[0].retry_ms, None);
        assert_eq!(world.session.outstanding(), 1, "it is for the holder to say what becomes of it");
        world.broker.is_up = true;
        world.session.keep_connecting();
        world.pass(1000);
        assert_eq!(world.published().len(), 1);
    }
}

#[test]
fn however_often_it_is_asked_for_and_however_short_the_pauses_there_are_two_attempts_in_a_second_at_the_most() {
    let options = Options { reconnect_base_ms: 1, reconnect_max_ms: 1, ..prompt() };
    let mut world = World::new(config(Version::V5), options);
    world.broker.is_up = false;
    for _ in 0..1000 {
        world.session.keep_connecting();
        world.pass(10);
    }
    assert!((19..=21).contains(&world.dials.len()), "{}", world.dials.len());
    assert_no_storm(&world.dials);
}

#[test]
fn a_broker_that_cannot_take_it_now_is_asked_again() {
    let refusals = [
        (Version::V3, 3, Cause::Unavailable),
        (Version::V5, 0x88, Cause::Unavailable),
        (Version::V5, 0x89, Cause::Unavailable),
        (Version::V5, 0x97, Cause::Throttled),
        (Version::V5, 0x9f, Cause::Throttled),
    ];
    for (version, code, cause) in refusals {
        let mut world = World::new(config(version), prompt());
        world.broker.connack = code;
        world.session.keep_connecting();
        let id = world.publish(at_least_once("t", "1"));
        world.pass(10_000);
        assert!(world.disconnections().iter().all(|lost| lost.error.cause == cause && lost.retry_ms.is_some()));
        assert_no_storm(&world.dials);
        world.broker.connack = 0;
        world.pass(33_000);
        assert_eq!(world.published(), [(id, 1)], "{code:#x}");
    }
}

#[test]
fn a_broker_that_ends_the_connection_for_now_is_connected_to_again() {
    for code in [0x88, 0x89, 0x8b, 0x96, 0x97, 0x98, 0x9f, 0xa0] {
        let mut world = World::online(config(Version::V5), prompt());
        world.hear(&[0xe0, 1, code]);
        world.pass(2000);
        assert_eq!(world.broker.connection, 2, "{code:#x}");
    }
}

#[test]
fn a_broker_that_counts_connections_is_not_asked_for_one_too_many() {
    let endpoint = Endpoint::new(ENDPOINT, 443).unwrap();
    let device = aliyun::Device::new(endpoint, "pk", "device", None).unwrap();
    let signer = aliyun::Signer::Secret(Secret::new("secret"));
    let sign_method = aliyun::SignMethod::HmacSha1;
    let auth_method = aliyun::mqtt::AuthMethod::Signature { signer, sign_method, timestamp_ms: None };
    let broker = aliyun::mqtt::BrokerConfig::new(device, auth_method).unwrap();
    let config = Config { broker: Arc::new(broker), ..config(Version::V3) };
    let mut world = World::new(config, Options { reconnect_max_ms: 4000, ..prompt() });
    world.broker.connack = 3;
    world.session.keep_connecting();
    world.pass(600_000);
    let dials = &world.dials;
    for first in dials {
        let in_a_minute = dials.iter().filter(|at_ms| (*first..first + 60_000).contains(at_ms)).count();
        assert!(in_a_minute <= 5, "{in_a_minute} in the minute from {first}");
    }
    assert!(dials.len() >= 45, "{}", dials.len());
    // One that does not come to the broker is not counted by it.
    world.broker.is_up = false;
    world.dials.clear();
    world.pass(600_000);
    assert!(world.dials.len() > 100, "{}", world.dials.len());
}

#[test]
fn aws_counts_with_20_minutes_where_more_is_asked_for_so_it_is_pinged_before() {
    for (version, keep_alive_s, in_force_s) in
        [(Version::V3, 3600, 1200), (Version::V5, 65_535, 1200), (Version::V3, 900, 900)]
    {
        let mut world = World::online(Config { keep_alive_s, ..config(version) }, prompt());
        assert_eq!(world.session.connection().unwrap().keep_alive_s, in_force_s);
        world.pass(u64::from(in_force_s) * 1000);
        assert!(world.broker.log.contains(&"ping".to_owned()), "{:?}", world.broker.log);
    }
    // What the broker says is the less, or the more.
    let mut world = World::new(config(Version::V5), prompt());
    world.broker.keep_alive_s = Some(1000);
    world.connect();
    assert_eq!(world.session.connection().unwrap().keep_alive_s, 1000);
}

#[test]
fn a_session_that_was_to_be_new_and_is_not_is_closed() {
    for version in [Version::V3, Version::V5] {
        let mut world = World::new(config(version), prompt());
        world.broker.session_present = true;
        world.session.keep_connecting();
        world.settle();
        assert_eq!(world.last_cause(), Some(Cause::MalformedAnswer));
        assert!(world.session.connection().is_none());
        world.broker.session_present = false;
        world.pass(2000);
        assert!(world.session.connection().is_some());
    }
}

#[test]
fn a_session_begins_anew_when_that_is_asked_for_and_goes_on_after_a_loss() {
    for version in [Version::V3, Version::V5] {
        let kept = Config { session_expiry_s: 3600, ..config(version) };
        for (clean_start, expected) in [(None, ["false", "false"]), (Some(true), ["true", "false"])] {
            let mut world = World::online(Config { clean_start, ..kept.clone() }, prompt());
            world.cut(TransportErrorKind::ConnectionReset);
            world.pass(2000);
            assert_eq!(world.broker.log, expected.map(|clean| format!("connect clean={clean} keep-alive=60")));
        }
        let mut world = World::new(Config { clean_start: Some(false), ..config(version) }, prompt());
        world.broker.session_present = true;
        world.connect();
        assert_eq!(world.broker.log, ["connect clean=false keep-alive=60"]);
    }
}

#[test]
fn a_will_delay_is_for_mqtt_5() {
    let opens = |version| {
        let will = Some(at_least_once("gone", "x"));
        let config = Config { will, will_delay_s: Some(30), ..config(version) };
        Session::open(0, config, prompt(), vec![], 1).map(drop).map_err(|problem| problem.text())
    };
    assert_eq!(opens(Version::V5), Ok(()));
    assert!(opens(Version::V3).unwrap_err().contains("will delay"));
}

#[test]
fn a_broker_that_answers_as_mqtt_3_does_is_named_as_one() {
    for code in [0, 1, 0x84, 6] {
        let mut world = World::new(config(Version::V5), prompt());
        world.broker.is_mute = true;
        world.session.connect_once();
        world.settle();
        world.hear(&[0x20, 2, 0, code]);
        let refused = world.session.poll_attempt().unwrap().unwrap_err();
        assert_eq!(refused.error.cause, Cause::Unsupported, "{code}");
        let text = &refused.explanation;
        assert!(text.contains("answers as MQTT 3.1.1 does") && text.contains("use MQTT 3.1.1"), "{text}");
    }
}

#[test]
fn time_that_runs_backwards_stops_nothing() {
    let mut session = Session::open(1_000_000, config(Version::V3), prompt(), vec![], 1).unwrap();
    session.keep_connecting();
    assert!(matches!(session.poll(1_000_000), Step::Dial { .. }));
    session.handle_transport_error(1_000_000, TransportErrorKind::ConnectionRefused.into());
    session.publish(0, Message::new("t", *b"x", crate::message::Qos::AtLeastOnce)).unwrap();
    assert_eq!(session.poll(0), Step::Close);
    assert!(matches!(session.poll(0), Step::Wait(Some(_))));
    assert!(matches!(session.poll(u64::MAX - 1), Step::Dial { .. }));
}

#[test]
fn a_device_that_is_registered_just_in_time_is_back_seconds_after_that() {
    for (version, takes_ms) in [Version::V3, Version::V5].into_iter().flat_map(|version| {
        [1, 3_000, 7_000, 12_000, 18_000, 24_000, 26_000, 30_000].map(|takes_ms| (version, takes_ms))
    }) {
        let mut world = World::new(config(version), prompt());
        world.broker.registered_ms = world.now_ms + takes_ms;
        let begin_ms = world.now_ms;
        world.session.keep_connecting();
        let id = world.publish(at_least_once("t", "1"));
        world.pass(takes_ms + 4000);
        assert_eq!(world.published(), [(id, 1)], "{takes_ms}: {:?}", world.dials);
        assert_no_storm(&world.dials);
        // AWS takes one connection of a client id in a second.
        let in_half_a_minute = world.dials.iter().filter(|at_ms| **at_ms < begin_ms + 30_000).count();
        assert!(in_half_a_minute <= 15, "{:?}", world.dials);
    }
}

#[test]
fn a_device_that_stays_unknown_comes_ever_more_rarely() {
    let mut world = World::new(config(Version::V5), prompt());
    world.broker.registered_ms = u64::MAX;
    world.session.keep_connecting();
    world.pass(600_000);
    let late: Vec<u64> = world.dials.iter().copied().filter(|at_ms| *at_ms >= 1_120_000).collect();
    assert!(late.windows(2).all(|pair| pair[1] - pair[0] >= 16_000), "{late:?}");
    // One that was known is not a first contact.
    let mut world = World::online(config(Version::V5), prompt());
    world.broker.registered_ms = u64::MAX;
    world.dials.clear();
    world.cut(TransportErrorKind::ConnectionClosed);
    world.pass(60_000);
    assert!(world.dials.len() <= 7, "{:?}", world.dials);
}
