//! The way to the first token: one authentication for everybody, retried where it can help, and an end for everybody
//! where it cannot.

use super::cloud::{Cloud, Fate, LATENCY_MS, Script, Turn, password};
use super::driver::{Drive, UNIX_START_MS};
use super::{SECRET, SEED, aliyun_platform, fresh_session, message, messages, on_aliyun, payload, signing_platform};
use crate::aliyun::{Config, TimestampPolicy};
use crate::error::{Cause, Error, Stage};
use crate::exchange::{Exchange, Options, Step};
use crate::http::{TransportError, TransportErrorKind};
use crate::message::Message;
use crate::message::Qos::{AtLeastOnce, AtMostOnce};
use crate::moment::Moment;
use crate::outcome::{Delivery, Retry};

fn served() -> Script {
    Script::always(Fate::Served)
}

fn failed_by(authentications: Script, options: Options) -> (Drive, Vec<Error>) {
    let mut drive = on_aliyun(Cloud::aliyun(served(), authentications), options, None, messages(100));
    drive.finish();
    let errors = drive.outcomes().into_iter().map(Result::unwrap_err).collect();
    (drive, errors)
}

#[test]
fn a_thousand_messages_share_one_authentication() {
    let mut drive = on_aliyun(Cloud::aliyun(served(), served()), Options::default(), None, messages(1_000));
    drive.finish();
    assert_eq!((drive.cloud.issued, drive.authentications().len()), (1, 1));
    assert_eq!(drive.sent[0].at_ms, drive.authentications()[0].at_ms);
    assert!((0..1_000).all(|number| drive.cloud.accepted(&payload(number)) == 1));
    for outcome in drive.outcomes() {
        let receipt = outcome.unwrap();
        assert_eq!((receipt.attempts, receipt.message_id), (1, Some(1_207_967_842_654_323_713)));
    }
}

#[test]
fn nothing_else_is_sent_while_the_first_authentication_is_under_way() {
    let slow = Turn { fate: Fate::Served, latency_ms: 9_000 };
    let mut drive = on_aliyun(Cloud::aliyun(served(), Script::new([slow])), Options::default(), None, messages(50));
    assert!(!drive.until(8_999));
    assert_eq!(drive.sent.len(), 1);
    drive.finish();
    assert!(drive.publications().iter().all(|sent| sent.at_ms >= 9_000));
}

#[test]
fn the_time_of_a_message_begins_after_the_authentication() {
    let slow = Turn { fate: Fate::Served, latency_ms: 9_000 };
    let options = Options { timeout_ms: 10_000, ..Options::default() };
    let cloud = Cloud::aliyun(Script::new([Fate::Answered(40000)]), Script::new([slow]));
    let mut drive = on_aliyun(cloud, options, None, messages(1));
    drive.finish();
    assert_eq!(drive.publications()[0].outgoing.timeout_ms, 10_000);
    assert_eq!(drive.outcome().unwrap().attempts, 2);
}

#[test]
fn the_token_of_a_session_is_used_without_authentication() {
    let cloud = Cloud::aliyun(served(), served()).with_token("kept");
    let mut drive = on_aliyun(cloud, Options::default(), Some(fresh_session("kept")), messages(40));
    drive.finish();
    assert_eq!(drive.authentications().len(), 0);
    assert_eq!(drive.cloud.total_accepted(), 40);
    assert!(drive.sent.iter().all(|sent| password(&sent.outgoing.request) == Some("kept")));
}

#[test]
fn the_session_of_one_exchange_serves_the_next_of_the_same_device() {
    let mut first = on_aliyun(Cloud::aliyun(served(), served()), Options::default(), None, messages(3));
    assert!(first.exchange.credential().is_none());
    first.finish();
    let platform = aliyun_platform(TimestampPolicy::None);
    let text = platform.export_credential(first.exchange.credential().unwrap()).unwrap();

    let session = platform.import_credential(&text).unwrap();
    let mut second = on_aliyun(first.cloud, Options::default(), Some(session), messages(3));
    second.finish();
    assert_eq!((second.authentications().len(), second.cloud.issued), (0, 1));
    assert_eq!(second.cloud.total_accepted(), 6);
    assert_eq!(second.exchange.credential(), first.exchange.credential());
}

