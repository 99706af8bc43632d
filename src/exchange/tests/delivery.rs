//! What becomes of one message: delivered, refused, not sent or unknown, and whether it is sent again. Told with AWS,
//! which needs no token.

use super::cloud::{Cloud, Fate, LATENCY_MS, Script, Turn};
use super::driver::Drive;
use super::{message, on_aws, payload};
use crate::error::{Cause, Stage};
use crate::exchange::Options;
use crate::http::TransportErrorKind;
use crate::message::Qos::{self, AtLeastOnce, AtMostOnce};
use crate::outcome::{Delivery, Retry};

const NOT_SENT_AND_TRANSIENT: [TransportErrorKind; 8] = [
    TransportErrorKind::NameResolution,
    TransportErrorKind::ConnectionRefused,
    TransportErrorKind::Unreachable,
    TransportErrorKind::ConnectTimeout,
    TransportErrorKind::ConnectionLimit,
    TransportErrorKind::TlsCertificate,
    TransportErrorKind::TlsAlert,
    TransportErrorKind::TlsProtocol,
];

fn one(qos: Qos, script: Script) -> Drive {
    one_with(Options::default(), qos, script)
}

fn one_with(options: Options, qos: Qos, script: Script) -> Drive {
    let mut drive = on_aws(Cloud::aws(script), options, vec![message(0, qos)]);
    drive.finish();
    drive
}

#[test]
fn a_message_is_delivered_with_one_attempt() {
    for qos in [AtMostOnce, AtLeastOnce] {
        let drive = one(qos, Script::always(Fate::Served));
        let receipt = drive.outcome().unwrap();
        assert_eq!((receipt.attempts, receipt.trace_id.as_deref()), (1, Some("trace")));
        assert_eq!((drive.sent.len(), drive.cloud.total_accepted()), (1, 1));
        assert_eq!(drive.now_ms, LATENCY_MS);
    }
}

/// What keeps a device from ever getting an answer is no reason any more once there was one.
#[test]
fn a_close_after_messages_were_answered_is_that_of_a_kept_connection_and_blames_no_certificate() {
    let lost = Fate::ServedButLost(TransportErrorKind::ConnectionClosed);
    let explained = |drive: &Drive| {
        let (context, outcome) = drive.exchange.outcomes().last().unwrap();
        drive.exchange.platform().explain(&outcome.unwrap_err(), context)
    };
    let first = one(AtMostOnce, Script::new([lost]));
    assert!(explained(&first).contains("certificate is inactive"), "{}", explained(&first));

    let options = Options { max_in_flight: 1, ..Options::default() };
    let messages = vec![message(0, AtMostOnce), message(1, AtMostOnce)];
    let mut later = on_aws(Cloud::aws(Script::new([Fate::Served, lost])), options, messages);
    later.finish();
    assert!(explained(&later).contains("kept connection"), "{}", explained(&later));
    assert!(!explained(&later).contains("certificate"), "{}", explained(&later));
    assert!(later.exchange.has_been_answered());

    let mut next = on_aws(Cloud::aws(Script::new([lost])), Options::default(), vec![message(0, AtMostOnce)]);
    next.exchange = next.exchange.answered_before(true);
    next.finish();
    assert!(explained(&next).contains("kept connection"), "{}", explained(&next));
}

#[test]
fn a_refused_message_is_never_sent_again() {
    for qos in [AtMostOnce, AtLeastOnce] {
        for status in [400, 401, 403, 404, 405, 413, 422, 426, 302, 418] {
            let drive = one(qos, Script::new([Fate::Answered(status)]));
            let error = drive.error();
            assert_eq!((error.delivery, error.retry), (Delivery::Refused, Retry::Never), "{status}");
            assert_eq!((error.attempts, drive.sent.len()), (1, 1), "{status}");
        }
    }
}

#[test]
fn a_throttled_message_is_sent_again_after_a_second_or_more() {
    for qos in [AtMostOnce, AtLeastOnce] {
        let drive = one(qos, Script::new([Fate::Answered(429)]));
        assert_eq!(drive.outcome().unwrap().attempts, 2);
        assert!(drive.sent[1].at_ms >= LATENCY_MS + 1_000, "{}", drive.sent[1].at_ms);
        assert_eq!(drive.sent[0].outgoing.request, drive.sent[1].outgoing.request);
    }
}

