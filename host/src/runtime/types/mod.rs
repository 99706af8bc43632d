//! The values of `wit/types.wit` and `wit/aws.wit` that a publisher takes and gives.
//!
//! Generated types print all that they hold, and configurations hold secrets: one `{platform:?}` in an embedder's log
//! would give them away. So those, and [`Platform`] around them, are written by hand.

mod aws;

use std::fmt;

use super::bindings::exports::thingpost::iot::types as generated;

pub use super::bindings::exports::thingpost::iot::aws_types::{
    Connection, ConnectionQuery, DirectMessage, Disconnection, Page, RetainedEntries, RetainedEntry, RetainedMessage,
    Shadow, ShadowListing, ShadowNames, ShadowUpdate, Socket, Subscription, SubscriptionListing, Subscriptions,
};
pub use aws::{AwsAuthentication, AwsConfig, CredentialsProvider, CustomAuthorizer, Placement, Scope, SigV4};
pub use generated::{
    Answer, Cause, Delivery, Error, Failure, Field, Message, Options, PayloadFormat, Properties, Qos, Receipt, Retry,
    SignMethod, Stage, TimestampPolicy, TopicProblem,
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

/// A device on Aliyun IoT Platform, and where it reports. `wit/types.wit` says more about each field.
#[derive(Clone, PartialEq)]
pub struct AliyunConfig {
    /// A bare host name.
    pub endpoint: String,
    /// 443 everywhere known.
    pub port: u16,
    /// The product the device belongs to.
    pub product_key: String,
    /// The name of the device within its product.
    pub device_name: String,
    /// The secret of the device. Does not show in `Debug`.
    pub device_secret: String,
    /// 1 to 64 characters that name this device. None: `PRODUCT_KEY.DEVICE_NAME`, cut to 64 characters.
    pub client_id: Option<String>,
    /// How to sign.
    pub sign_method: SignMethod,
    /// Whether to send the time.
    pub timestamp: TimestampPolicy,
}

impl fmt::Debug for AliyunConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliyunConfig")
            .field("endpoint", &self.endpoint)
            .field("port", &self.port)
            .field("product_key", &self.product_key)
            .field("device_name", &self.device_name)
            .field("client_id", &self.client_id)
            .field("sign_method", &self.sign_method)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl From<&Platform> for generated::Platform {
    fn from(platform: &Platform) -> Self {
        match platform.clone() {
            Platform::Aws(config) => Self::Aws(config.into()),
            Platform::Aliyun(config) => Self::Aliyun(generated::AliyunConfig {
                endpoint: config.endpoint,
                port: config.port,
                product_key: config.product_key,
                device_name: config.device_name,
                device_secret: config.device_secret,
                client_id: config.client_id,
                sign_method: config.sign_method,
                timestamp: config.timestamp,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_secret_is_not_in_the_debug_output_of_a_platform() {
        let platform = Platform::Aliyun(AliyunConfig {
            endpoint: "iot.example".to_owned(),
            port: 443,
            product_key: "pk".to_owned(),
            device_name: "thermometer".to_owned(),
            device_secret: "hush".to_owned(),
            client_id: None,
            sign_method: SignMethod::HmacSha256,
            timestamp: TimestampPolicy::None,
        });
        for shown in [format!("{platform:?}"), format!("{platform:#?}")] {
            assert!(shown.contains("thermometer") && !shown.contains("hush"), "{shown}");
        }
    }
}
