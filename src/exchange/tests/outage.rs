//! A server that is not there: how seldom it is asked, how long it is waited for, and what becomes of the messages.

use super::cloud::{Cloud, Fate, LATENCY_MS, Script, Turn};
use super::driver::{Drive, Sent};
use super::{
    SEED, aliyun_platform_signed_by, message, messages, old_session, on_aliyun, on_aws, payload,
    session_near_its_end_in,
};
use crate::aliyun::{Signer, TimestampPolicy};
use crate::error::{Cause, Stage};
use crate::exchange::{Exchange, Options};
use crate::http::TransportErrorKind;
use crate::message::Qos::{AtLeastOnce, AtMostOnce};
use crate::outcome::{Delivery, Retry};

const REFUSED: Fate = Fate::Failed(TransportErrorKind::ConnectionRefused);

fn served() -> Script {
    Script::always(Fate::Served)
}

/// There is no listener until then.
fn away_until(mut drive: Drive, back_ms: u64) -> Drive {
    let back = drive.cloud.clone();
    drive.cloud.messages = Script::always(REFUSED);
    drive.cloud.authentications = Script::always(REFUSED);
    if !drive.until(back_ms) {
        (drive.cloud.messages, drive.cloud.authentications) = (back.messages, back.authentications);
        drive.finish();
    }
    drive
}

/// The most requests that begin within a second, the first burst aside: it was under way when the silence began.
fn most_in_a_second(sent: &[Sent], until_ms: u64) -> usize {
    let probes: Vec<u64> = sent.iter().map(|sent| sent.at_ms).filter(|at_ms| (1..until_ms).contains(at_ms)).collect();
    probes.iter().map(|at| probes.iter().filter(|other| (*at..at + 1_000).contains(*other)).count()).max().unwrap_or(0)
}

#[test]
fn messages_wait_for_a_server_that_comes_back_after_three_seconds() {
    for count in [1, 50] {
        let drive = away_until(on_aws(Cloud::aws(served()), Options::default(), messages(count)), 3_000);
        assert_eq!(drive.cloud.total_accepted() as usize, count);
        assert!(drive.outcomes().into_iter().all(|outcome| outcome.is_ok()));
        assert!(drive.now_ms < 6_000, "{}", drive.now_ms);
        assert!(most_in_a_second(&drive.sent, 3_000) <= 2, "{:?}", drive.sent);
    }
}

#[test]
fn a_token_is_waited_for_like_that() {
    let drive = on_aliyun(Cloud::aliyun(served(), served()), Options::default(), None, messages(50));
    let drive = away_until(drive, 20_000);
    assert_eq!((drive.cloud.total_accepted(), drive.cloud.issued), (50, 1));
    assert!(most_in_a_second(&drive.sent, 20_000) <= 2);
    assert!((10..=20).contains(&drive.authentications().len()), "{}", drive.authentications().len());
    assert!(drive.now_ms < 23_000, "{}", drive.now_ms);
}

#[test]
fn a_hundred_thousand_messages_end_when_nothing_got_through_for_as_long_as_one_may_take() {
    for drive in [
        on_aws(Cloud::aws(served()), Options::default(), messages(100_000)),
        on_aliyun(Cloud::aliyun(served(), served()), Options::default(), None, messages(100_000)),
    ] {
        let drive = away_until(drive, u64::MAX);
        assert!((29_800..=30_000).contains(&drive.now_ms), "{}", drive.now_ms);
        assert!(drive.sent.len() < 32 + 40, "{} requests", drive.sent.len());
        assert!(most_in_a_second(&drive.sent, u64::MAX) <= 2);
        let outcomes = drive.outcomes();
        assert_eq!(outcomes.len(), 100_000);
        for (number, outcome) in outcomes.into_iter().enumerate() {
            let error = outcome.unwrap_err();
            assert_eq!(
                (error.cause, error.delivery),
                (Cause::Transport(TransportErrorKind::ConnectionRefused), Delivery::NotSent)
            );
            assert!(matches!(error.retry, Retry::AfterMs(_)));
            assert!(number < 32 || error.attempts == 0, "{}", error.attempts);
        }
    }
}

#[test]
fn messages_that_were_never_sent_keep_their_time_for_when_the_server_is_back() {
    let options = Options { timeout_ms: 5_000, max_in_flight: 1, ..Options::default() };
    // The first message is answered after the outage of four seconds; the second then needs more than what was left.
    let slow = Turn { fate: Fate::Served, latency_ms: 3_000 };
    let mut drive = on_aws(Cloud::aws(Script::always(REFUSED)), options, messages(3));
    assert!(!drive.until(4_000));
    drive.cloud.messages = Script::new([Turn::from(Fate::Served)]).then_always(slow);
    drive.finish();
    assert_eq!(drive.cloud.total_accepted(), 3, "{:?}", drive.outcomes());
}

