//! AWS IoT Core over HTTPS.
//!
//! Publishing is one POST, and yet people fail at it for days: the port decides how the device authenticates, the
//! topic must be one encoded path segment, and every refusal is a 403 without a word. The source of what stands here
//! is the AWS IoT Core developer guide ("HTTPS", "Device communication protocols") and answers captured from the
//! service.

mod authentication;
mod explain;
mod request;
mod response;
pub mod sigv4;
mod topic;

pub use authentication::{Authentication, CustomAuthorizer, Placement, Way};
pub use explain::explain;
pub use request::publish_request;
pub(crate) use request::unauthorised_request;
pub use response::read_publish_response;
pub use topic::encode_topic;

use crate::endpoint::Endpoint;

/// Where an account takes messages, and from whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The data endpoint and its port. With a certificate 8443, or 443 where the host offers the ALPN protocol
    /// `x-amzn-http-ca`; otherwise 443.
    pub endpoint: Endpoint,
    /// How the device shows who it is.
    pub authentication: Authentication,
}
