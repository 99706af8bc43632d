//! Outcomes at the border, with their explanations.

use alloc::string::String;

use thingpost::{Error, Receipt};

use super::outcome;
use crate::bindings::exports::thingpost::iot::types as wit;

pub fn explained(
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
