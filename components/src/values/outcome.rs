//! Receipts and errors at the border.

use alloc::string::String;

use thingpost::http::Failure;
use thingpost::topic::TopicProblem;
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

pub fn topic_error(problem: TopicProblem) -> wit::TopicError {
    match problem {
        TopicProblem::Empty => wit::TopicError::Empty,
        TopicProblem::DotSegment => wit::TopicError::DotSegment,
        TopicProblem::TooLong => wit::TopicError::TooLong,
        TopicProblem::TooManySlashes => wit::TopicError::TooManySlashes,
        TopicProblem::Wildcard => wit::TopicError::Wildcard,
        TopicProblem::ControlCharacter => wit::TopicError::ControlCharacter,
        TopicProblem::Reserved => wit::TopicError::Reserved,
        TopicProblem::NotAbsolute => wit::TopicError::NotAbsolute,
        TopicProblem::EmptyLevel => wit::TopicError::EmptyLevel,
        TopicProblem::Query => wit::TopicError::Query,
        TopicProblem::Placeholder => wit::TopicError::Placeholder,
        TopicProblem::OtherDevice => wit::TopicError::OtherDevice,
        _ => wit::TopicError::Other,
    }
}

fn transport_error_kind(failure: Failure) -> wit::TransportErrorKind {
    match failure {
        Failure::Denied => wit::TransportErrorKind::Denied,
        Failure::NameResolution => wit::TransportErrorKind::NameResolution,
        Failure::ConnectionRefused => wit::TransportErrorKind::ConnectionRefused,
        Failure::Unreachable => wit::TransportErrorKind::Unreachable,
        Failure::ConnectTimeout => wit::TransportErrorKind::ConnectTimeout,
        Failure::ConnectionLimit => wit::TransportErrorKind::ConnectionLimit,
        Failure::TlsCertificate => wit::TransportErrorKind::TlsCertificate,
        Failure::TlsAlert => wit::TransportErrorKind::TlsAlert,
        Failure::TlsProtocol => wit::TransportErrorKind::TlsProtocol,
        Failure::RequestRejected => wit::TransportErrorKind::RequestRejected,
        Failure::ConnectionClosed | Failure::KeptConnectionClosed => wit::TransportErrorKind::ConnectionClosed,
        Failure::ConnectionReset => wit::TransportErrorKind::ConnectionReset,
        Failure::AnswerTimeout => wit::TransportErrorKind::AnswerTimeout,
        Failure::AnswerIncomplete => wit::TransportErrorKind::AnswerIncomplete,
        Failure::AnswerTooLarge => wit::TransportErrorKind::AnswerTooLarge,
        Failure::Protocol => wit::TransportErrorKind::Protocol,
        Failure::KeepAliveTimeout => wit::TransportErrorKind::KeepAliveTimeout,
        _ => wit::TransportErrorKind::Other,
    }
}
