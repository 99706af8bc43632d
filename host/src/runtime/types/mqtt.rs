//! Values for a device on an MQTT broker. Tokens, signatures and passwords in them do not show in debug output.

pub use super::super::bindings::mqtt::exports::thingpost::iot::mqtt_session::{
    Connection, Disconnection, Event, FullQueue, Incoming, NotPublished, Published, RetainHandling, SessionConfig,
    SessionOptions, Subscribed, Subscription, SubscriptionOptions, Unfinished, Unsubscribed, Version,
};
pub use super::aliyun::{
    Broker as AliyunBroker, IotToken as AliyunIotToken, MqttAuthentication as AliyunMqttAuthentication,
    MqttRegistration as AliyunMqttRegistration, MqttSignature as AliyunMqttSignature,
};
pub use super::aws::{Broker as AwsBroker, MqttAuthentication, MqttAuthorizer};
pub use super::generic::Broker as GenericBroker;

/// A device on a broker, and the session that the broker is to know.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttConfig {
    /// Which broker, and as whom.
    pub broker: Broker,
    /// The session.
    pub session: SessionConfig,
}

/// A clean session over MQTT 5, with a keep-alive of 60 seconds and without a will.
impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            version: Version::V5,
            session_expiry_s: 0,
            clean_start: None,
            keep_alive_s: None,
            will: None,
            will_delay_s: None,
        }
    }
}

/// Which broker, and as whom.
#[derive(Debug, Clone, PartialEq)]
pub enum Broker {
    /// AWS IoT Core.
    Aws(AwsBroker),
    /// Aliyun IoT Platform.
    Aliyun(AliyunBroker),
    /// A broker that belongs to no cloud.
    Generic(GenericBroker),
}

#[cfg(test)]
mod tests {
    use super::super::{SignMethod, Signer};
    use super::*;

    fn shown(broker: Broker) -> String {
        let config = MqttConfig { broker, session: SessionConfig::default() };
        format!("{config:?} {config:#?}")
    }

    #[test]
    fn debug_output_shows_no_token_signature_user_name_or_password() {
        let secret = |number: u8| format!("hunter{number}");
        let shown = shown(Broker::Aws(AwsBroker {
            endpoint: "iot.example".to_owned(),
            port: 443,
            client_id: "thermometer".to_owned(),
            authentication: MqttAuthentication::CustomAuthorizer(MqttAuthorizer {
                name: Some("gate".to_owned()),
                token: Some(("jwt".to_owned(), secret(1))),
                signature: Some(secret(2)),
                user_name: Some(secret(3)),
                password: Some(secret(4)),
            }),
        }));
        assert!(shown.contains("gate") && shown.contains("jwt") && !shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn debug_output_shows_no_user_name_or_password_for_a_broker_of_no_cloud() {
        let shown = shown(Broker::Generic(GenericBroker {
            endpoint: "broker.example".to_owned(),
            port: 8883,
            client_id: "thermometer".to_owned(),
            user_name: Some("hunter1".to_owned()),
            password: Some("hunter2".to_owned()),
        }));
        assert!(shown.contains("thermometer") && !shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn debug_output_shows_no_secret_of_a_device_or_a_product_and_no_token() {
        let secret = || "hunter1".to_owned();
        let sign_method = SignMethod::HmacSha256;
        for authentication in [
            AliyunMqttAuthentication::Signature(AliyunMqttSignature {
                signer: Signer::DeviceSecret(secret()),
                sign_method,
                timestamp_ms: None,
            }),
            AliyunMqttAuthentication::DeviceToken(secret()),
            AliyunMqttAuthentication::IotToken(AliyunIotToken { iot_id: "id".to_owned(), iot_token: secret() }),
            AliyunMqttAuthentication::Registration(AliyunMqttRegistration {
                product_secret: secret(),
                sign_method,
                random: "1".to_owned(),
                is_known: false,
                instance_id: None,
            }),
        ] {
            let shown = shown(Broker::Aliyun(AliyunBroker {
                endpoint: "iot.example".to_owned(),
                port: 443,
                product_key: "pk".to_owned(),
                device_name: "thermometer".to_owned(),
                authentication,
                client_id: None,
                client_id_parameters: Vec::new(),
                unchecked: false,
            }));
            assert!(shown.contains("thermometer") && !shown.contains("hunter"), "{shown}");
        }
    }
}
