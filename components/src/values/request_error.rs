//! Why no request can be made, at the border.

use alloc::string::ToString;

use thingpost::{ConfigError, RequestError};

use super::outcome;
use crate::bindings::exports::thingpost::iot::types as wit;

pub fn request_error(problem: RequestError) -> wit::RequestError {
    match problem {
        RequestError::InvalidTopic(problem) => wit::RequestError::InvalidTopic(outcome::topic_error(problem)),
        RequestError::InvalidField(field) => wit::RequestError::InvalidField(outcome::field(field)),
        RequestError::PayloadTooLarge => wit::RequestError::PayloadTooLarge,
        RequestError::Unsupported => wit::RequestError::Unsupported,
    }
}

pub fn configuration_error(problem: ConfigError) -> wit::RequestError {
    wit::RequestError::InvalidConfiguration(problem.to_string())
}
