//! Why no request can be made, at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use thingpost::{ConfigurationProblem, RequestProblem};

use crate::bindings::exports::thingpost::iot::types as wit;
use crate::outcome;

pub(crate) fn problem(problem: RequestProblem) -> wit::RequestProblem {
    match problem {
        RequestProblem::InvalidTopic(problem) => wit::RequestProblem::InvalidTopic(outcome::topic_problem(problem)),
        RequestProblem::InvalidField(field) => wit::RequestProblem::InvalidField(outcome::field(field)),
        RequestProblem::PayloadTooLarge => wit::RequestProblem::PayloadTooLarge,
        RequestProblem::Unsupported => wit::RequestProblem::Unsupported,
    }
}

pub(crate) fn configuration_problem(problem: ConfigurationProblem) -> wit::RequestProblem {
    wit::RequestProblem::InvalidConfiguration(problem.text())
}
