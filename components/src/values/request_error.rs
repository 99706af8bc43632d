//! Why no request can be made, at the border.

use thingpost::{ConfigurationProblem, RequestProblem};

use super::outcome;
use crate::bindings::exports::thingpost::iot::types as wit;

pub fn request_error(problem: RequestProblem) -> wit::RequestError {
    match problem {
        RequestProblem::InvalidTopic(problem) => wit::RequestError::InvalidTopic(outcome::topic_error(problem)),
        RequestProblem::InvalidField(field) => wit::RequestError::InvalidField(outcome::field(field)),
        RequestProblem::PayloadTooLarge => wit::RequestError::PayloadTooLarge,
        RequestProblem::Unsupported => wit::RequestError::Unsupported,
    }
}

pub fn configuration_error(problem: ConfigurationProblem) -> wit::RequestError {
    wit::RequestError::InvalidConfiguration(problem.text())
}
