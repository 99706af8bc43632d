//! The values of `wit/types.wit` and `wit/aws.wit` that a publisher takes and gives; those of a session on an MQTT broker
//! are in [`mqtt`].
//!
//! Generated types print all that they hold, and configurations hold secrets: one `{platform:?}` in an embedder's log
//! would give them away. So those, and [`Platform`] around them, are written by hand.

mod aliyun;
mod aws;
pub mod mqtt;

use super::bindings::exports::thingpost::iot::types as generated;

pub use super::bindings::exports::thingpost::iot::aliyun_types::{Address, Event, Property, Registration};
pub use super::bindings::exports::thingpost::iot::aws_types::{
    Connection, ConnectionQuery, DirectMessage, Disconnection, Page, RetainedEntries, RetainedEntry, RetainedMessage,
    Shadow, ShadowListing, ShadowNames, ShadowUpdate, Socket, Subscription, SubscriptionListing, Subscriptions,
};
pub use aliyun::{AliyunConfig, MqttCredentials, Registered, Signer};
pub use aws::{AwsAuthentication, AwsConfig, CredentialsProvider, CustomAuthorizer, Placement, Scope, SigV4};
pub use generated::{
    Answer, Cause, Delivery, Error, Failure, Field, Message, Options, PayloadFormat, Properties, Qos, Receipt,
    RequestProblem, Retry, SignMethod, Stage, TimestampPolicy, TopicProblem,
};

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

impl From<&Platform> for generated::Platform {
    fn from(platform: &Platform) -> Self {
        match platform.clone() {
            Platform::Aws(config) => Self::Aws(config.into()),
            Platform::Aliyun(config) => Self::Aliyun(config.into()),
        }
    }
}