#[test]
fn pauses_grow() {
    let drive = one(AtLeastOnce, Script::always(Fate::Answered(503)));
    let pauses: Vec<_> = drive.sent.windows(2).map(|pair| pair[1].at_ms - pair[0].at_ms - LATENCY_MS).collect();
    for (pause, full) in pauses.iter().zip([200, 400, 800, 1_600, 2_000, 2_000, 2_000]) {
        assert!((full / 2..=full).contains(pause), "{pauses:?}");
    }
    assert!((15..30).contains(&pauses.len()), "{pauses:?}");
}

#[test]
fn after_a_server_error_at_most_once_is_unknown_and_at_least_once_is_sent_again() {
    for status in [500, 502, 504] {
        for fate in [Fate::Answered(status), Fate::ServedButAnswered(status)] {
            let drive = one(AtMostOnce, Script::new([fate]));
            let error = drive.error();
            assert_eq!((error.cause, error.delivery), (Cause::ServerError, Delivery::Unknown));
            assert_eq!((error.attempts, drive.sent.len()), (1, 1));

            let drive = one(AtLeastOnce, Script::new([fate]));
            assert_eq!(drive.outcome().unwrap().attempts, 2);
        }
    }
}

#[test]
fn after_a_lost_answer_at_most_once_is_unknown_and_at_least_once_is_sent_again() {
    for failure in [
        TransportErrorKind::ConnectionClosed,
        TransportErrorKind::AnswerIncomplete,
        TransportErrorKind::Protocol,
        TransportErrorKind::Other,
    ] {
        let drive = one(AtMostOnce, Script::new([Fate::ServedButLost(failure)]));
        let error = drive.error();
        assert_eq!((error.cause, error.delivery), (Cause::Transport(failure), Delivery::Unknown));
        assert_eq!(drive.cloud.total_accepted(), 1);

        let drive = one(AtLeastOnce, Script::new([Fate::ServedButLost(failure)]));
        assert_eq!(drive.outcome().unwrap().attempts, 2);
        assert_eq!(drive.cloud.total_accepted(), 2);
    }
}

#[test]
fn a_message_that_was_not_sent_is_sent_again_whatever_its_qos() {
    for qos in [AtMostOnce, AtLeastOnce] {
        for failure in NOT_SENT_AND_TRANSIENT {
            let drive = one(qos, Script::new([Fate::Failed(failure), Fate::Failed(failure)]));
            assert_eq!(drive.outcome().unwrap().attempts, 3, "{failure:?}");
            assert_eq!(drive.cloud.total_accepted(), 1);
        }
    }
}

#[test]
fn what_only_people_can_repair_is_not_tried_again() {
    for qos in [AtMostOnce, AtLeastOnce] {
        for failure in [TransportErrorKind::Denied, TransportErrorKind::RequestRejected] {
            let drive = one(qos, Script::always(Fate::Failed(failure)));
            let error = drive.error();
            assert_eq!((error.delivery, error.retry), (Delivery::NotSent, Retry::Never), "{failure:?}");
            assert_eq!((error.stage, drive.sent.len()), (Stage::Publication, 1), "{failure:?}");
        }
    }
}

#[test]
fn of_unknown_fate_there_are_at_most_max_attempts() {
    for max_attempts in 1..=5 {
        let options = Options { max_attempts, ..Options::default() };
        for fate in
            [Fate::Answered(500), Fate::Answered(504), Fate::ServedButLost(TransportErrorKind::ConnectionClosed)]
        {
            let drive = one_with(options.clone(), AtLeastOnce, Script::always(fate));
            assert_eq!((drive.error().attempts, drive.error().delivery), (max_attempts, Delivery::Unknown), "{fate:?}");
            assert_eq!(drive.attempts(&payload(0)), max_attempts);
        }
    }
}

