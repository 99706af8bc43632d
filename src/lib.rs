//! Publish to cloud IoT platforms without owning a socket, a clock or a key.
//!
//! Every IoT platform has an HTTPS door, and every client for it is welded to one HTTP stack, one TLS stack and one
//! way of keeping keys. None of that exists in a sandbox. This crate is what remains when it is taken out: topics,
//! requests, signatures, tokens, answers, error codes, retries, all as plain values.
//!
//! # The way of a message
//!
//! ```text
//! Message ──> Exchange ──> http::Request ──> (your HTTP client) ──> http::Response ──> Exchange ──> Receipt | Error
//! ```
//!
//! [`Exchange`] is the state machine that does all of it. What is different on each platform it asks of a [`Platform`], and
//! `aws` and `aliyun` are the two that there are: pure functions that can be called without it as well. Time is a parameter ([`Moment`]), randomness is a parameter (a seed), the network is yours.
//!
//! # One outcome for each message
//!
//! A message is delivered, refused, not sent, or *unknown*: sent, with an unknown fate (see [`Delivery`]). A message is
//! sent again only where that is right: when the platform did not take it and may take it later, and after *unknown*
//! only for [`Qos::AtLeastOnce`].
//!
//! # Map
//!
//! | module | what |
//! |---|---|
//! | `aws` | AWS IoT Core (feature `aws`): ways to authenticate, publishing, the other operations, answers and what they mean |
//! | `aliyun` | Aliyun IoT Platform (feature `aliyun`): signature, token, publish request, its answers |
//! | `edge` | publishing for others, over plain HTTP (feature `edge`): from their request to a message, from an outcome to an answer |
//! | [`exchange`] | the state machine, its options and its pace |
//! | [`http`] | requests and answers as plain values, and why there may be no answer |
//! | `generic` | brokers that belong to no cloud (feature `generic`): what stands in a CONNECT |
//! | `mqtt` | a device on an MQTT broker, as a state machine (feature `mqtt`) |
//! | [`topic`] | what all topics have in common, and the percent-encoder |
//! | `wasi` | drives an exchange through `wasi:http` (feature `wasi`, WebAssembly only) |

// An example may show a function that it does not call.
#![doc(test(attr(deny(warnings), allow(dead_code))))]
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(clippy::missing_errors_doc)]

extern crate alloc;

#[cfg(feature = "aliyun")]
pub mod aliyun;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(any(feature = "aliyun", feature = "aws"))]
#[cfg_attr(not(any(test, feature = "aws")), expect(dead_code, reason = "only AWS has something to write so"))]
mod base64;
#[cfg_attr(not(any(test, feature = "aws")), expect(dead_code, reason = "only AWS has signatures with a time"))]
mod calendar;
mod config_error;
mod credential;
#[cfg(feature = "edge")]
pub mod edge;
mod endpoint;
mod error;
pub mod exchange;
pub mod explain;
mod field;
#[cfg(feature = "generic")]
pub mod generic;
pub mod http;
#[cfg_attr(
    not(any(test, all(feature = "aliyun", feature = "aws"))),
    expect(dead_code, reason = "each platform needs a part of it")
)]
mod json;
mod message;
mod moment;
#[cfg(feature = "mqtt")]
pub mod mqtt;
mod operation;
mod outcome;
mod platform;
mod random;
mod secret;
mod signing;
mod text;
pub mod topic;
#[cfg(all(feature = "wasi", target_family = "wasm"))]
pub mod wasi;

pub use config_error::ConfigError;
pub use credential::{Credential, CredentialKind};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Cause, Error, Stage};
pub use exchange::{ErrorContext, Exchange, Options};
pub use field::Field;
pub use message::{MAX_PAYLOAD, Message, PayloadFormat, Properties, Qos, RequestError};
pub use moment::Moment;
pub use operation::{Operation, Reply};
pub use outcome::{Answer, Delivery, Receipt, Retry};
pub use platform::Platform;
pub use secret::Secret;
pub use signing::{NotSigned, SignMethod, Signing};
