//! Outcomes at the border, with their explanations.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use alloc::string::String;

use thingpost::{Error, Receipt};

use crate::bindings::exports::thingpost::iot::types as wit;
use crate::outcome;

pub(crate) fn explained(
    result: Result<Receipt, Error>,
    explain: impl FnOnce(&Error) -> String,
) -> Result<wit::Receipt, wit::Error> {
    match result {
        Ok(receipt) => Ok(outcome::receipt(receipt)),
        Err(error) => {
            let explanation = explain(&error);
            Err(outcome::error(error, explanation))
        }
    }
}
