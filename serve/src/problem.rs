//! Answers of the server itself, for a request that no guest has answered. They have the form of those of the edge function, RFC 9457, so
//! that a device has one thing to read.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::json;

/// Anything that says in one line what went wrong.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer, be it a guest's or the server's.
pub type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;

/// Whether a message may have gone out with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// No guest has seen the request to its end, and nothing was sent.
    NotSent,
    /// A guest had the request, and what came of it is not known.
    Unknown,
}

/// What the server has to say of a request.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub status: StatusCode,
    /// The name of the cause, for programs.
    pub cause: &'static str,
    /// What happened and what to do, for people.
    pub detail: Cow<'static, str>,
    pub outcome: Outcome,
    /// After how many seconds it is worth another try.
    pub retry_after_seconds: Option<u32>,
}

impl Problem {
    pub fn not_sent(status: StatusCode, cause: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, cause, detail: detail.into(), outcome: Outcome::NotSent, retry_after_seconds: None }
    }

    pub fn retry_after_seconds(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    pub fn answer(&self) -> Response<AnswerBody> {
        let &Self { status, cause, ref detail, outcome, retry_after_seconds } = self;
        let mut body = json!({
            "type": format!("urn:thingpost:problem:{cause}"),
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
            "outcome": match outcome {
                Outcome::NotSent => "not-sent",
                Outcome::Unknown => "unknown",
            },
            "cause": cause,
        });
        if let Some(seconds) = retry_after_seconds {
            body["retryAfterMs"] = (u64::from(seconds) * 1000).into();
        }
        let mut answer = Response::new(whole(body.to_string()));
        *answer.status_mut() = status;
        set(&mut answer, CONTENT_TYPE, "application/problem+json");
        set(&mut answer, CACHE_CONTROL, "no-store");
        if let Some(seconds) = retry_after_seconds {
            answer.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        answer
    }
}

/// A body that is there already.
pub(crate) fn whole(text: impl Into<Bytes>) -> AnswerBody {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

fn set(answer: &mut Response<AnswerBody>, name: HeaderName, value: &'static str) {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
}
