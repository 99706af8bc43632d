//! The values that a publisher takes and gives, as `wit/` has them; those of a session on an MQTT broker are in [`mqtt`].
//!
//! Generated types print all that they hold, and configurations hold secrets: one `{platform:?}` in an embedder's log
//! would give them away. So those, and [`Platform`] around them, are written by hand.

pub(super) mod aliyun;
pub(super) mod aws;
mod error;
#[cfg(feature = "mqtt")]
pub(super) mod generic;
#[cfg(feature = "mqtt")]
pub mod mqtt;

pub use super::bindings::exports::thingpost::iot::aliyun_thing_model::{Event, Property};
pub use super::bindings::thingpost::iot::aws_data_plane_types::{
    Connection, ConnectionQuery, DirectMessage, Disconnection, Page, RetainedEntries, RetainedEntry, RetainedMessage,
    Shadow, ShadowListing, ShadowNames, ShadowUpdate, Socket, Subscription, SubscriptionListing, Subscriptions,
};
pub use super::bindings::types::{
    Answer, Cause, Delivery, Field, Message, Options, PayloadFormat, Properties, Qos, Receipt, RequestError, Retry,
    SignMethod, Stage, TopicError, TransportErrorKind,
};
pub use aliyun::{Address, Config as AliyunConfig, MqttCredentials, Registered, Registration, Signer, TimestampPolicy};
pub use aws::{
    Authentication as AwsAuthentication, Config as AwsConfig, CredentialsProvider, CustomAuthorizer, Placement, Scope,
    SigV4,
};
pub use error::Error;

impl Message {
    /// A message that is nothing but a payload for a topic.
    pub fn new(topic: impl Into<String>, payload: impl Into<Vec<u8>>, qos: Qos) -> Self {
        Self { topic: topic.into(), payload: payload.into(), qos, retain: false, rule: None, properties: None }
    }
}

/// No properties at all.
impl Default for Properties {
    fn default() -> Self {
        Self {
            content_type: None,
            response_topic: None,
            message_expiry_s: None,
            payload_format: None,
            correlation_data: None,
            user_properties: Vec::new(),
        }
    }
}

/// Where to publish, and as whom.
#[derive(Debug, Clone, PartialEq)]
pub enum Platform {
    /// AWS IoT Core.
    Aws(AwsConfig),
    /// Aliyun IoT Platform.
    Aliyun(AliyunConfig),
}