#[test]
fn messages_that_cannot_succeed_never_ask_for_a_token() {
    let relative = Message { topic: "no/slash".into(), ..message(0, AtLeastOnce) };
    let mut drive = on_aliyun(Cloud::aliyun(served(), served()), Options::default(), None, vec![relative]);
    drive.finish();
    assert_eq!(drive.sent.len(), 0);
    assert_eq!(drive.error().stage, Stage::Preparation);

    let mut drive = on_aliyun(Cloud::aliyun(served(), served()), Options::default(), None, vec![]);
    drive.finish();
    assert_eq!(drive.sent.len(), 0);
}

#[test]
fn an_authentication_is_tried_again_after_a_pause_where_that_can_help() {
    for (fate, pause_ms) in [
        (Fate::Answered(40000), 1_250..=1_500),
        (Fate::Answered(10000), 100..=200),
        (Fate::Answered(20004), 100..=200),
        (Fate::Failed(TransportErrorKind::ConnectionRefused), 100..=200),
        (Fate::ServedButLost(TransportErrorKind::ConnectionClosed), 100..=200),
    ] {
        let mut drive =
            on_aliyun(Cloud::aliyun(served(), Script::new([fate])), Options::default(), None, messages(100));
        drive.finish();
        let [first, second] = drive.authentications().try_into().unwrap();
        assert!(pause_ms.contains(&(second.at_ms - first.at_ms - LATENCY_MS)), "{fate:?}: {}", second.at_ms);
        assert_eq!((drive.cloud.total_accepted(), drive.most_authentications), (100, 1));
        assert!(drive.outcomes().into_iter().all(|outcome| outcome.unwrap().attempts == 1));
    }
}

#[test]
fn authentications_are_bounded_by_time_alone_and_then_every_message_fails_with_the_last_error() {
    let options = Options { max_attempts: 1, ..Options::default() };
    let script = Script::new([Fate::Failed(TransportErrorKind::Unreachable)]).then_always(Fate::Answered(20004));
    let (drive, errors) = failed_by(script, options);
    assert!((15..30).contains(&drive.sent.len()), "{}", drive.sent.len());
    assert_eq!((drive.most_authentications, errors.len()), (1, 100));
    assert!((29_800..=30_000).contains(&drive.now_ms), "{}", drive.now_ms);
    for error in errors {
        assert_eq!((error.cause, error.stage), (Cause::Unavailable, Stage::Authentication));
        assert_eq!((error.delivery, error.attempts), (Delivery::Refused, 0));
        assert!(matches!(error.retry, Retry::AfterMs(100..)), "{:?}", error.retry);
    }
}

#[test]
fn authentications_are_bounded_by_time() {
    let options = Options { max_attempts: 1_000, timeout_ms: 7_000, ..Options::default() };
    let (drive, errors) = failed_by(Script::always(Fate::Answered(40000)), options.clone());
    assert!(drive.sent.len() > 2 && drive.now_ms < 7_000);
    assert!(drive.sent.iter().all(|sent| sent.at_ms + u64::from(sent.outgoing.timeout_ms) == 7_000));
    assert!(errors.iter().all(|error| error.cause == Cause::Throttled && error.delivery == Delivery::Refused));

    let silence = Turn { fate: Fate::Served, latency_ms: u64::MAX };
    let (drive, errors) = failed_by(Script::always(silence), options);
    assert_eq!((drive.sent.len(), drive.now_ms), (1, 7_000));
    let timeout = Cause::Transport(TransportErrorKind::AnswerTimeout);
    assert!(errors.iter().all(|error| error.cause == timeout && error.delivery == Delivery::NotSent));
}

#[test]
fn a_device_that_is_not_recognised_asks_once_and_publishes_nothing() {
    for (fate, cause, delivery) in [
        (Fate::Answered(20000), Cause::Unauthenticated, Delivery::Refused),
        (Fate::Answered(10001), Cause::InvalidRequest, Delivery::Refused),
        (Fate::Failed(TransportErrorKind::Denied), Cause::Transport(TransportErrorKind::Denied), Delivery::NotSent),
    ] {
        let (drive, errors) = failed_by(Script::always(fate), Options::default());
        assert_eq!((drive.sent.len(), drive.authentications().len()), (1, 1));
        for error in errors {
            assert_eq!((error.cause, error.stage), (cause, Stage::Authentication));
            assert_eq!((error.delivery, error.retry, error.attempts), (delivery, Retry::Never, 0));
        }
    }
}

