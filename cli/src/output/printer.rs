//! Where an outcome is said: what is well and what is for programs on standard output, what went wrong on standard error.

use serde_json::{Map, Value};
use thingpost_host::runtime::types::{Delivery, Error, Message, Receipt};

use super::names;
use super::report::{self, LastFailure};
use crate::error::one_line;
use crate::terminal::{complain, print, record};

/// What became of a message.
pub fn outcome(message: &Message, outcome: &Result<Receipt, Error>, last_failure: &LastFailure, json: bool) {
    if json {
        return object(report::json(message, outcome), outcome.as_ref().err(), last_failure);
    }
    let text = one_line(&report::text(message, outcome, last_failure));
    match outcome {
        Ok(_) => print(text),
        Err(_) => complain(text),
    }
}

/// What became of a message of which the component has said nothing.
pub fn without_answer(message: &Message, delivery: Delivery, reason: &str, json: bool) {
    match json {
        true => object(report::json_without_answer(message, delivery, reason, None), None, &LastFailure::default()),
        false => complain(one_line(&format!("{}: {reason}", names::delivery(delivery)))),
    }
}

/// What became of anything else.
pub fn failure(error: &Error, last_failure: &LastFailure, json: bool) {
    match json {
        true => object(report::failure_json(error), Some(error), last_failure),
        false => complain(one_line(&report::failure_text(error, last_failure))),
    }
}

fn object(mut object: Map<String, Value>, error: Option<&Error>, last_failure: &LastFailure) {
    if let Some(error) = error {
        last_failure.add_to(&mut object, error);
    }
    record(Value::Object(object), "the record of a message");
}
