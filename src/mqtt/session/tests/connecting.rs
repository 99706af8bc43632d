use std::sync::Arc;

use super::world::World;
use super::{at_least_once, config, prompt};
use crate::aliyun;
use crate::error::{Cause, Stage};
use crate::field::Field;
use crate::http::TransportErrorKind;
use crate::message::{Message, Qos};
use crate::mqtt::{Config, Session, Step, Version};

#[test]
fn one_attempt_is_one_and_its_outcome_is_no_event() {
    let mut world = World::new(config(Version::V3), prompt());
    world.broker.is_up = false;
    world.session.connect_once();
    world.pass(120_000);
    let error = world.session.poll_attempt().unwrap().unwrap_err();
    assert_eq!(error.error.cause, Cause::Transport(TransportErrorKind::ConnectionRefused));
    assert_eq!((error.error.stage, error.retry_ms, error.was_connected), (Stage::Connection, None, false));
    assert_eq!(world.events, []);
    world.broker.is_up = true;
    world.session.connect_once();
    world.settle();
    assert!(world.session.poll_attempt().unwrap().is_ok());
    assert_eq!(world.events, []);
}

#[test]
fn after_the_first_success_it_reconnects_by_itself() {
    let mut world = World::new(config(Version::V3), prompt());
    world.session.connect_once();
    world.settle();
    world.cut(TransportErrorKind::ConnectionClosed);
    world.pass(1000);
    assert!(world.session.connection().is_some());
    assert_eq!(world.broker.connection, 2);
    assert!(world.disconnections()[0].was_connected);
}

#[test]
fn pauses_grow_while_there_is_no_broker_and_begin_anew_after_a_connection_that_lasted() {
    let mut world = World::online(config(Version::V3), prompt());
    world.broker.is_up = false;
    world.pass(20_000);
    world.cut(TransportErrorKind::ConnectionClosed);
    world.pass(300_000);
    let pauses: Vec<u64> = world.disconnections().iter().filter_map(|lost| lost.retry_ms).collect();
    for (pause, full) in pauses.iter().zip([1, 2, 4, 8, 16, 32, 32]) {
        assert!((full * 500..=full * 1000).contains(pause), "{pauses:?}");
    }
    world.broker.is_up = true;
    world.pass(40_000);
    world.pass(20_000);
    world.events.clear();
    world.cut(TransportErrorKind::ConnectionClosed);
    world.settle();
    assert!(world.disconnections()[0].retry_ms.unwrap() <= 1000);
}

#[test]
fn two_clients_that_throw_each_other_out_do_so_ever_more_slowly() {
    let mut world = World::online(config(Version::V5), prompt());
    for _ in 0..8 {
        world.hear(&[0xe0, 1, 0x8e]);
        assert_eq!(world.last_cause(), Some(Cause::TakenOver));
        world.pass(world.disconnections().last().unwrap().retry_ms.unwrap());
        assert!(world.session.connection().is_some());
    }
    assert!(world.disconnections().last().unwrap().retry_ms.unwrap() >= 16_000);
    let explanation = &world.disconnections()[0].explanation;
    assert!(explanation.contains("device-7"), "{explanation}");
}

#[test]
fn each_refusal_of_a_connection_has_its_cause() {
    let causes_v3 = [
        (1, Cause::Unsupported),
        (2, Cause::InvalidRequest),
        (3, Cause::Unavailable),
        (4, Cause::Unauthenticated),
        (5, Cause::Forbidden),
    ];
    let causes_v5 = [
        (0x80, Cause::ServerError),
        (0x84, Cause::Unsupported),
        (0x85, Cause::InvalidField(Field::ClientId)),
        (0x86, Cause::Unauthenticated),
        (0x87, Cause::Forbidden),
        (0x88, Cause::Unavailable),
        (0x97, Cause::Throttled),
        (0x9d, Cause::WrongHostOrPath),
    ];
    let all = causes_v3.map(|it| (Version::V3, it)).into_iter().chain(causes_v5.map(|it| (Version::V5, it)));
    for (version, (code, cause)) in all {
        let mut world = World::new(config(version), prompt());
        world.broker.connack = code;
        world.session.connect_once();
        world.settle();
        let refused = world.session.poll_attempt().unwrap().unwrap_err();
        assert_eq!(refused.error.cause, cause, "{version:?} {code}");
        assert_eq!(refused.error.answer.unwrap().status, u16::from(code));
        assert!(refused.explanation.len() > 20, "{}", refused.explanation);
    }
}

