//! How an attack says what came of it: as the explanation of an error, the one text that a publisher can return.

use crate::bindings::exports::thingpost::iot::publisher::Error;
use crate::bindings::exports::thingpost::iot::types::{Cause, Delivery, Retry, Stage};

/// What a guest has seen before it gave up.
pub fn done(explanation: String) -> Error {
    Error {
        cause: Cause::Other,
        stage: Stage::Other,
        delivery: Delivery::Unknown,
        retry: Retry::Never,
        attempts: 0,
        answer: None,
        explanation,
    }
}
