//! From an outcome to an HTTP answer. Statuses are few and outcomes are many, so the status says what a client that knows
//! nothing else should do, and the body says which it was: above all whether the message may have arrived.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::names;
use super::refusal::Refusal;
use crate::error::{Cause, Error};
use crate::http::Response;
use crate::json::ObjectWriter;
use crate::outcome::{Delivery, Receipt, Retry};

/// The message was accepted.
pub fn delivered(receipt: &Receipt) -> Response {
    let mut body = ObjectWriter::new();
    body.text("outcome", "delivered");
    if let Some(message_id) = receipt.message_id {
        // As text: it is above 2^53, and there are readers that would make it a float.
        body.text("messageId", &message_id.to_string());
    }
    if let Some(trace_id) = &receipt.trace_id {
        body.text("traceId", trace_id);
    }
    body.integer("attempts", receipt.attempts.into());
    json(200, "application/json", body)
}

/// Nothing was sent.
pub fn refused(refusal: &Refusal) -> Response {
    let status = refusal.status();
    let mut answer = problem(status, refusal.name(), &refusal.to_string(), Delivery::NotSent, None);
    match refusal {
        Refusal::MethodNotAllowed { allowed } => add(&mut answer, "allow", &allowed.join(", ")),
        Refusal::TokenMissing => add(&mut answer, "www-authenticate", "Bearer"),
        Refusal::TokenWrong => add(&mut answer, "www-authenticate", "Bearer error=\"invalid_token\""),
        _ => {}
    }
    answer
}

/// The message was not delivered, for this reason; `explanation` is what [`Platform::explain`](crate::Platform::explain) makes of it.
pub fn failed(error: &Error, explanation: &str) -> Response {
    let status = status(error);
    let retry_after_ms = match error.retry {
        Retry::AfterMs(after_ms) => Some(after_ms),
        Retry::Never | Retry::AfterAuthentication => None,
    };
    let mut answer = problem(status, &names::cause(error.cause), explanation, error.delivery, retry_after_ms);
    if let Some(after_ms) = retry_after_ms.filter(|_| matches!(status, 429 | 503)) {
        // Whole seconds, and zero would be an invitation to send as fast as the line allows.
        add(&mut answer, "retry-after", &after_ms.div_ceil(1000).max(1).to_string());
    }
    answer
}

/// This function runs, and, where that was asked, could publish.
pub fn well() -> Response {
    let mut body = ObjectWriter::new();
    body.text("status", "ok");
    json(200, "application/json", body)
}

/// The status for a message that was not delivered.
fn status(error: &Error) -> u16 {
    match (error.cause, error.delivery) {
        (Cause::InvalidTopic(_) | Cause::InvalidField(_), _) => 400,
        (Cause::PayloadTooLarge, _) => 413,
        (Cause::Throttled, _) => 429,
        // Ours, and not the caller's: other credentials, another endpoint.
        (
            Cause::Unauthenticated
            | Cause::TokenRejected
            | Cause::SigningFailed
            | Cause::SignMethodUnsupported
            | Cause::WrongHostOrPath
            | Cause::MalformedAnswer
            | Cause::UndocumentedAnswer
            | Cause::UpgradeRequired,
            _,
        ) => 502,
        (_, Delivery::Unknown) => 504,
        (Cause::Unsupported, _) => 422,
        (_, Delivery::NotSent) => 503,
        (_, Delivery::Refused) => match error.retry {
            Retry::AfterMs(_) => 503,
            Retry::Never | Retry::AfterAuthentication => 422,
        },
    }
}

/// The standard's words for a status.
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Gateway Timeout",
    }
}

fn problem(status: u16, cause: &str, detail: &str, delivery: Delivery, retry_after_ms: Option<u64>) -> Response {
    let mut body = ObjectWriter::new();
    body.text("type", &["urn:thingpost:problem:", cause].concat());
    body.text("title", title(status));
    body.integer("status", status.into());
    body.text("detail", detail);
    body.text("outcome", names::outcome(delivery));
    body.text("cause", cause);
    if let Some(after_ms) = retry_after_ms {
        body.integer("retryAfterMs", after_ms);
    }
    json(status, "application/problem+json", body)
}

fn json(status: u16, media_type: &str, body: ObjectWriter) -> Response {
    let body: Vec<u8> = body.finish().into_bytes();
    let length = body.len().to_string();
    // What became of one message is no answer to the next request.
    let headers = [("content-type", media_type), ("content-length", &length), ("cache-control", "no-store")];
    Response { status, headers: headers.map(owned).to_vec(), body }
}

fn owned((name, value): (&str, &str)) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}

fn add(answer: &mut Response, name: &str, value: &str) {
    answer.headers.push(owned((name, value)));
}
