//! Aliyun IoT Platform over HTTPS.
//!
//! A device first trades a signature for a token, then publishes with the token. What makes that hard is all in the
//! details: which fields are signed and in which order, a message number that no float can hold, success and failure
//! under the same HTTP status, a key that is spelled in two ways, and a token that ends while messages are under way.
//! The source is Aliyun's documentation ("Establish connections over HTTP") and an answer captured from the service.

mod auth;
mod device;
mod explain;
mod lint;
#[cfg(feature = "mqtt")]
pub mod mqtt;
mod platform;
mod provisioning;
mod publish;
mod response;
mod sign;
mod thing_model;
mod token;
mod topic;

pub use crate::signing::SignMethod;
pub use auth::{auth_request, read_auth_response};
pub use device::{Config, Device, Signer, TimestampPolicy};
pub use explain::{explain, explain_provisioning};
pub use provisioning::{
    Address, MqttCredentials, Registered, Registration, RegistrationMessage, RegistrationMessageError,
    bootstrap_request, mqtt_auth_request, read_bootstrap_response, read_mqtt_auth_response, read_registration_response,
    registration_content, registration_request,
};
pub use publish::{publish_request, read_publish_response};
pub use sign::{sign, signing_content};
pub use thing_model::{Event, Property, Reply, ThingIdentity, event_post, is_property_value, property_post};
pub use token::{IssuedToken, Token};
