//! Places to connect to, at the border.

use thingpost::{ConfigError, Endpoint};

pub fn endpoint(host: &str, port: u16) -> Result<Endpoint, ConfigError> {
    Endpoint::new(host, port).map_err(ConfigError::Endpoint)
}
