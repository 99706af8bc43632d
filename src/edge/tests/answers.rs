//! What callers are told.

use serde_json::Value;

use crate::edge::{Refusal, answer};
use crate::error::{Cause, Error, Stage};
use crate::http::{Response, TransportErrorKind};
use crate::outcome::{Answer, Delivery, Receipt, Retry};

fn body(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn answered(cause: Cause, delivery: Delivery, retry: Retry) -> Error {
    let answer = Answer { status: 400, code: None, message: None, trace_id: None, clock_ahead_ms: None };
    Error::answered(Stage::Publication, cause, delivery, retry, answer)
}

#[test]
fn a_delivered_message_comes_with_its_receipt() {
    let receipt = Receipt { message_id: Some(u64::MAX), trace_id: Some("a\"b".into()), attempts: 2 };
    let answer = answer::delivered(&receipt);
    assert_eq!(answer.status, 200);
    assert_eq!(
        body(&answer),
        serde_json::json!({"outcome": "delivered", "messageId": "18446744073709551615", "traceId": "a\"b", "attempts": 2})
    );
}

#[test]
fn a_message_that_was_not_delivered_is_a_problem_with_its_outcome_and_its_explanation() {
    let error = answered(Cause::Throttled, Delivery::Refused, Retry::AfterMs(1500));
    let answer = answer::failed(&error, "too many requests; send more slowly");
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(
        body(&answer),
        serde_json::json!({
            "type": "urn:thingpost:problem:throttled",
            "title": "Too Many Requests",
            "status": 429,
            "detail": "too many requests; send more slowly",
            "outcome": "refused",
            "cause": "throttled",
            "retryAfterMs": 1500,
        })
    );
}

#[test]
fn an_answer_has_the_length_of_its_body_and_is_not_to_be_kept() {
    let receipt = Receipt { message_id: None, trace_id: None, attempts: 1 };
    for answer in [answer::well(), answer::delivered(&receipt), answer::refused(&Refusal::TooLarge)] {
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn a_refusal_says_what_would_be_right() {
    let wrong_method = answer::refused(&Refusal::MethodNotAllowed { allowed: &["POST", "PUT"] });
    assert_eq!((wrong_method.status, wrong_method.header("allow")), (405, Some("POST, PUT")));
    assert_eq!(body(&wrong_method)["detail"], "this path takes POST and PUT");
    assert_eq!(answer::refused(&Refusal::TokenMissing).header("www-authenticate"), Some("Bearer"));
    let wrong_token = answer::refused(&Refusal::TokenWrong);
    assert_eq!(wrong_token.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    assert_eq!(body(&answer::refused(&Refusal::NoSuchDevice(Some("a\nb".into()))))["outcome"], "not-sent");
}

#[test]
fn whether_the_message_may_have_arrived_shows_in_the_status() {
    let transport = |kind: TransportErrorKind| Error::transport(Stage::Publication, kind.into());
    for (error, status) in [
        (transport(TransportErrorKind::ConnectionRefused), 503),
        (transport(TransportErrorKind::Denied), 503),
        (transport(TransportErrorKind::AnswerTimeout), 504),
        (answered(Cause::ServerError, Delivery::Unknown, Retry::AfterMs(0)), 504),
        (answered(Cause::Unavailable, Delivery::Refused, Retry::AfterMs(0)), 503),
        (answered(Cause::Forbidden, Delivery::Refused, Retry::Never), 422),
        (answered(Cause::Unauthenticated, Delivery::Refused, Retry::Never), 502),
        (answered(Cause::MalformedAnswer, Delivery::Unknown, Retry::Never), 502),
        (answered(Cause::PayloadTooLarge, Delivery::Refused, Retry::Never), 413),
    ] {
        assert_eq!(answer::failed(&error, "").status, status, "{error:?}");
    }
}

#[test]
fn a_pause_of_less_than_a_second_is_a_second_in_the_header() {
    let error = answered(Cause::Unavailable, Delivery::Refused, Retry::AfterMs(0));
    assert_eq!(answer::failed(&error, "").header("retry-after"), Some("1"));
    let unknown = answered(Cause::ServerError, Delivery::Unknown, Retry::AfterMs(0));
    assert_eq!(answer::failed(&unknown, "").header("retry-after"), None, "sending again may double the message");
}

#[test]
fn causes_have_the_names_that_the_interface_has_for_them() {
    let interface = include_str!("../../../wit/types.wit");
    let names = include_str!("../names.rs").split('"').skip(1).step_by(2).filter(|name| !name.contains('/'));
    let names: Vec<_> = names.collect();
    assert!(names.len() > 40, "{names:?}");
    for name in names {
        assert!(interface.contains(&format!(" {name},")) || interface.contains(&format!(" {name}(")), "{name}");
    }
}
