//! Many messages at a time: their order, their number under way, and what a careless caller can do.

use super::cloud::{Cloud, Fate, LATENCY_MS, Script, Turn};
use super::{SEED, aws_platform, message, messages, on_aliyun, on_aws, payload};
use crate::error::{Cause, Stage};
use crate::exchange::{ErrorContext, Exchange, Options, Step};
use crate::http::{Response, TransportErrorKind};
use crate::message::Qos::{AtLeastOnce, AtMostOnce};
use crate::message::{MAX_PAYLOAD, Message};
use crate::moment::Moment;
use crate::outcome::{Delivery, Retry};
use crate::topic::TopicError;

const NOW: Moment = Moment { monotonic_ms: 0, unix_ms: 0 };

fn success() -> Response {
    Response { status: 200, headers: vec![], body: b"{}".to_vec() }
}

#[test]
fn no_messages_are_done_at_once() {
    let mut exchange = Exchange::new(aws_platform(), Options::default(), None, SEED, vec![]).unwrap();
    assert_eq!(exchange.poll(NOW), Step::Done);
    assert_eq!(exchange.outcomes().count(), 0);
}

#[test]
fn outcomes_are_in_the_order_of_the_messages_although_the_answers_come_in_reverse() {
    let fates = [Fate::Served, Fate::Answered(403), Fate::Answered(400), Fate::Served];
    let turns = fates.into_iter().zip([400, 300, 200, 100]).map(|(fate, latency_ms)| Turn { fate, latency_ms });
    let mut drive = on_aws(Cloud::aws(Script::new(turns)), Options::default(), messages(4));
    drive.finish();
    let topic = |context: &ErrorContext| match context {
        ErrorContext::Publication { topic, .. } => topic.clone(),
        other => panic!("{other:?}"),
    };
    let topics: Vec<_> = drive.exchange.outcomes().map(|(context, _)| topic(context)).collect();
    assert_eq!(topics, messages(4).into_iter().map(|message| message.topic).collect::<Vec<_>>());
    let causes: Vec<_> = drive.outcomes().into_iter().map(|outcome| outcome.err().map(|error| error.cause)).collect();
    assert_eq!(causes, [None, Some(Cause::Forbidden), Some(Cause::InvalidRequest), None]);
    assert_eq!(drive.now_ms, 400, "all four were under way at once");
}

#[test]
fn no_more_than_max_in_flight_are_under_way_and_no_fewer() {
    for max_in_flight in [1, 2, 7, 32] {
        let options = Options { max_in_flight, ..Options::default() };
        let mut drive = on_aws(Cloud::aws(Script::always(Fate::Served)), options, messages(100));
        drive.finish();
        assert_eq!(drive.most_under_way, max_in_flight as usize);
        assert_eq!(drive.now_ms, 100_u64.div_ceil(max_in_flight.into()) * LATENCY_MS);
        assert!((0..100).all(|number| drive.cloud.accepted(&payload(number)) == 1));
    }
}

#[test]
fn a_message_that_pauses_does_not_hold_up_the_others() {
    let options = Options { max_in_flight: 1, ..Options::default() };
    let mut drive = on_aws(Cloud::aws(Script::new([Fate::Answered(429)])), options, messages(3));
    drive.finish();
    let bodies: Vec<_> = drive.sent.iter().map(|sent| sent.outgoing.request.body.to_vec()).collect();
    assert_eq!(bodies, [0, 1, 2, 0].map(payload));
}

#[test]
fn a_message_that_is_sent_again_goes_before_those_that_were_never_sent() {
    let options = Options { max_in_flight: 2, timeout_ms: 5_000, ..Options::default() };
    let slow = Turn { fate: Fate::Served, latency_ms: 400 };
    let fates = [Fate::Answered(503), Fate::Answered(503)];
    let mut drive = on_aws(Cloud::aws(Script::new(fates).then_always(slow)), options, messages(100));
    drive.finish();
    assert!(drive.outcomes().into_iter().all(|outcome| outcome.is_ok()), "their time was over when it was their turn");
    let bodies: Vec<_> = drive.sent.iter().map(|sent| sent.outgoing.request.body.to_vec()).take(6).collect();
    assert_eq!(bodies, [0, 1, 2, 3, 0, 1].map(payload));
}

#[test]
fn messages_that_cannot_succeed_have_their_outcome_before_anything_is_sent_and_the_others_go_on() {
    let with_topic = |topic: &str| Message { topic: topic.into(), ..message(9, AtLeastOnce) };
    let too_large = Message { payload: vec![0; MAX_PAYLOAD + 1].into(), ..message(9, AtMostOnce) };
    let list = vec![with_topic("a/#"), message(1, AtLeastOnce), too_large, with_topic(""), message(4, AtMostOnce)];
    let mut drive = on_aws(Cloud::aws(Script::always(Fate::Served)), Options::default(), list);
    let invalid = [
        (0, Cause::InvalidTopic(TopicError::Wildcard)),
        (2, Cause::PayloadTooLarge),
        (3, Cause::InvalidTopic(TopicError::Empty)),
    ];
    for finished in [false, true] {
        if finished {
            drive.finish();
        }
        let outcomes = drive.outcomes();
        for (number, cause) in invalid {
            let error = outcomes[number].as_ref().unwrap_err();
            assert_eq!((error.cause, error.delivery, error.attempts), (cause, Delivery::NotSent, 0));
            assert_eq!((error.stage, error.retry), (Stage::Preparation, Retry::Never));
        }
        assert_eq!((outcomes[1].is_ok(), outcomes[4].is_ok()), (finished, finished));
    }
    assert_eq!(drive.sent.len(), 2);
}

