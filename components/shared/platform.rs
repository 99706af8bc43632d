//! A whole configuration at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use alloc::sync::Arc;

use thingpost::aliyun::{Config, Device, Signer, TimestampPolicy};
use thingpost::{ConfigurationProblem, Options, Platform, Secret};

use crate::bindings::exports::thingpost::iot::types as wit;
use crate::config::{aws_config, endpoint};
use crate::sign_method::sign_method;

pub(crate) fn platform(platform: wit::Platform) -> Result<Arc<dyn Platform>, ConfigurationProblem> {
    match platform {
        wit::Platform::Aws(config) => Ok(Arc::new(aws_config(config)?)),
        wit::Platform::Aliyun(config) => Ok(Arc::new(aliyun_config(config)?)),
    }
}

pub(crate) fn aliyun_config(config: wit::AliyunConfig) -> Result<Config, ConfigurationProblem> {
    let endpoint = endpoint(&config.endpoint, config.port)?;
    let client_id = config.client_id.as_deref();
    let device = Device::new(endpoint, &config.product_key, &config.device_name, client_id)?;
    let signer = match config.signer {
        wit::Signer::DeviceSecret(secret) => Signer::Secret(Secret::new(secret)),
        wit::Signer::Host => Signer::Elsewhere,
    };
    let timestamp = match config.timestamp {
        wit::TimestampPolicy::None => TimestampPolicy::None,
        wit::TimestampPolicy::Now => TimestampPolicy::Now,
        wit::TimestampPolicy::Corrected => TimestampPolicy::Corrected,
    };
    Config::new(device, signer, sign_method(config.sign_method), timestamp)
}

pub(crate) fn options(options: &wit::Options) -> Result<Options, ConfigurationProblem> {
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