#[test]
fn the_timestamp_is_in_the_request_only_if_it_is_wanted() {
    for (policy, expected) in [
        (TimestampPolicy::None, None),
        (TimestampPolicy::Now, Some(format!("\"timestamp\":\"{}\"", UNIX_START_MS + 350))),
    ] {
        let exchange = Exchange::new(aliyun_platform(policy), Options::default(), None, SEED, messages(1)).unwrap();
        let mut drive = Drive::new(Cloud::aliyun(served(), served()), exchange);
        drive.now_ms = 350;
        drive.finish();
        let body = String::from_utf8(drive.sent[0].outgoing.request.body.to_vec()).unwrap();
        match expected {
            Some(field) => assert!(body.contains(&field), "{body}"),
            None => assert!(!body.contains("timestamp"), "{body}"),
        }
    }
}

#[test]
fn a_second_attempt_to_authenticate_carries_its_own_time() {
    let platform = aliyun_platform(TimestampPolicy::Now);
    let exchange = Exchange::new(platform, Options::default(), None, SEED, messages(1)).unwrap();
    let mut drive = Drive::new(Cloud::aliyun(served(), Script::new([Fate::Answered(10000)])), exchange);
    drive.finish();
    let [first, second] = drive.authentications().try_into().unwrap();
    assert_ne!(first.outgoing.request.body, second.outgoing.request.body);
}

#[test]
fn the_words_of_a_host_that_has_no_answer_give_no_secret_away() {
    let aliyun = || aliyun_platform(TimestampPolicy::None);
    for (platform, session) in
        [(signing_platform(), None), (aliyun(), None), (aliyun(), Some(fresh_session("token-of-before")))]
    {
        let mut exchange = Exchange::new(platform, Options::default(), session, SEED, messages(1)).unwrap();
        let now = Moment { monotonic_ms: 0, unix_ms: UNIX_START_MS };
        let Step::Send(sent) = exchange.poll(now) else { panic!("nothing is in the way") };
        let detail = Some(format!("cannot send {SECRET} and token-of-before"));
        exchange.handle_response(
            now,
            sent.id,
            Err(TransportError { kind: TransportErrorKind::RequestRejected, detail }),
        );
        let _ = exchange.poll(now);
        let shown = format!("{exchange:?}");
        let (_, outcome) = exchange.outcomes().next().unwrap();
        let detail = outcome.unwrap_err().detail.unwrap();
        assert!(detail.starts_with("cannot send (hidden)"), "{detail}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn neither_the_device_secret_nor_the_token_shows_where_it_does_not_belong() {
    let script = Script::new([Fate::Answered(40000), Fate::Answered(20001), Fate::Answered(10000)]);
    let list = (0..20).map(|number| message(number, AtMostOnce)).collect();
    let mut drive = on_aliyun(Cloud::aliyun(script, served()), Options::default(), None, list);
    drive.until(120);
    let mut shown = format!("{:?}", drive.exchange);
    drive.finish();
    shown += &format!(
        "{:?}{:?}{:?}{:?}",
        drive.exchange,
        drive.sent,
        drive.outcomes(),
        drive.exchange.platform().downcast_ref::<Config>()
    );
    for (topic, outcome) in drive.exchange.outcomes() {
        if let Err(error) = outcome {
            shown += &format!("{error}{}", drive.exchange.platform().explain(&error, topic));
        }
    }
    assert!(drive.outcomes().iter().any(Result::is_err));
    assert!(!shown.contains(SECRET) && !shown.contains("token-"), "{shown}");
    for sent in &drive.sent {
        let request = &sent.outgoing.request;
        let body = String::from_utf8_lossy(&request.body);
        assert!(
            !body.contains(SECRET) && !format!("{:?}{}", request.headers, request.path_with_query).contains(SECRET)
        );
    }
}
