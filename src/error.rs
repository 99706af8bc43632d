//! An AWS user sees "403", an Aliyun user sees "20000", and both start to guess. An [`Error`] says what happened,
//! during which step, where the message stands, and whether a retry helps. It is all types; the text for people is
//! made last, by [`Platform::explain`](crate::Platform::explain).
//!
//! The texts are put together without `format!`, and causes own none. Together that took 15 KB off the codec.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use percent_encoding::utf8_percent_encode;

use crate::field::Field;
use crate::http::{Response, TransportError, TransportErrorKind};
use crate::message::RequestError;
use crate::outcome::{Answer, Delivery, Retry};
use crate::signing::NotSigned;
use crate::text;
use crate::topic::{SEGMENT, TopicError};

/// What is shorter may be part of any word, and hiding it would spoil the message.
const SHORTEST_SECRET: usize = 6;

/// During which step it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before anything was sent.
    Preparation,
    /// Getting a token.
    Authentication,
    /// Publishing the message.
    Publication,
    /// Getting a connection to an MQTT broker, or keeping it.
    Connection,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The topic cannot be published to.
    InvalidTopic(TopicError),
    /// This part breaks its rules.
    InvalidField(Field),
    /// The payload has more than [`MAX_PAYLOAD`](crate::MAX_PAYLOAD) bytes, or the state of a shadow more than 8 KB.
    PayloadTooLarge,
    /// This platform, or this way to authenticate, does not have it.
    Unsupported,
    /// There is no answer.
    Transport(TransportErrorKind),
    /// The platform does not accept the request as it is.
    InvalidRequest,
    /// The device is not who it claims to be.
    Unauthenticated,
    /// The device may not do this.
    Forbidden,
    /// There is no such resource.
    NotFound,
    /// The method is not allowed.
    MethodNotAllowed,
    /// Another request stands in the way.
    Conflict,
    /// The shadow has another version than the update was made for.
    VersionConflict,
    /// The receiver of a direct message did not confirm it in time.
    Unconfirmed,
    /// The product does not let devices register.
    RegistrationOff,
    /// The device has its secret already.
    AlreadyActive,
    /// The sign method is not accepted.
    SignMethodUnsupported,
    /// The holder of the secret did not sign.
    SigningFailed,
    /// The connection must be upgraded.
    UpgradeRequired,
    /// The token is expired, missing or unknown.
    TokenRejected,
    /// Too many requests.
    Throttled,
    /// The platform failed, perhaps after it took the message.
    ServerError,
    /// The platform could not serve the request.
    Unavailable,
    /// The platform could not hand the message to its topic.
    PublishFailed,
    /// A redirect or a web page came back.
    WrongHostOrPath,
    /// The answer cannot be read.
    MalformedAnswer,
    /// The documentation does not have this status or result code.
    UndocumentedAnswer,
    /// Another client has connected with the same client id.
    TakenOver,
    /// There is no connection, and no messages are queued without one.
    NotConnected,
    /// The queue is full, and this is the message that had to go.
    QueueFull,
    /// The time was over that its message expiry gives it.
    Expired,
    /// The exchange, or the session, was ended before the message had its outcome.
    Abandoned,
}

impl Cause {
    /// What went wrong, in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::InvalidTopic(problem) => problem.text(),
            Self::InvalidField(field) => field.text(),
            Self::PayloadTooLarge => "the payload is too large",
            Self::Unsupported => "this platform, or this way to authenticate, does not have it",
            Self::Transport(failure) => failure.text(),
            Self::InvalidRequest => "the platform does not accept the request",
            Self::Unauthenticated => "the platform does not recognise the device",
            Self::Forbidden => "the device may not do this",
            Self::NotFound => "there is no such resource",
            Self::MethodNotAllowed => "the method is not allowed",
            Self::Conflict => "another request stands in the way",
            Self::VersionConflict => "the shadow has another version",
            Self::Unconfirmed => "the receiver did not confirm the message in time",
            Self::RegistrationOff => "the product does not let devices register",
            Self::AlreadyActive => "the device has its secret already",
            Self::SignMethodUnsupported => "the sign method is not accepted",
            Self::SigningFailed => "the host did not sign",
            Self::UpgradeRequired => "the connection must be upgraded",
            Self::TokenRejected => "the platform rejects the token",
            Self::Throttled => "too many requests",
            Self::ServerError => "the platform failed",
            Self::Unavailable => "the platform cannot serve the request now",
            Self::PublishFailed => "the platform could not hand the message to its topic",
            Self::WrongHostOrPath => "a redirect or a web page came back",
            Self::MalformedAnswer => "the answer cannot be read",
            Self::UndocumentedAnswer => "the platform answered with something undocumented",
            Self::TakenOver => "another client has connected with the same client id",
            Self::NotConnected => "there is no connection",
            Self::QueueFull => "the queue for messages without a connection is full",
            Self::Expired => "the message has expired before it could be sent",
            Self::Abandoned => "it was ended before the message had its outcome",
        }
    }
}

/// Why a message was not delivered, and what that means for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What went wrong.
    pub cause: Cause,
    /// When it went wrong.
    pub stage: Stage,
    /// Where the message stands.
    pub delivery: Delivery,
    /// Whether a retry can help.
    pub retry: Retry,
    /// How many attempts were made to send it.
    pub attempts: u32,
    /// What the platform answered.
    pub answer: Option<Box<Answer>>,
    /// What else is known: the words of the host, or what exactly cannot be read.
    pub detail: Option<String>,
}

