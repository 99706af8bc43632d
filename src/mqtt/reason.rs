//! MQTT 3.1.1 has five ways to refuse a connection and one to refuse a subscription; MQTT 5 has forty reasons for
//! everything. Both become what HTTPS errors are made of.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;

use super::Version;
use crate::error::{Cause, Error, Stage};
use crate::field::Field;
use crate::http::TransportErrorKind;
use crate::outcome::{Answer, Delivery, Retry};

/// What a CONNACK says that refuses.
pub(super) fn refused_connection(version: Version, code: u8, reason: Option<String>) -> Error {
    let (cause, name) = match (version, code) {
        (Version::V3, 1) => (Cause::Unsupported, "unacceptable protocol version"),
        (Version::V3, 2) => (Cause::InvalidRequest, "identifier rejected"),
        (Version::V3, 3) => (Cause::Unavailable, "server unavailable"),
        (Version::V3, 4) => (Cause::Unauthenticated, "bad user name or password"),
        (Version::V3, 5) => (Cause::Forbidden, "not authorized"),
        (Version::V3, _) => (Cause::UndocumentedAnswer, ""),
        (Version::V5, code) => meaning(code),
    };
    error(Stage::Connection, cause, code, name, reason)
}

/// What an acknowledgement, or a DISCONNECT of the broker, says with MQTT 5.
pub(super) fn refused(stage: Stage, code: u8, reason: Option<String>) -> Error {
    let (cause, name) = meaning(code);
    error(stage, cause, code, name, reason)
}

/// Whether a message or a subscription that was answered so may be taken later, as it is: the broker, or something behind it,
/// has had enough for the moment, or does not know. 0x96 is for a DISCONNECT, and brokers say it here as well.
pub(super) fn is_for_now(code: u8) -> bool {
    matches!(code, 0x80 | 0x83 | 0x88 | 0x89 | 0x91 | 0x96 | 0x97)
}

/// What a SUBACK says that refuses. MQTT 3.1.1 has one code for it, which MQTT 5 keeps for "unspecified".
pub(super) fn refused_subscription(version: Version, code: u8, reason: Option<String>) -> Error {
    match version {
        Version::V3 => error(Stage::Publication, Cause::Forbidden, code, "failure", reason),
        Version::V5 => refused(Stage::Publication, code, reason),
    }
}

/// Which server the broker names in its own place. A reader may take it for an endpoint, so it stays one line, and no
/// host name is longer.
pub(super) fn elsewhere(server: &str) -> String {
    let shown: String = server.chars().filter(|it| !it.is_control()).take(255).collect();
    ["it names `", &shown, "`"].concat()
}

fn error(stage: Stage, cause: Cause, code: u8, name: &'static str, reason: Option<String>) -> Error {
    let retry = match cause {
        Cause::Throttled
        | Cause::Conflict
        | Cause::ServerError
        | Cause::Unavailable
        | Cause::TakenOver
        | Cause::Transport(_) => Retry::AfterMs(1000),
        _ => Retry::Never,
    };
    let delivery = match stage {
        Stage::Connection => Delivery::NotSent,
        _ => Delivery::Refused,
    };
    let name = (!name.is_empty()).then(|| name.to_owned());
    let answer = Answer { status: code.into(), code: name, message: reason, trace_id: None, clock_ahead_ms: None };
    Error { cause, stage, delivery, retry, attempts: 1, answer: Some(Box::new(answer)), detail: None }
}

/// The reason codes of MQTT 5 from 0x80 on, with the names that the standard gives them.
fn meaning(code: u8) -> (Cause, &'static str) {
    match code {
        0x80 => (Cause::ServerError, "unspecified error"),
        0x81 => (Cause::InvalidRequest, "malformed packet"),
        0x82 => (Cause::InvalidRequest, "protocol error"),
        0x83 => (Cause::ServerError, "implementation specific error"),
        0x84 => (Cause::Unsupported, "unsupported protocol version"),
        0x85 => (Cause::InvalidField(Field::ClientId), "client identifier not valid"),
        0x86 => (Cause::Unauthenticated, "bad user name or password"),
        0x87 => (Cause::Forbidden, "not authorized"),
        0x88 => (Cause::Unavailable, "server unavailable"),
        0x89 => (Cause::Unavailable, "server busy"),
        0x8a => (Cause::Forbidden, "banned"),
        0x8b => (Cause::Unavailable, "server shutting down"),
        0x8c => (Cause::Unauthenticated, "bad authentication method"),
        0x8d => (Cause::Transport(TransportErrorKind::KeepAliveTimeout), "keep alive timeout"),
        0x8e => (Cause::TakenOver, "session taken over"),
        0x8f => (Cause::InvalidField(Field::TopicFilter), "topic filter invalid"),
        0x90 => (Cause::InvalidRequest, "topic name invalid"),
        0x91 => (Cause::Conflict, "packet identifier in use"),
        0x93 => (Cause::Throttled, "receive maximum exceeded"),
        0x95 => (Cause::PayloadTooLarge, "packet too large"),
        0x96 => (Cause::Throttled, "message rate too high"),
        0x97 => (Cause::Throttled, "quota exceeded"),
        0x98 => (Cause::Unavailable, "administrative action"),
        0x99 => (Cause::InvalidRequest, "payload format invalid"),
        0x9a => (Cause::Unsupported, "retain not supported"),
        0x9b => (Cause::Unsupported, "QoS not supported"),
        0x9c => (Cause::WrongHostOrPath, "use another server"),
        0x9d => (Cause::WrongHostOrPath, "server moved"),
        0x9e => (Cause::Unsupported, "shared subscriptions not supported"),
        0x9f => (Cause::Throttled, "connection rate exceeded"),
        0xa0 => (Cause::Unavailable, "maximum connect time"),
        0xa1 => (Cause::Unsupported, "subscription identifiers not supported"),
        0xa2 => (Cause::Unsupported, "wildcard subscriptions not supported"),
        _ => (Cause::UndocumentedAnswer, ""),
    }
}