#[test]
fn a_broker_that_does_not_answer_the_greeting_is_given_up() {
    let mut world = World::new(config(Version::V3), prompt());
    world.broker.is_mute = true;
    world.session.connect_once();
    world.pass(29_999);
    assert!(!world.session.has_attempt());
    world.pass(1);
    let error = world.session.poll_attempt().unwrap().unwrap_err().error;
    assert_eq!(error.cause, Cause::Transport(TransportErrorKind::AnswerTimeout));
    assert!(error.text().contains("CONNECT"), "{}", error.text());
}

#[test]
fn what_is_not_mqtt_ends_the_attempt_and_http_is_recognised() {
    for (bytes, cause) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], Cause::WrongHostOrPath),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Cause::MalformedAnswer),
        (&[0x30, 0x80, 0x80, 0x80, 0x80, 1], Cause::MalformedAnswer),
        (&[0xd0, 0], Cause::MalformedAnswer),
    ] {
        let mut world = World::new(config(Version::V3), prompt());
        world.broker.is_mute = true;
        world.session.connect_once();
        world.settle();
        world.hear(bytes);
        assert_eq!(world.session.poll_attempt().unwrap().unwrap_err().error.cause, cause, "{bytes:?}");
    }
}

#[test]
fn a_goodbye_is_said_and_nothing_follows_it() {
    let mut world = World::online(config(Version::V3), prompt());
    world.session.disconnect(world.now_ms);
    world.pass(120_000);
    assert_eq!(world.broker.log.last().unwrap(), "disconnect");
    assert_eq!((world.broker.connection, world.events.len()), (1, 0));
    world.publish(at_least_once("t", "1"));
    assert_eq!(world.session.outstanding(), 1);
    world.connect();
    assert_eq!(world.session.outstanding(), 0);
}

#[test]
fn a_goodbye_that_nobody_takes_ends_with_its_time() {
    let mut world = World::online(config(Version::V3), prompt());
    world.wire_takes = Some(0);
    world.session.disconnect(world.now_ms);
    world.pass(4999);
    assert!(world.session.is_leaving());
    world.pass(1);
    assert!(!world.session.is_leaving());
}

#[test]
fn the_broker_is_told_of_session_keep_alive_and_will() {
    let will = Message { retain: true, ..Message::new("status", *b"lost", Qos::AtLeastOnce) };
    for version in [Version::V3, Version::V5] {
        let config = Config { session_expiry_s: 3600, keep_alive_s: 45, will: Some(will.clone()), ..config(version) };
        let world = World::online(config, prompt());
        assert_eq!(world.broker.log, ["connect clean=false keep-alive=45"]);
    }
}

#[test]
fn a_broker_that_knows_no_mqtt_5_is_understood() {
    let mut world = World::new(config(Version::V5), prompt());
    world.broker.is_mute = true;
    world.session.connect_once();
    world.settle();
    world.hear(&[0x20, 2, 0, 1]);
    assert_eq!(world.session.poll_attempt().unwrap().unwrap_err().error.cause, Cause::Unsupported);
}

#[test]
fn a_broker_that_takes_no_message_at_a_time_is_none() {
    let mut world = World::new(config(Version::V5), prompt());
    world.broker.receive_maximum = Some(0);
    world.session.connect_once();
    world.settle();
    assert_eq!(world.session.poll_attempt().unwrap().unwrap_err().error.cause, Cause::MalformedAnswer);
}

