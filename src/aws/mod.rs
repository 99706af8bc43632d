//! AWS IoT Core over HTTPS.
//!
//! Publishing is one POST, and yet people fail at it for days: the port decides how the device authenticates, the
//! topic must be one encoded path segment, and every refusal is a 403 without a word. The sources of what stands here
//! are the AWS IoT Core developer guide ("HTTPS", "Device communication protocols"), the reference of the data plane's
//! API, and answers captured from the service.
//!
//! | module | what |
//! |---|---|
//! | `authentication` | the four ways to show who the device is |
//! | [`sigv4`] | signatures |
//! | `topic`, `properties`, `publish` | a message and its request |
//! | `operation` | shadows, retained messages, direct messages, connections |
//! | `response` | what a status means |
//! | `mqtt` | what is different over MQTT (feature `mqtt`) |
//! | `clock` | a signature refused for its time |
//! | `host_name`, `explain` | what went wrong, and what to do |

mod authentication;
mod clock;
mod config;
mod explain;
mod host_name;
#[cfg(feature = "mqtt")]
pub mod mqtt;
mod operation;
mod platform;
mod properties;
mod publish;
mod response;
pub mod sigv4;
mod target;
mod topic;

pub use authentication::{
    Authentication, CredentialsProvider, CustomAuthorizer, Placement, TemporaryKey, credentials_request,
    read_credentials_response, scope,
};
pub use config::{AuthMethod, Config};
pub use explain::explain;
pub use host_name::region;
pub use operation::{
    ClientConnection, ClientDisconnection, ClientSubscription, DirectMessage, Operation, Page, Reply, RetainedEntry,
    RetainedMessage, Shadow, Socket, operation_request, read_operation_response, reply,
};
#[cfg(feature = "edge")]
pub(crate) use properties::{HEADERS as PROPERTY_HEADERS, check as check_properties};
#[cfg(feature = "mqtt")]
use publish::wire_topic;
pub use publish::{publish_request, read_publish_response};
pub use topic::encode_topic;
