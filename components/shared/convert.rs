//! WIT values into core values and back. Part of both components: each generates its own types from `wit/`, alike in
//! shape and foreign to each other, so this file is compiled into each.

use bytes::Bytes;
use thingpost::aliyun::{Config, Device, SignMethod, TimestampPolicy};
use thingpost::http::Failure;
use thingpost::topic::TopicProblem;
use thingpost::{
    Answer, Cause, ConfigurationProblem, Delivery, Endpoint, Error, Message, Options, Platform, Qos, Receipt, Retry,
    Stage, aws,
};

use crate::bindings::exports::thingpost::iot::types as wit;

pub(crate) fn message(message: wit::Message) -> Message {
    let qos = match message.qos {
        wit::Qos::AtMostOnce => Qos::AtMostOnce,
        wit::Qos::AtLeastOnce => Qos::AtLeastOnce,
    };
    Message { topic: message.topic, payload: Bytes::from(message.payload), qos }
}

pub(crate) fn endpoint(host: &str, port: u16) -> Result<Endpoint, ConfigurationProblem> {
    Endpoint::new(host, port).map_err(ConfigurationProblem::Endpoint)
}

pub(crate) fn aws_config(config: &wit::AwsConfig) -> Result<aws::Config, ConfigurationProblem> {
    Ok(aws::Config { endpoint: endpoint(&config.endpoint, config.port)? })
}

pub(crate) fn platform(platform: wit::Platform) -> Result<Platform, ConfigurationProblem> {
    match platform {
        wit::Platform::Aws(config) => Ok(Platform::Aws(aws_config(&config)?)),
        wit::Platform::Aliyun(config) => {
            let endpoint = endpoint(&config.endpoint, config.port)?;
            let client_id = config.client_id.as_deref();
            let device = Device::new(endpoint, &config.product_key, &config.device_name, client_id)?;
            let timestamp = match config.timestamp {
                wit::TimestampPolicy::None => TimestampPolicy::None,
                wit::TimestampPolicy::Now => TimestampPolicy::Now,
            };
            let method = sign_method(config.sign_method);
            Ok(Platform::Aliyun(Config::new(device, &config.device_secret, method, timestamp)?))
        }
    }
}

pub(crate) fn sign_method(method: wit::SignMethod) -> SignMethod {
    match method {
        wit::SignMethod::HmacMd5 => SignMethod::HmacMd5,
        wit::SignMethod::HmacSha1 => SignMethod::HmacSha1,
        wit::SignMethod::HmacSha256 => SignMethod::HmacSha256,
    }
}

pub(crate) fn options(options: &wit::Options) -> Result<Options, ConfigurationProblem> {
    let default = Options::default();
    let options = Options {
        timeout_ms: options.timeout_ms.unwrap_or(default.timeout_ms),
        connect_timeout_ms: options.connect_timeout_ms.unwrap_or(default.connect_timeout_ms),
        max_attempts: options.max_attempts.unwrap_or(default.max_attempts),
        backoff_base_ms: options.backoff_base_ms.unwrap_or(default.backoff_base_ms),
        backoff_max_ms: options.backoff_max_ms.unwrap_or(default.backoff_max_ms),
        max_in_flight: options.max_in_flight.unwrap_or(default.max_in_flight),
    };
    options.check()?;
    Ok(options)
}

pub(crate) fn outcome(
    outcome: Result<Receipt, Error>,
    explain: impl FnOnce(&Error) -> String,
) -> Result<wit::Receipt, wit::Error> {
    match outcome {
        Ok(Receipt { message_id, trace_id, attempts }) => Ok(wit::Receipt { message_id, trace_id, attempts }),
        Err(error) => {
            let explanation = explain(&error);
            Err(self::error(error, explanation))
        }
    }
}

pub(crate) fn error(error: Error, explanation: String) -> wit::Error {
    wit::Error {
        cause: cause(error.cause),
        stage: match error.stage {
            Stage::Preparation => wit::Stage::Preparation,
            Stage::Authentication => wit::Stage::Authentication,
            Stage::Publication => wit::Stage::Publication,
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
        answer: error.answer.map(answer),
        explanation,
    }
}

fn answer(answer: Answer) -> wit::Answer {
    let Answer { status, code, message, trace_id } = answer;
    wit::Answer { status, code, message, trace_id }
}

fn cause(cause: Cause) -> wit::Cause {
    match cause {
        Cause::InvalidTopic(problem) => wit::Cause::InvalidTopic(topic_problem(problem)),
        Cause::PayloadTooLarge => wit::Cause::PayloadTooLarge,
        Cause::Transport(failure) => wit::Cause::Transport(self::failure(failure)),
        Cause::InvalidRequest => wit::Cause::InvalidRequest,
        Cause::Unauthenticated => wit::Cause::Unauthenticated,
        Cause::Forbidden => wit::Cause::Forbidden,
        Cause::NotFound => wit::Cause::NotFound,
        Cause::MethodNotAllowed => wit::Cause::MethodNotAllowed,
        Cause::Conflict => wit::Cause::Conflict,
        Cause::UpgradeRequired => wit::Cause::UpgradeRequired,
        Cause::TokenRejected => wit::Cause::TokenRejected,
        Cause::Throttled => wit::Cause::Throttled,
        Cause::ServerError => wit::Cause::ServerError,
        Cause::Unavailable => wit::Cause::Unavailable,
        Cause::PublishFailed => wit::Cause::PublishFailed,
        Cause::WrongHostOrPath => wit::Cause::WrongHostOrPath,
        Cause::MalformedAnswer => wit::Cause::MalformedAnswer,
        Cause::UndocumentedAnswer => wit::Cause::UndocumentedAnswer,
        Cause::Abandoned => wit::Cause::Abandoned,
        // The core may learn a cause before the interface does; so below.
        _ => wit::Cause::Other,
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
        Failure::ConnectionClosed => wit::Failure::ConnectionClosed,
        Failure::AnswerTimeout => wit::Failure::AnswerTimeout,
        Failure::AnswerIncomplete => wit::Failure::AnswerIncomplete,
        Failure::AnswerTooLarge => wit::Failure::AnswerTooLarge,
        Failure::Protocol => wit::Failure::Protocol,
        _ => wit::Failure::Other,
    }
}