#[test]
fn the_first_answer_of_any_kind_ends_the_silence() {
    for answer in [Fate::Served, Fate::Answered(403), Fate::Answered(500), Fate::Answered(429)] {
        let script = Script::new(std::iter::repeat_n(REFUSED, 40).chain([answer]));
        let mut drive = on_aws(Cloud::aws(script), Options::default(), messages(64));
        drive.finish();
        let answered_ms = drive.sent[40].at_ms + LATENCY_MS;
        let at_once = drive.sent.iter().filter(|sent| sent.at_ms == answered_ms).count();
        assert!(at_once >= 31, "{answer:?}: {at_once}");
    }
}

#[test]
fn a_probe_that_ends_for_good_without_an_answer_is_followed_by_another() {
    for failure in [TransportErrorKind::RequestRejected, TransportErrorKind::Denied, TransportErrorKind::AnswerTooLarge]
    {
        let script = Script::new(std::iter::repeat_n(REFUSED, 33).chain([Fate::Failed(failure)]));
        let mut drive = on_aws(Cloud::aws(script), Options::default(), messages(64));
        drive.finish();
        assert_eq!(drive.cloud.total_accepted(), 63, "{failure:?}: one has its outcome, the others go on");
        assert!(drive.now_ms < 5_000, "{failure:?}: {}", drive.now_ms);
    }
}

#[test]
fn a_renewal_that_fails_while_nobody_answers_holds_no_message_up() {
    let script = Script::new(std::iter::repeat_n(REFUSED, 36));
    let cloud = Cloud::aliyun(script, Script::always(REFUSED)).with_token("kept");
    let session = Some(session_near_its_end_in(1_500, "kept"));
    let mut drive = on_aliyun(cloud, Options::default(), session, messages(64));
    drive.finish();
    let [renewal] = drive.authentications().try_into().unwrap();
    assert!(renewal.at_ms >= 1_500 && drive.sent[32..].contains(renewal), "it asks for all of them");
    assert_eq!(drive.cloud.total_accepted(), 64);
    assert!(drive.now_ms < 15_000, "{}", drive.now_ms);
}

#[test]
fn what_was_signed_elsewhere_waits_for_its_turn_while_nobody_answers() {
    let slow = Turn { fate: REFUSED, latency_ms: 3_000 };
    let script = Script::new(std::iter::repeat_n(REFUSED.into(), 32).chain([slow]));
    let cloud = Cloud::aliyun(script, served()).with_token("old");
    let platform = aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now);
    let exchange = Exchange::new(platform, Options::default(), Some(old_session("old")), SEED, messages(64)).unwrap();
    let mut drive = Drive::new(cloud, exchange);
    drive.signs = |_| Ok("signature".to_owned());
    drive.sign_ms = 1_500;
    drive.finish();
    let [renewal] = drive.authentications().try_into().unwrap();
    assert!(renewal.at_ms > 3_000, "the request that asks for all of them was under way: {}", renewal.at_ms);
    assert_eq!(drive.cloud.total_accepted(), 64);
}

#[test]
fn one_request_that_fails_among_others_that_are_answered_holds_nobody_up() {
    let closed = Turn { fate: Fate::Failed(TransportErrorKind::ConnectionClosed), latency_ms: 10 };
    let mut drive = on_aws(Cloud::aws(Script::new([closed])), Options::default(), messages(320));
    drive.finish();
    assert_eq!(drive.cloud.total_accepted(), 320);
    assert!(drive.now_ms <= 11 * LATENCY_MS + 200, "{}", drive.now_ms);
}

#[test]
fn of_a_server_that_closes_on_messages_at_most_once_each_probe_costs_one_and_the_others_wait() {
    let closed = Fate::Failed(TransportErrorKind::ConnectionClosed);
    let list = (0..200).map(|number| message(number, AtMostOnce)).collect();
    let mut drive = on_aws(Cloud::aws(Script::always(closed)), Options::default(), list);
    drive.finish();
    let unknown =
        drive.outcomes().iter().filter(|outcome| outcome.as_ref().unwrap_err().delivery == Delivery::Unknown).count();
    assert_eq!(unknown, drive.sent.len());
    assert!((40..75).contains(&unknown), "{unknown}");
    assert!((29_000..=30_100).contains(&drive.now_ms), "{}", drive.now_ms);
}

#[test]
fn a_link_that_is_slow_to_connect_gets_what_it_needs_up_to_two_thirds_of_the_time() {
    for (timeout_ms, connect_ms) in [(30_000, 12_000), (60_000, 25_000), (40_000, 25_000)] {
        let options = Options { timeout_ms, ..Options::default() };
        let mut drive = on_aws(Cloud::aws(served()), options, messages(1));
        drive.connect_ms = connect_ms;
        drive.finish();
        assert_eq!(drive.cloud.total_accepted(), 1);
        let timeouts: Vec<u32> = drive.sent.iter().map(|sent| sent.outgoing.connect_timeout_ms).collect();
        let first = timeout_ms / 3;
        assert_eq!((timeouts.len(), timeouts[0]), (2, first), "{timeouts:?}");
        assert!(drive.now_ms < u64::from(first) + connect_ms + 1_000, "{}", drive.now_ms);
    }
}