impl Error {
    /// The HTTP client has no answer.
    pub fn transport(stage: Stage, TransportError { kind, detail }: TransportError) -> Self {
        let delivery = if kind.is_before_sending() { Delivery::NotSent } else { Delivery::Unknown };
        let retry = if kind.is_transient() { Retry::AfterMs(0) } else { Retry::Never };
        Self { cause: Cause::Transport(kind), stage, delivery, retry, attempts: 1, answer: None, detail }
    }

    /// The platform answered.
    pub fn answered(stage: Stage, cause: Cause, delivery: Delivery, retry: Retry, answer: Answer) -> Self {
        Self { cause, stage, delivery, retry, attempts: 1, answer: Some(Box::new(answer)), detail: None }
    }

    /// The error with the time that the server wants to be left alone. A refusal that says when to come back is none for
    /// good, whatever its status.
    pub fn after_what_the_server_wishes(self, response: &Response) -> Self {
        let is_for_now = match self.retry {
            Retry::AfterMs(_) => true,
            Retry::Never => self.delivery == Delivery::Refused && response.status >= 400,
            Retry::AfterAuthentication => false,
        };
        match response.retry_after_ms().filter(|_| is_for_now) {
            Some(after_ms) => Self { retry: Retry::AfterMs(after_ms), ..self },
            None => self,
        }
    }

    /// The platform reports a success that lacks what it is for.
    pub fn malformed(stage: Stage, answer: Answer, what: &'static str) -> Self {
        let error = Self::answered(stage, Cause::MalformedAnswer, Delivery::Unknown, Retry::Never, answer);
        Self { detail: Some(what.to_owned()), ..error }
    }

    /// A registration was answered with the secret of another device.
    pub fn of_another_device() -> Self {
        Self {
            cause: Cause::MalformedAnswer,
            stage: Stage::Authentication,
            delivery: Delivery::Unknown,
            retry: Retry::Never,
            attempts: 1,
            answer: None,
            detail: Some("it is for another device".to_owned()),
        }
    }

    /// The holder of the secret did not sign.
    pub fn not_signed(problem: NotSigned) -> Self {
        Self {
            cause: Cause::SigningFailed,
            stage: Stage::Authentication,
            delivery: Delivery::NotSent,
            retry: problem.retry,
            attempts: 0,
            answer: None,
            detail: Some(problem.reason),
        }
    }

    /// The error with what its answer, which came at this time, says about the local clock.
    pub fn at(mut self, now_unix_ms: u64, response: &Response) -> Self {
        if let (Some(answer), Some(date_unix_ms)) = (&mut self.answer, response.date_unix_ms()) {
            answer.clock_ahead_ms = now_unix_ms.checked_signed_diff(date_unix_ms);
        }
        self
    }

    /// The error without secrets that the platform quotes, as they are or as they stand in a URL.
    pub fn without<'a>(mut self, secrets: impl Iterator<Item = &'a str>) -> Self {
        for secret in secrets.filter(|secret| secret.len() >= SHORTEST_SECRET) {
            let encoded: String = utf8_percent_encode(secret, SEGMENT).collect();
            let quoted = self.answer.as_deref_mut();
            let quoted = quoted.map(|answer| [&mut answer.message, &mut answer.code, &mut answer.trace_id]);
            for text in quoted.into_iter().flatten().chain([&mut self.detail]).flatten() {
                *text = text::without(&text::without(text, secret), &encoded);
            }
        }
        self
    }

    /// What happened, in words: `while authenticating: connection refused (by the proxy)`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.stage == Stage::Authentication {
            text.push_str("while authenticating: ");
        }
        text.push_str(match self.cause {
            // Of a connection that is there for as long as it lasts.
            Cause::Transport(TransportErrorKind::ConnectionClosed) if self.stage == Stage::Connection => {
                "the connection was closed"
            }
            Cause::MalformedAnswer if self.stage == Stage::Connection => "what came cannot be taken",
            // Nothing of this is known before a broker has said so.
            Cause::Unsupported if self.stage == Stage::Publication => "the broker does not have it",
            // Of a broker that says so itself.
            Cause::WrongHostOrPath if self.stage == Stage::Connection && self.answer.is_some() => {
                "the broker sends the client to another server"
            }
            cause => cause.text(),
        });
        if let Some(detail) = &self.detail {
            for part in [" (", detail, ")"] {
                text.push_str(part);
            }
        }
        text
    }
}

impl From<RequestError> for Cause {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::InvalidTopic(error) => Self::InvalidTopic(error),
            RequestError::InvalidField(field) => Self::InvalidField(field),
            RequestError::PayloadTooLarge => Self::PayloadTooLarge,
            RequestError::Unsupported => Self::Unsupported,
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self {
            cause: error.into(),
            stage: Stage::Preparation,
            delivery: Delivery::NotSent,
            retry: Retry::Never,
            attempts: 0,
            answer: None,
            detail: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_the_words_of_the_platform_and_in_those_of_the_host() {
        let answer = Answer {
            status: 400,
            code: Some("no hunter2/3".to_owned()),
            message: Some("is hunter2%2F3 a key?".to_owned()),
            trace_id: Some("hunter2/3".to_owned()),
            clock_ahead_ms: None,
        };
        let error = Error::answered(Stage::Publication, Cause::InvalidRequest, Delivery::Refused, Retry::Never, answer);
        let error = Error { detail: Some("sent hunter2/3".to_owned()), ..error }.without(["hunter2/3"].into_iter());
        let shown = format!("{error:?} {error}");
        assert!(shown.contains("sent (hidden)") && !shown.contains("hunter2"), "{shown}");
        let failed =
            TransportError { kind: TransportErrorKind::Other, detail: Some("cannot send hunter2/3".to_owned()) };
        let error = Error::transport(Stage::Publication, failed).without(["hunter2/3"].into_iter());
        assert_eq!(error.text(), "the request failed (cannot send (hidden))");
    }
}
