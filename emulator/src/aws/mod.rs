//! AWS IoT Core's HTTPS data plane has no emulator that looks at what most often goes wrong: the port, the ALPN, the
//! client certificate and the exact bytes of the path. This one does, and answers with what was captured from AWS, or
//! else with what AWS documents.
//!
//! | Where | What |
//! |---|---|
//! | `options.rs`, `emulator.rs` | how an emulator is started, and what a test does with it |
//! | `cloud.rs` | what its ports share |
//! | `access.rs` | which handshake a client gets, and what it proves |
//! | `sigv4/`, `access_key.rs`, `date.rs` | the signatures of those who sign |
//! | `authorizer.rs` | the tokens of those who come by a custom authorizer |
//! | `provider.rs`, `roles.rs` | the credentials provider, and the keys that it issues |
//! | `registry.rs`, `policy.rs` | who is known, and what they may do |
//! | `operation.rs`, `service.rs` | which operation a request means, and the order in which it is treated |
//! | `query.rs`, `paging.rs` | parameters, and the pages of a list |
//! | `publish.rs`, `topic.rs`, `properties.rs` | the checks of one message |
//! | `retained.rs` | the messages that topics retain |
//! | `shadow/` | the shadows of things |
//! | `connection.rs`, `direct.rs` | the clients that are on line, and messages to one of them |
//! | `region.rs` | the region in the name of an endpoint |
//! | `answer.rs` | the answers, byte for byte |

mod access;
mod access_key;
mod answer;
mod authorizer;
mod cloud;
mod connection;
mod date;
mod direct;
mod emulator;
mod operation;
mod options;
mod paging;
mod policy;
mod properties;
mod provider;
mod publish;
mod query;
mod region;
mod registry;
mod retained;
mod roles;
mod service;
mod shadow;
mod sigv4;
mod topic;

pub use access_key::AccessKey;
pub use authorizer::Authorizer;
pub use connection::{ConnectedClient, Disconnection, Subscription};
pub use direct::DirectMessage;
pub use emulator::{AwsConnections, AwsEmulator};
pub use options::AwsOptions;
pub use policy::AwsAction;
pub use retained::Retained;
pub(crate) use topic::is_publishable;
