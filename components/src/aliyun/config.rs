//! Configurations for HTTPS at the border.

use thingpost::ConfigError;
use thingpost::aliyun::{Config, Device, TimestampPolicy};

use super::signer::signer;
use crate::bindings::exports::thingpost::iot::aliyun_types as wit;
use crate::values::endpoint::endpoint;
use crate::values::sign_method::sign_method;

pub fn config(config: wit::Config) -> Result<Config, ConfigError> {
    let endpoint = endpoint(&config.endpoint, config.port)?;
    let client_id = config.client_id.as_deref();
    let device = Device::new(endpoint, &config.product_key, &config.device_name, client_id)?;
    let signer = signer(config.signer);
    let timestamp = match config.timestamp {
        wit::TimestampPolicy::None => TimestampPolicy::None,
        wit::TimestampPolicy::Now => TimestampPolicy::Now,
        wit::TimestampPolicy::Corrected => TimestampPolicy::Corrected,
    };
    Config::new(device, signer, sign_method(config.sign_method), timestamp)
}
