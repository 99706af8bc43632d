//! What becomes of one message: delivered, refused, not sent or unknown, and whether it is sent again. Told with AWS,
//! which needs no token.

use super::cloud::{Cloud, Fate, LATENCY_MS, Script, Turn};
use super::driver::Drive;
use super::{message, on_aws, payload};
use crate::error::{Cause, Stage};
use crate::exchange::Options;
use crate::http::Failure;
use crate::message::Qos::{self, AtLeastOnce, AtMostOnce};
use crate::outcome::{Delivery, Retry};

const NOT_SENT_AND_TRANSIENT: [Failure; 6] = [
    Failure::NameResolution,
    Failure::ConnectionRefused,
    Failure::Unreachable,
    Failure::ConnectTimeout,
    Failure::ConnectionLimit,
    Failure::TlsProtocol,
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
    let options = Options { max_attempts: 6, ..Options::default() };
    let drive = one_with(options, AtLeastOnce, Script::always(Fate::Answered(503)));
    let pauses: Vec<_> = drive.sent.windows(2).map(|pair| pair[1].at_ms - pair[0].at_ms - LATENCY_MS).collect();
    for (pause, full) in pauses.iter().zip([200, 400, 800, 1_600, 3_200]) {
        assert!((full / 2..=full).contains(pause), "{pauses:?}");
    }
    assert_eq!(pauses.len(), 5);
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
    for failure in [Failure::ConnectionClosed, Failure::AnswerIncomplete, Failure::Protocol, Failure::Other] {
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
        for failure in [Failure::TlsCertificate, Failure::TlsAlert, Failure::Denied, Failure::RequestRejected] {
            let drive = one(qos, Script::always(Fate::Failed(failure)));
            let error = drive.error();
            assert_eq!((error.delivery, error.retry), (Delivery::NotSent, Retry::Never), "{failure:?}");
            assert_eq!((error.stage, drive.sent.len()), (Stage::Publication, 1), "{failure:?}");
        }
    }
}

#[test]
fn a_message_is_sent_at_most_max_attempts_times() {
    for max_attempts in 1..=5 {
        let options = Options { max_attempts, ..Options::default() };
        for fate in [Fate::Answered(503), Fate::Answered(500), Fate::Failed(Failure::ConnectionRefused)] {
            let drive = one_with(options.clone(), AtLeastOnce, Script::always(fate));
            assert_eq!(drive.error().attempts, max_attempts);
            assert_eq!(drive.attempts(&payload(0)), max_attempts);
        }
    }
}

#[test]
fn a_pause_that_would_end_after_the_deadline_ends_the_message_at_once() {
    let options = Options { timeout_ms: 5_000, max_attempts: 100, ..Options::default() };
    let drive = one_with(options, AtLeastOnce, Script::always(Fate::Answered(429)));
    let error = drive.error();
    assert_eq!((error.cause, error.delivery), (Cause::Throttled, Delivery::Refused));
    let Retry::AfterMs(pause_ms) = error.retry else { panic!("{:?}", error.retry) };
    let last = drive.sent.last().unwrap();
    assert_eq!(drive.now_ms, last.at_ms + LATENCY_MS, "nothing is waited for");
    assert!(drive.now_ms < 5_000 && drive.now_ms + pause_ms >= 5_000, "{} + {pause_ms}", drive.now_ms);
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
    assert_eq!((error.cause, error.delivery), (Cause::Transport(Failure::AnswerTimeout), Delivery::Unknown));
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
    let lost = Fate::ServedButLost(Failure::ConnectionClosed);
    let unreachable = Fate::Failed(Failure::Unreachable);
    for (script, cause, delivery) in [
        (vec![lost, Fate::Answered(403)], Cause::Forbidden, Delivery::Unknown),
        (
            vec![lost, Fate::Failed(Failure::TlsCertificate)],
            Cause::Transport(Failure::TlsCertificate),
            Delivery::Unknown,
        ),
        (vec![lost, Fate::Answered(429), Fate::Answered(403)], Cause::Forbidden, Delivery::Unknown),
        (vec![unreachable, Fate::Answered(403)], Cause::Forbidden, Delivery::Refused),
        (
            vec![Fate::Answered(429), Fate::Failed(Failure::Denied)],
            Cause::Transport(Failure::Denied),
            Delivery::Refused,
        ),
        (vec![unreachable, Fate::Failed(Failure::Denied)], Cause::Transport(Failure::Denied), Delivery::NotSent),
    ] {
        let attempts = u32::try_from(script.len()).unwrap();
        let error = one(AtLeastOnce, Script::new(script)).error();
        assert_eq!((error.cause, error.delivery, error.attempts), (cause, delivery, attempts));
    }
}

#[test]
fn a_receipt_counts_every_attempt() {
    let script = [Fate::Failed(Failure::ConnectionRefused), Fate::Answered(503), Fate::ServedButAnswered(500)];
    assert_eq!(one(AtLeastOnce, Script::new(script)).outcome().unwrap().attempts, 4);
}
