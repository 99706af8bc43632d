//! Receipts and errors at the border.

use alloc::string::String;

use thingpost::http::TransportErrorKind;
use thingpost::topic::TopicError;
use thingpost::{Answer, Cause, Delivery, Error, Field, Receipt, Retry, Stage};

use crate::bindings::exports::thingpost::iot::types as wit;

pub fn receipt(receipt: Receipt) -> wit::Receipt {
    let Receipt { message_id, trace_id, attempts } = receipt;
    wit::Receipt { message_id, trace_id, attempts }
}

pub fn error(error: Error, explanation: String) -> wit::Error {
    wit::Error {
        cause: cause(error.cause),
        stage: match error.stage {
            Stage::Preparation => wit::Stage::Preparation,
            Stage::Authentication => wit::Stage::Authentication,
            Stage::Publication => wit::Stage::Publication,
            Stage::Connection => wit::Stage::Connection,
        },
        delivery: match error.delivery {
            Delivery::NotSent => wit::Delivery::NotSent,
            Delivery::Refused => wit::Delivery::Refused,
            Delivery::Unknown => wit::Delivery::Unknown,
        },
        retry: match error.retry {
            Retry::Never => wit::Retry::Never,
            Retry::AfterMs(ms) => wit::Retry::AfterMs(ms),
            Retry::AfterAuthentication => wit::Retry::AfterAuthentication,
        },
        attempts: error.attempts,
        answer: error.answer.map(|boxed| answer(*boxed)),
        explanation,
    }
}

fn answer(answer: Answer) -> wit::Answer {
    let Answer { status, code, message, trace_id, clock_ahead_ms } = answer;
    wit::Answer { status, code, message, trace_id, clock_ahead_ms }
}

fn cause(cause: Cause) -> wit::Cause {
    match cause {
        Cause::InvalidTopic(problem) => wit::Cause::InvalidTopic(topic_error(problem)),
        Cause::InvalidField(field) => wit::Cause::InvalidField(self::field(field)),
        Cause::PayloadTooLarge => wit::Cause::PayloadTooLarge,
        Cause::Unsupported => wit::Cause::Unsupported,
        Cause::Transport(failure) => wit::Cause::Transport(transport_error_kind(failure)),
        Cause::InvalidRequest => wit::Cause::InvalidRequest,
        Cause::Unauthenticated => wit::Cause::Unauthenticated,
        Cause::Forbidden => wit::Cause::Forbidden,
        Cause::NotFound => wit::Cause::NotFound,
        Cause::MethodNotAllowed => wit::Cause::MethodNotAllowed,
        Cause::Conflict => wit::Cause::Conflict,
        Cause::VersionConflict => wit::Cause::VersionConflict,
        Cause::Unconfirmed => wit::Cause::Unconfirmed,
        Cause::RegistrationOff => wit::Cause::RegistrationOff,
        Cause::AlreadyActive => wit::Cause::AlreadyActive,
        Cause::SignMethodUnsupported => wit::Cause::SignMethodUnsupported,
        Cause::SigningFailed => wit::Cause::SigningFailed,
        Cause::UpgradeRequired => wit::Cause::UpgradeRequired,
        Cause::TokenRejected => wit::Cause::TokenRejected,
        Cause::Throttled => wit::Cause::Throttled,
        Cause::ServerError => wit::Cause::ServerError,
        Cause::Unavailable => wit::Cause::Unavailable,
        Cause::PublishFailed => wit::Cause::PublishFailed,
        Cause::WrongHostOrPath => wit::Cause::WrongHostOrPath,
        Cause::MalformedAnswer => wit::Cause::MalformedAnswer,
        Cause::UndocumentedAnswer => wit::Cause::UndocumentedAnswer,
        Cause::TakenOver => wit::Cause::TakenOver,
        Cause::NotConnected => wit::Cause::NotConnected,
        Cause::QueueFull => wit::Cause::QueueFull,
        Cause::Expired => wit::Cause::Expired,
        Cause::Abandoned => wit::Cause::Abandoned,
        // The core may learn a cause before the interface does; so below.
        _ => wit::Cause::Other,
    }
}

