//! Receipts and errors at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use alloc::string::String;

use thingpost::http::Failure;
use thingpost::topic::TopicProblem;
use thingpost::{Answer, Cause, Delivery, Error, Field, Receipt, Retry, Stage};

use crate::bindings::exports::thingpost::iot::types as wit;

pub(crate) fn receipt(receipt: Receipt) -> wit::Receipt {
    let Receipt { message_id, trace_id, attempts } = receipt;
    wit::Receipt { message_id, trace_id, attempts }
}

pub(crate) fn error(error: Error, explanation: String) -> wit::Error {
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
        Cause::InvalidTopic(problem) => wit::Cause::InvalidTopic(topic_problem(problem)),
        Cause::InvalidField(field) => wit::Cause::InvalidField(self::field(field)),
        Cause::PayloadTooLarge => wit::Cause::PayloadTooLarge,
        Cause::Unsupported => wit::Cause::Unsupported,
        Cause::Transport(failure) => wit::Cause::Transport(self::failure(failure)),
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

pub(crate) fn field(field: Field) -> wit::Field {
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

pub(crate) fn topic_problem(problem: TopicProblem) -> wit::TopicProblem {
    match problem {
        TopicProblem::Empty => wit::TopicProblem::Empty,
        TopicProblem::DotSegment => wit::TopicProblem::DotSegment,
        TopicProblem::TooLong => wit::TopicProblem::TooLong,
        TopicProblem::TooManySlashes => wit::TopicProblem::TooManySlashes,
        TopicProblem::Wildcard => wit::TopicProblem::Wildcard,
        TopicProblem::ControlCharacter => wit::TopicProblem::ControlCharacter,
        TopicProblem::Reserved => wit::TopicProblem::Reserved,
        TopicProblem::NotAbsolute => wit::TopicProblem::NotAbsolute,
        TopicProblem::EmptyLevel => wit::TopicProblem::EmptyLevel,
        TopicProblem::Query => wit::TopicProblem::Query,
        TopicProblem::Placeholder => wit::TopicProblem::Placeholder,
        TopicProblem::OtherDevice => wit::TopicProblem::OtherDevice,
        _ => wit::TopicProblem::Other,
    }
}

fn failure(failure: Failure) -> wit::Failure {
    match failure {
        Failure::Denied => wit::Failure::Denied,
        Failure::NameResolution => wit::Failure::NameResolution,
        Failure::ConnectionRefused => wit::Failure::ConnectionRefused,
        Failure::Unreachable => wit::Failure::Unreachable,
        Failure::ConnectTimeout => wit::Failure::ConnectTimeout,
        Failure::ConnectionLimit => wit::Failure::ConnectionLimit,
        Failure::TlsCertificate => wit::Failure::TlsCertificate,
        Failure::TlsAlert => wit::Failure::TlsAlert,
        Failure::TlsProtocol => wit::Failure::TlsProtocol,
        Failure::RequestRejected => wit::Failure::RequestRejected,
        Failure::ConnectionClosed | Failure::KeptConnectionClosed => wit::Failure::ConnectionClosed,
        Failure::ConnectionReset => wit::Failure::ConnectionReset,
        Failure::AnswerTimeout => wit::Failure::AnswerTimeout,
        Failure::AnswerIncomplete => wit::Failure::AnswerIncomplete,
        Failure::AnswerTooLarge => wit::Failure::AnswerTooLarge,
        Failure::Protocol => wit::Failure::Protocol,
        Failure::KeepAliveTimeout => wit::Failure::KeepAliveTimeout,
        _ => wit::Failure::Other,
    }
}
