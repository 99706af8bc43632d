//! Bounds and pace at the border.

use thingpost::{ConfigError, Options};

use crate::bindings::exports::thingpost::iot::types as wit;

pub fn options(options: &wit::Options) -> Result<Options, ConfigError> {
    let default = Options::default();
    let options = Options {
        timeout_ms: options.timeout_ms.unwrap_or(default.timeout_ms),
        connect_timeout_ms: options.connect_timeout_ms,
        max_attempts: options.max_attempts.unwrap_or(default.max_attempts),
        backoff_base_ms: options.backoff_base_ms.unwrap_or(default.backoff_base_ms),
        backoff_max_ms: options.backoff_max_ms.unwrap_or(default.backoff_max_ms),
        max_in_flight: options.max_in_flight.unwrap_or(default.max_in_flight),
    };
    options.check()?;
    Ok(options)
}