#[test]
fn a_will_that_fits_in_no_packet_is_refused() {
    for (bytes, fits) in [(65_535, true), (65_536, false)] {
        let will = Some(Message::new("status", vec![b'x'; bytes], Qos::AtMostOnce));
        let config = Config { will, ..config(Version::V3) };
        assert_eq!(Session::open(0, config, prompt(), vec![], 1).is_ok(), fits, "{bytes}");
    }
}

#[test]
fn neither_password_nor_signature_shows_in_debug_output() {
    let endpoint = crate::endpoint::Endpoint::new("pk.iot-as-mqtt.cn-shanghai.aliyuncs.com", 443).unwrap();
    let device = aliyun::Device::new(endpoint, "pk", "device", None).unwrap();
    let auth_method = aliyun::mqtt::AuthMethod::Signature {
        signer: aliyun::Signer::External,
        sign_method: aliyun::SignMethod::HmacSha1,
        timestamp_ms: None,
    };
    let broker = aliyun::mqtt::BrokerConfig::new(device, auth_method).unwrap();
    let config = Config { broker: Arc::new(broker), ..config(Version::V3) };
    let mut session = Session::open(0, config, prompt(), vec![], 1).unwrap();
    session.keep_connecting();
    assert!(matches!(session.poll(0), Step::Sign(_)));
    session.handle_signature(0, Ok("0123456789abcdef".into()));
    assert!(matches!(session.poll(0), Step::Dial { .. }));
    session.handle_dialed();
    assert!(String::from_utf8_lossy(session.output()).contains("0123456789abcdef"));
    let shown = format!("{session:?}");
    let in_bytes = "48, 49, 50, 51, 52, 53";
    assert!(!shown.contains("0123456789abcdef") && !shown.contains(in_bytes), "{shown}");
    // A refusal may be due to a secret that was replaced: the host is asked again.
    session.handle_input(0, &[0x20, 2, 0, 4]);
    assert_eq!(session.poll(0), Step::Close);
    let Step::Wait(Some(until_ms)) = session.poll(0) else { panic!() };
    assert!(matches!(session.poll(until_ms), Step::Sign(_)));
}

#[test]
fn whoever_asks_for_one_connection_after_the_other_gets_two_attempts_in_a_second() {
    let mut world = World::new(config(Version::V3), prompt());
    world.broker.is_up = false;
    let start_ms = world.now_ms;
    world.session.connect_once();
    while world.now_ms < start_ms + 10_000 {
        if !world.session.has_attempt() {
            world.pass(1);
            continue;
        }
        world.session.poll_attempt().unwrap().unwrap_err();
        world.session.connect_once();
    }
    assert!((18..=21).contains(&world.dials.len()), "{} attempts in ten seconds", world.dials.len());
    assert!(world.dials.windows(2).all(|pair| pair[1] - pair[0] >= 500));
}

#[test]
fn a_goodbye_can_change_how_long_the_session_is_kept() {
    let kept = || Config { session_expiry_s: 3600, ..config(Version::V5) };
    for (changed, said) in [(None, None), (Some(0), Some(0)), (Some(60), Some(60))] {
        let mut world = World::online(kept(), prompt());
        if let Some(seconds) = changed {
            world.session.expire_after_disconnect(seconds).unwrap();
        }
        world.session.disconnect(world.now_ms);
        world.settle();
        assert_eq!(world.broker.log.last().unwrap(), "disconnect");
        assert_eq!(world.broker.goodbye_expiry_s, said);
    }
    // What the standard calls a protocol error, and what 3.1.1 has no words for.
    assert!(World::new(config(Version::V5), prompt()).session.expire_after_disconnect(1).is_err());
    assert!(World::new(config(Version::V5), prompt()).session.expire_after_disconnect(0).is_ok());
    assert!(World::new(config(Version::V3), prompt()).session.expire_after_disconnect(0).is_err());
}