#[test]
fn attempts_that_certainly_did_not_arrive_are_bounded_by_time_alone() {
    for qos in [AtMostOnce, AtLeastOnce] {
        for (fate, delivery) in [
            (Fate::Failed(TransportErrorKind::ConnectionRefused), Delivery::NotSent),
            (Fate::Failed(TransportErrorKind::TlsCertificate), Delivery::NotSent),
            (Fate::Answered(503), Delivery::Refused),
            (Fate::Answered(429), Delivery::Refused),
            (Fate::Answered(408), Delivery::Refused),
            (Fate::Answered(409), Delivery::Refused),
        ] {
            let options = Options { max_attempts: 1, ..Options::default() };
            let drive = one_with(options, qos, Script::always(fate));
            assert_eq!(drive.error().delivery, delivery, "{fate:?}");
            assert!(drive.error().attempts > 9, "{fate:?}: {}", drive.error().attempts);
            assert!((29_800..=30_000).contains(&drive.now_ms), "{fate:?} was given up at {}", drive.now_ms);
        }
    }
}

#[test]
fn attempts_that_never_left_do_not_count_against_those_of_unknown_fate() {
    let options = Options { max_attempts: 2, ..Options::default() };
    let refused = [Fate::Failed(TransportErrorKind::ConnectionRefused); 5];
    let lost = Fate::ServedButLost(TransportErrorKind::ConnectionClosed);
    let script = Script::new(refused.into_iter().chain([lost, Fate::Answered(503), Fate::Answered(429)]));
    assert_eq!(one_with(options, AtLeastOnce, script).outcome().unwrap().attempts, 9);
}

#[test]
fn a_platform_that_says_when_to_come_back_is_left_alone_until_then_and_no_longer() {
    for (status, retry_after) in
        [(429, "7"), (503, "7"), (413, "7"), (403, "7"), (503, "Tue, 14 Nov 2023 22:13:27 GMT")]
    {
        let mut cloud = Cloud::aws(Script::new([Fate::Answered(status)])).with_clock();
        cloud.retry_after = Some(retry_after);
        let mut drive = on_aws(cloud, Options::default(), vec![message(0, AtMostOnce)]);
        drive.finish();
        assert_eq!(drive.outcome().unwrap().attempts, 2, "{status} {retry_after}");
        let pause_ms = drive.sent[1].at_ms - LATENCY_MS;
        assert!((7_000..=9_000).contains(&pause_ms), "{status} {retry_after}: {pause_ms}");
    }
}

#[test]
fn a_platform_that_wants_to_be_left_alone_for_longer_than_a_message_has_is_not_asked_again() {
    let mut cloud = Cloud::aws(Script::always(Fate::Answered(503)));
    cloud.retry_after = Some("60");
    let mut drive = on_aws(cloud, Options::default(), vec![message(0, AtLeastOnce)]);
    drive.finish();
    assert_eq!((drive.sent.len(), drive.now_ms), (1, LATENCY_MS));
    assert!(matches!(drive.error().retry, Retry::AfterMs(60_000..)), "{:?}", drive.error().retry);
}

#[test]
fn the_last_attempt_that_the_deadline_cuts_short_does_not_hide_what_went_wrong_before() {
    let silence = Turn { fate: Fate::Served, latency_ms: u64::MAX };
    for (status, cause) in [(503, Cause::Unavailable), (429, Cause::Throttled)] {
        let turns = std::iter::repeat_n(Turn::from(Fate::Answered(status)), 8);
        let error = one(AtLeastOnce, Script::new(turns).then_always(silence)).error();
        assert_eq!((error.cause, error.delivery, error.attempts), (cause, Delivery::Unknown, 9));
        assert_eq!(error.answer.unwrap().status, status);
    }
    // That it was sent after all is what counts where it was not before.
    let refused = std::iter::repeat_n(Turn::from(Fate::Failed(TransportErrorKind::ConnectionRefused)), 8);
    let error = one(AtLeastOnce, Script::new(refused).then_always(silence)).error();
    assert_eq!((error.cause, error.delivery), (Cause::Transport(TransportErrorKind::AnswerTimeout), Delivery::Unknown));
    let refused = std::iter::repeat_n(Turn::from(Fate::Failed(TransportErrorKind::ConnectionRefused)), 8);
    let slow = Turn { fate: Fate::Failed(TransportErrorKind::ConnectTimeout), latency_ms: 40_000 };
    let mut drive =
        on_aws(Cloud::aws(Script::new(refused).then_always(slow)), Options::default(), vec![message(0, AtLeastOnce)]);
    drive.connect_ms = 40_000;
    drive.finish();
    assert_eq!(drive.error().cause, Cause::Transport(TransportErrorKind::ConnectTimeout), "nothing else was seen");
}

