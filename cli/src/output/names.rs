//! The names of causes and failures as `wit/types.wit` spells them, for programs that read `--json`.

use thingpost_host::runtime::types::{Cause, Delivery, Failure};

/// `transport/connection-refused`, `forbidden`, ...
pub fn cause(cause: Cause) -> String {
    let name = match cause {
        Cause::Transport(failure) => return format!("transport/{}", self::failure(failure)),
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
        Cause::Other => "other",
    };
    name.to_owned()
}

fn failure(failure: Failure) -> &'static str {
    match failure {
        Failure::Denied => "denied",
        Failure::NameResolution => "name-resolution",
        Failure::ConnectionRefused => "connection-refused",
        Failure::Unreachable => "unreachable",
        Failure::ConnectTimeout => "connect-timeout",
        Failure::ConnectionLimit => "connection-limit",
        Failure::TlsCertificate => "tls-certificate",
        Failure::TlsAlert => "tls-alert",
        Failure::TlsProtocol => "tls-protocol",
        Failure::RequestRejected => "request-rejected",
        Failure::ConnectionClosed => "connection-closed",
        Failure::ConnectionReset => "connection-reset",
        Failure::AnswerTimeout => "answer-timeout",
        Failure::AnswerIncomplete => "answer-incomplete",
        Failure::AnswerTooLarge => "answer-too-large",
        Failure::Protocol => "protocol",
        Failure::KeepAliveTimeout => "keep-alive-timeout",
        Failure::Other => "other",
    }
}

/// `not sent`, as a person says it.
pub fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::NotSent => "not sent",
        Delivery::Refused => "refused",
        Delivery::Unknown => "unknown",
    }
}
