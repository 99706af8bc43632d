//! The names of causes as `wit/types.wit` spells them, for programs.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::outcome::Delivery;

/// `transport/connection-refused`, `forbidden`, ...
pub(super) fn cause(cause: Cause) -> String {
    let name = match cause {
        Cause::Transport(failure) => return ["transport/", failure_name(failure)].concat(),
        Cause::InvalidTopic(_) => "invalid-topic",
        Cause::InvalidField(_) => "invalid-field",
        Cause::Unsupported => "unsupported",
        Cause::PayloadTooLarge => "payload-too-large",
        Cause::InvalidRequest => "invalid-request",
        Cause::Unauthenticated => "unauthenticated",
        Cause::Forbidden => "forbidden",
        Cause::NotFound => "not-found",
        Cause::MethodNotAllowed => "method-not-allowed",
        Cause::Conflict => "conflict",
        Cause::VersionConflict => "version-conflict",
        Cause::Unconfirmed => "unconfirmed",
        Cause::RegistrationOff => "registration-off",
        Cause::AlreadyActive => "already-active",
        Cause::SignMethodUnsupported => "sign-method-unsupported",
        Cause::SigningFailed => "signing-failed",
        Cause::UpgradeRequired => "upgrade-required",
        Cause::TokenRejected => "token-rejected",
        Cause::Throttled => "throttled",
        Cause::ServerError => "server-error",
        Cause::Unavailable => "unavailable",
        Cause::PublishFailed => "publish-failed",
        Cause::WrongHostOrPath => "wrong-host-or-path",
        Cause::MalformedAnswer => "malformed-answer",
        Cause::UndocumentedAnswer => "undocumented-answer",
        Cause::TakenOver => "taken-over",
        Cause::NotConnected => "not-connected",
        Cause::QueueFull => "queue-full",
        Cause::Expired => "expired",
        Cause::Abandoned => "abandoned",
    };
    name.to_owned()
}

fn failure_name(failure: TransportErrorKind) -> &'static str {
    match failure {
        TransportErrorKind::Denied => "denied",
        TransportErrorKind::NameResolution => "name-resolution",
        TransportErrorKind::ConnectionRefused => "connection-refused",
        TransportErrorKind::Unreachable => "unreachable",
        TransportErrorKind::ConnectTimeout => "connect-timeout",
        TransportErrorKind::ConnectionLimit => "connection-limit",
        TransportErrorKind::TlsCertificate => "tls-certificate",
        TransportErrorKind::TlsAlert => "tls-alert",
        TransportErrorKind::TlsProtocol => "tls-protocol",
        TransportErrorKind::RequestRejected => "request-rejected",
        TransportErrorKind::ConnectionClosed | TransportErrorKind::KeptConnectionClosed => "connection-closed",
        TransportErrorKind::ConnectionReset => "connection-reset",
        TransportErrorKind::AnswerTimeout => "answer-timeout",
        TransportErrorKind::AnswerIncomplete => "answer-incomplete",
        TransportErrorKind::AnswerTooLarge => "answer-too-large",
        TransportErrorKind::Protocol => "protocol",
        TransportErrorKind::KeepAliveTimeout => "keep-alive-timeout",
        TransportErrorKind::Other => "other",
    }
}

/// Where a message stands that was not delivered.
pub(super) fn outcome(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::NotSent => "not-sent",
        Delivery::Refused => "refused",
        Delivery::Unknown => "unknown",
    }
}
