//! Places to connect to, at the border.

use thingpost::{ConfigurationProblem, Endpoint};

pub fn endpoint(host: &str, port: u16) -> Result<Endpoint, ConfigurationProblem> {
    Endpoint::new(host, port).map_err(ConfigurationProblem::Endpoint)
}
