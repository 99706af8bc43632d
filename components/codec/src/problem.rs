//! Why no request can be made of a message, at the border.

use thingpost::{ConfigurationProblem, MessageProblem};

use crate::bindings::exports::thingpost::iot::types as wit;
use crate::outcome;

pub(crate) fn problem(problem: MessageProblem) -> wit::MessageProblem {
    match problem {
        MessageProblem::InvalidTopic(problem) => wit::MessageProblem::InvalidTopic(outcome::topic_problem(problem)),
        MessageProblem::PayloadTooLarge => wit::MessageProblem::PayloadTooLarge,
    }
}

pub(crate) fn configuration_problem(problem: ConfigurationProblem) -> wit::MessageProblem {
    wit::MessageProblem::InvalidConfiguration(problem.text())
}