#[test]
fn answers_that_nobody_waits_for_are_ignored() {
    let mut exchange = Exchange::new(aws_platform(), Options::default(), None, SEED, messages(2)).unwrap();
    exchange.handle_response(NOW, 0, Ok(success()));
    let Step::Send(first) = exchange.poll(NOW) else { panic!("sends") };
    exchange.handle_response(NOW, first.id + 77, Ok(success()));
    exchange.handle_response(NOW, first.id, Ok(success()));
    exchange.handle_response(NOW, first.id, Err(TransportErrorKind::ConnectionClosed.into()));
    let Step::Send(second) = exchange.poll(NOW) else { panic!("sends the other") };
    assert_ne!(first.id, second.id);
    exchange.handle_response(NOW, first.id, Err(TransportErrorKind::ConnectionClosed.into()));
    assert_eq!(exchange.poll(NOW), Step::Wait(None));
    exchange.handle_response(NOW, second.id, Ok(success()));
    assert_eq!(exchange.poll(NOW), Step::Done);
    exchange.handle_response(NOW, second.id, Err(TransportErrorKind::ConnectionClosed.into()));
    assert!(exchange.outcomes().all(|(_, outcome)| outcome.unwrap().attempts == 1));
}

#[test]
fn in_the_middle_what_is_under_way_is_unknown_and_what_was_not_started_is_not_sent() {
    let options = Options { max_in_flight: 2, ..Options::default() };
    let silence = Turn { fate: Fate::Served, latency_ms: 20_000 };
    let script = Script::new([Fate::Served, Fate::Answered(503)]).then_always(silence);
    let mut drive = on_aws(Cloud::aws(script), options, messages(5));
    assert!(!drive.until(100));
    let outcomes = drive.outcomes();
    assert_eq!(outcomes[0].as_ref().unwrap().attempts, 1);
    let standing = |number: usize| {
        let error = outcomes[number].as_ref().unwrap_err();
        assert_eq!((error.cause, error.retry), (Cause::Abandoned, Retry::AfterMs(0)));
        (error.delivery, error.stage, error.attempts)
    };
    assert_eq!(standing(1), (Delivery::Refused, Stage::Preparation, 1), "pauses after a refusal");
    assert_eq!(standing(2), (Delivery::Unknown, Stage::Publication, 1), "under way");
    assert_eq!(standing(3), (Delivery::Unknown, Stage::Publication, 1), "under way");
    assert_eq!(standing(4), (Delivery::NotSent, Stage::Preparation, 0), "not started");
}

#[test]
fn in_the_middle_a_message_whose_earlier_attempt_may_have_arrived_is_unknown() {
    let script = Script::new([Fate::ServedButLost(TransportErrorKind::ConnectionClosed)]);
    let mut drive = on_aws(Cloud::aws(script), Options::default(), messages(1));
    assert!(!drive.until(LATENCY_MS + 1));
    assert_eq!(drive.error().delivery, Delivery::Unknown);
    drive.finish();
    assert_eq!(drive.outcome().unwrap().attempts, 2);
}

#[test]
fn messages_against_a_limit_per_second_slow_down_and_all_arrive() {
    for (cloud, is_aliyun) in [
        (Cloud::aws(Script::always(Fate::Served)), false),
        (Cloud::aliyun(Script::always(Fate::Served), Script::always(Fate::Served)), true),
    ] {
        for per_second in [5, 50] {
            let mut cloud = cloud.clone();
            cloud.per_second = Some(per_second);
            let mut drive = match is_aliyun {
                true => on_aliyun(cloud, Options::default(), None, messages(300)),
                false => on_aws(cloud, Options::default(), messages(300)),
            };
            drive.finish();
            let delivered = drive.outcomes().into_iter().filter(Result::is_ok).count();
            assert_eq!((delivered, drive.cloud.total_accepted()), (300, 300), "{per_second} in a second");
            let wasted = drive.publications().len() - 300;
            assert!(wasted < 300, "{wasted} requests for nothing at {per_second} in a second");
        }
    }
}

#[test]
fn options_with_which_nothing_would_ever_be_sent_are_refused_by_name() {
    let default = Options::default;
    for (options, named) in [
        (Options { max_in_flight: 0, ..default() }, "in flight"),
        (Options { timeout_ms: 0, ..default() }, "timeout"),
        (Options { connect_timeout_ms: Some(0), ..default() }, "connect timeout"),
        (Options { max_attempts: 0, ..default() }, "attempts"),
    ] {
        let problem = Exchange::new(aws_platform(), options, None, SEED, messages(1)).err().unwrap();
        assert!(problem.text().contains(named), "{problem}");
    }
}