#[test]
fn a_pause_is_cut_for_one_more_attempt_and_when_there_is_no_time_for_any_the_message_ends_at_once() {
    let options = Options { timeout_ms: 5_000, ..Options::default() };
    let drive = one_with(options, AtLeastOnce, Script::always(Fate::Answered(429)));
    let error = drive.error();
    assert_eq!((error.cause, error.delivery), (Cause::Throttled, Delivery::Refused));
    let Retry::AfterMs(pause_ms) = error.retry else { panic!("{:?}", error.retry) };
    let last = drive.sent.last().unwrap();
    assert_eq!(drive.now_ms, last.at_ms + LATENCY_MS, "nothing is waited for");
    assert!((4_800..5_000).contains(&drive.now_ms), "{}", drive.now_ms);
    assert!(pause_ms >= 1_000);
}

#[test]
fn every_attempt_must_end_by_the_deadline_of_its_message() {
    let options = Options { timeout_ms: 5_000, max_attempts: 100, ..Options::default() };
    let drive = one_with(options, AtLeastOnce, Script::always(Fate::Answered(503)));
    assert!(drive.sent.len() > 2);
    for sent in &drive.sent {
        assert_eq!(sent.at_ms + u64::from(sent.outgoing.timeout_ms), 5_000);
    }
}

#[test]
fn an_attempt_that_takes_all_the_time_is_the_last() {
    let silence = Turn { fate: Fate::Served, latency_ms: u64::MAX };
    let drive = one(AtLeastOnce, Script::always(silence));
    let error = drive.error();
    assert_eq!((error.cause, error.delivery), (Cause::Transport(TransportErrorKind::AnswerTimeout), Delivery::Unknown));
    assert_eq!((drive.sent.len(), drive.now_ms), (1, 30_000));
}

#[test]
fn a_client_that_wakes_too_late_does_not_send_what_is_overdue() {
    let options = Options { timeout_ms: 2_000, ..Options::default() };
    let script = Script::new([Fate::Answered(429)]);
    let mut drive = on_aws(Cloud::aws(script), options, vec![message(0, AtLeastOnce)]);
    assert!(!drive.until(500));
    drive.lateness_ms = 60_000;
    drive.finish();
    let error = drive.error();
    assert_eq!((error.cause, error.attempts, drive.sent.len()), (Cause::Throttled, 1, 1));
}

#[test]
fn the_delivery_of_several_attempts_is_the_gravest() {
    let lost = Fate::ServedButLost(TransportErrorKind::ConnectionClosed);
    let unreachable = Fate::Failed(TransportErrorKind::Unreachable);
    for (script, cause, delivery) in [
        (vec![lost, Fate::Answered(403)], Cause::Forbidden, Delivery::Unknown),
        (
            vec![lost, Fate::Failed(TransportErrorKind::RequestRejected)],
            Cause::Transport(TransportErrorKind::RequestRejected),
            Delivery::Unknown,
        ),
        (vec![lost, Fate::Answered(429), Fate::Answered(403)], Cause::Forbidden, Delivery::Unknown),
        (vec![unreachable, Fate::Answered(403)], Cause::Forbidden, Delivery::Refused),
        (
            vec![Fate::Answered(429), Fate::Failed(TransportErrorKind::Denied)],
            Cause::Transport(TransportErrorKind::Denied),
            Delivery::Refused,
        ),
        (
            vec![unreachable, Fate::Failed(TransportErrorKind::Denied)],
            Cause::Transport(TransportErrorKind::Denied),
            Delivery::NotSent,
        ),
    ] {
        let attempts = u32::try_from(script.len()).unwrap();
        let error = one(AtLeastOnce, Script::new(script)).error();
        assert_eq!((error.cause, error.delivery, error.attempts), (cause, delivery, attempts));
    }
}

#[test]
fn a_receipt_counts_every_attempt() {
    let script =
        [Fate::Failed(TransportErrorKind::ConnectionRefused), Fate::Answered(503), Fate::ServedButAnswered(500)];
    assert_eq!(one(AtLeastOnce, Script::new(script)).outcome().unwrap().attempts, 4);
}