#[test]
fn with_more_time_for_a_message_the_first_connection_has_more_too() {
    let options = Options { timeout_ms: 60_000, ..Options::default() };
    let mut drive = on_aws(Cloud::aws(served()), options, messages(3));
    drive.connect_ms = 12_000;
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.sent.len()), (3, 3));
    assert!(drive.now_ms < 13_000, "{}", drive.now_ms);
}

#[test]
fn a_dead_address_does_not_eat_all_the_time() {
    let options = Options { timeout_ms: 60_000, ..Options::default() };
    let mut drive = on_aws(Cloud::aws(served()), options, messages(1));
    drive.connect_ms = u64::MAX;
    assert!(!drive.until(19_000));
    assert_eq!(drive.sent.len(), 1);
    // The second attempt is under way; it gets what is left.
    assert!(!drive.until(21_000));
    assert_eq!(drive.sent.len(), 2);
    drive.connect_ms = 100;
    drive.finish();
    assert_eq!(drive.error().cause, Cause::Transport(TransportErrorKind::ConnectTimeout), "it hangs to the end");
    assert!((59_000..=60_000).contains(&drive.now_ms), "{}", drive.now_ms);
}

#[test]
fn a_connect_timeout_that_the_caller_has_set_stays() {
    let options = Options { connect_timeout_ms: Some(1_000), ..Options::default() };
    let mut drive = on_aws(Cloud::aws(served()), options, messages(1));
    drive.connect_ms = 12_000;
    drive.finish();
    assert!(drive.sent.iter().all(|sent| sent.outgoing.connect_timeout_ms <= 1_000));
    assert!(drive.sent.len() > 9, "{}", drive.sent.len());
    assert_eq!(drive.error().delivery, Delivery::NotSent);
}

#[test]
fn a_first_contact_that_is_closed_is_asked_once_soon_and_then_all_along() {
    // AWS provisions a device just in time: it closes the first connections for some half a minute.
    let closed = || Script::always(Fate::Failed(TransportErrorKind::ConnectionClosed));
    for (timeout_ms, starts_ms) in [(30_000, [0, 200, 10_000, 20_000]), (60_000, [0, 200, 20_000, 40_000])] {
        let options = Options { timeout_ms, ..Options::default() };
        let mut drive = on_aws(Cloud::aws(closed()), options.clone(), messages(1));
        drive.finish();
        let begun: Vec<u64> = drive.sent.iter().map(|sent| sent.at_ms).collect();
        assert_eq!(begun.len(), 4, "{begun:?}");
        for (begun_ms, start_ms) in begun.iter().zip(starts_ms) {
            assert!(begun_ms.abs_diff(start_ms) < 500, "{begun:?}");
        }
        assert_eq!(drive.error().delivery, Delivery::Unknown);

        let mut drive = on_aws(Cloud::aws(closed()), options, messages(40));
        assert!(!drive.until(18_000));
        drive.cloud.messages = served();
        drive.finish();
        assert_eq!(drive.outcomes().iter().filter(|outcome| outcome.is_ok()).count(), 40);
    }
    // Once there was an answer, a close is a close.
    let script = Script::new([Fate::Answered(503)]).then_always(Fate::Failed(TransportErrorKind::ConnectionClosed));
    let mut drive = on_aws(Cloud::aws(script), Options::default(), messages(1));
    drive.finish();
    assert!(drive.now_ms < 8_000, "{}", drive.now_ms);
}

#[test]
fn a_message_whose_time_ends_while_nobody_answers_is_told_why() {
    let mut drive = on_aws(Cloud::aws(Script::always(REFUSED)), Options::default(), vec![message(0, AtLeastOnce)]);
    drive.finish();
    let error = drive.error();
    assert_eq!(
        (error.cause, error.stage),
        (Cause::Transport(TransportErrorKind::ConnectionRefused), Stage::Publication)
    );
    assert_eq!(error.attempts, drive.attempts(&payload(0)));
}

#[test]
fn a_platform_that_refuses_everything_ends_the_run_after_the_time_of_one_message() {
    for fate in [Fate::Answered(503), Fate::Answered(429)] {
        let mut drive = on_aws(Cloud::aws(Script::always(fate)), Options::default(), messages(1_000));
        drive.finish();
        // Some are sent first shortly before the rest is given up, and have their time.
        assert!(drive.now_ms < 61_000, "{fate:?}: {}", drive.now_ms);
        assert!(drive.sent.len() < 200, "{fate:?}: {}", drive.sent.len());
        for outcome in drive.outcomes() {
            let error = outcome.unwrap_err();
            let delivery = if error.attempts == 0 { Delivery::NotSent } else { Delivery::Refused };
            assert_eq!((error.delivery, error.answer.is_some()), (delivery, true));
        }
    }
}