pub fn field(field: Field) -> wit::Field {
    match field {
        Field::RuleName => wit::Field::RuleName,
        Field::ContentType => wit::Field::ContentType,
        Field::ResponseTopic => wit::Field::ResponseTopic,
        Field::UserProperty => wit::Field::UserProperty,
        Field::ThingName => wit::Field::ThingName,
        Field::ShadowName => wit::Field::ShadowName,
        Field::ClientId => wit::Field::ClientId,
        Field::PageSize => wit::Field::PageSize,
        Field::ConfirmationTimeout => wit::Field::ConfirmationTimeout,
        Field::ShadowDocument => wit::Field::ShadowDocument,
        Field::Identifier => wit::Field::Identifier,
        Field::PropertyValue => wit::Field::PropertyValue,
        Field::EventValue => wit::Field::EventValue,
        Field::TopicFilter => wit::Field::TopicFilter,
        _ => wit::Field::Other,
    }
}

pub fn topic_error(problem: TopicError) -> wit::TopicError {
    match problem {
        TopicError::Empty => wit::TopicError::Empty,
        TopicError::DotSegment => wit::TopicError::DotSegment,
        TopicError::TooLong => wit::TopicError::TooLong,
        TopicError::TooManySlashes => wit::TopicError::TooManySlashes,
        TopicError::Wildcard => wit::TopicError::Wildcard,
        TopicError::ControlCharacter => wit::TopicError::ControlCharacter,
        TopicError::Reserved => wit::TopicError::Reserved,
        TopicError::NotAbsolute => wit::TopicError::NotAbsolute,
        TopicError::EmptyLevel => wit::TopicError::EmptyLevel,
        TopicError::Query => wit::TopicError::Query,
        TopicError::Placeholder => wit::TopicError::Placeholder,
        TopicError::OtherDevice => wit::TopicError::OtherDevice,
        _ => wit::TopicError::Other,
    }
}

fn transport_error_kind(failure: TransportErrorKind) -> wit::TransportErrorKind {
    match failure {
        TransportErrorKind::Denied => wit::TransportErrorKind::Denied,
        TransportErrorKind::NameResolution => wit::TransportErrorKind::NameResolution,
        TransportErrorKind::ConnectionRefused => wit::TransportErrorKind::ConnectionRefused,
        TransportErrorKind::Unreachable => wit::TransportErrorKind::Unreachable,
        TransportErrorKind::ConnectTimeout => wit::TransportErrorKind::ConnectTimeout,
        TransportErrorKind::ConnectionLimit => wit::TransportErrorKind::ConnectionLimit,
        TransportErrorKind::TlsCertificate => wit::TransportErrorKind::TlsCertificate,
        TransportErrorKind::TlsAlert => wit::TransportErrorKind::TlsAlert,
        TransportErrorKind::TlsProtocol => wit::TransportErrorKind::TlsProtocol,
        TransportErrorKind::RequestRejected => wit::TransportErrorKind::RequestRejected,
        TransportErrorKind::ConnectionClosed | TransportErrorKind::KeptConnectionClosed => {
            wit::TransportErrorKind::ConnectionClosed
        }
        TransportErrorKind::ConnectionReset => wit::TransportErrorKind::ConnectionReset,
        TransportErrorKind::AnswerTimeout => wit::TransportErrorKind::AnswerTimeout,
        TransportErrorKind::AnswerIncomplete => wit::TransportErrorKind::AnswerIncomplete,
        TransportErrorKind::AnswerTooLarge => wit::TransportErrorKind::AnswerTooLarge,
        TransportErrorKind::Protocol => wit::TransportErrorKind::Protocol,
        TransportErrorKind::KeepAliveTimeout => wit::TransportErrorKind::KeepAliveTimeout,
        _ => wit::TransportErrorKind::Other,
    }
}
