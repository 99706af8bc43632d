//! AWS IoT Core over HTTPS.
//!
//! Publishing is one POST, and yet people fail at it for days: the port decides how the device authenticates, the
//! topic must be one encoded path segment, and every refusal is a 403 without a word. The source of what stands here
//! is the AWS IoT Core developer guide ("HTTPS", "Device communication protocols") and answers captured from the
//! service.

mod explain;
mod request;
mod response;
pub mod sigv4;
mod topic;

pub use explain::explain;
pub use request::publish_request;
pub use response::read_publish_response;
pub use topic::encode_topic;

use crate::endpoint::Endpoint;

/// Where an account takes messages. The device authenticates with its client certificate, which the host holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The data endpoint and its port: 8443, or 443 where the host offers the ALPN protocol `x-amzn-http-ca`.
    pub endpoint: Endpoint,
}
