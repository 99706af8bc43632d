//! Values for a device on an MQTT broker. Tokens, signatures and passwords in them do not show in debug output.

use std::fmt;

use super::super::mqtt::bindings::exports::thingpost::iot::mqtt_session as generated;
use super::{Message, SignMethod, Signer};

pub use generated::{
    Connection, Disconnection, Event, FullQueue, Incoming, NotPublished, Published, RetainHandling, SessionOptions,
    Subscribed, Subscription, SubscriptionOptions, Unfinished, Unsubscribed, Version,
};

/// A session, as the broker is to know it. `wit/mqtt.wit` says more about each field.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttConfig {
    /// Which broker, and as whom.
    pub broker: Broker,
    /// Which MQTT.
    pub version: Version,
    /// How long the broker keeps subscriptions and messages for a client that is away, in seconds. 0: not at all.
    pub session_expiry_s: u32,
    /// Whether the first connection begins a new session. None: if nothing is kept.
    pub clean_start: Option<bool>,
    /// The longest silence before the connection is looked after, in seconds. None: 60.
    pub keep_alive_s: Option<u16>,
    /// What the broker publishes in the device's name when the device is lost.
    pub will: Option<Message>,
    /// MQTT 5: for how long the broker waits with it for the device to come back, in seconds.
    pub will_delay_s: Option<u32>,
}

/// Which broker, and as whom.
#[derive(Debug, Clone, PartialEq)]
pub enum Broker {
    /// AWS IoT Core, or any other broker behind a custom domain or an endpoint of one's own.
    Aws(AwsBroker),
    /// Aliyun IoT Platform.
    Aliyun(AliyunBroker),
}

/// A device on AWS IoT Core.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsBroker {
    /// The data endpoint, a bare host name.
    pub endpoint: String,
    /// 8883, or 443 with the ALPN protocol `x-amzn-mqtt-ca` or `mqtt`.
    pub port: u16,
    /// Names the client.
    pub client_id: String,
    /// How the device shows who it is.
    pub authentication: MqttAuthentication,
}

/// How a device shows AWS who it is over MQTT.
#[derive(Debug, Clone, PartialEq)]
pub enum MqttAuthentication {
    /// With the client certificate of the connection, which the route of the host has.
    Certificate,
    /// With what an authorizer of the account's owner judges.
    CustomAuthorizer(MqttAuthorizer),
}

/// What a custom authorizer is sent over MQTT, in user name and password.
#[derive(Clone, PartialEq)]
pub struct MqttAuthorizer {
    /// Which one. None: the default of the endpoint.
    pub name: Option<String>,
    /// The name under which the token travels, and the token. The token does not show in `Debug`.
    pub token: Option<(String, String)>,
    /// The signature of the token in base64. Does not show in `Debug`.
    pub signature: Option<String>,
    /// What stands in front of all that in the user name. Some brokers take a token there, so it does not show in `Debug`.
    pub user_name: Option<String>,
    /// The password. Does not show in `Debug`.
    pub password: Option<String>,
}

/// A device on Aliyun IoT Platform.
#[derive(Debug, Clone, PartialEq)]
pub struct AliyunBroker {
    /// A bare host name.
    pub endpoint: String,
    /// 443 or 1883, with TLS on both.
    pub port: u16,
    /// The product the device belongs to.
    pub product_key: String,
    /// The name of the device within its product.
    pub device_name: String,
    /// How the device shows who it is.
    pub authentication: AliyunMqttAuthentication,
    /// 1 to 64 characters that name this device. None: `PRODUCT_KEY.DEVICE_NAME`, cut to 64 characters.
    pub client_id: Option<String>,
    /// More parameters for the client id, such as `ext` and `1`, or others in the place of what is there by default.
    pub client_id_parameters: Vec<(String, String)>,
    /// The instance takes more than is documented, or the device is a gateway: nothing is refused that a packet can carry.
    pub unchecked: bool,
}

/// How a device shows Aliyun who it is over MQTT.
#[derive(Clone, PartialEq)]
pub enum AliyunMqttAuthentication {
    /// By a signature with the secret of the device.
    Signature {
        /// Who signs.
        signer: Signer,
        /// How to sign.
        sign_method: SignMethod,
        /// A timestamp to sign along with the rest, in milliseconds since 1970.
        timestamp_ms: Option<u64>,
    },
    /// By the token that a device was given when it registered without being known before; the client id must be the one that
    /// came with it. Does not show in `Debug`.
    DeviceToken(String),
    /// By the user name and the password that [`MqttCredentials`](super::MqttCredentials) has.
    IotToken {
        /// The user name.
        iot_id: String,
        /// The password. Does not show in `Debug`.
        iot_token: String,
    },
    /// By a signature with the secret of the product, to be given a secret or a token.
    Registration(AliyunMqttRegistration),
}

/// What a device registers with over MQTT. The answer is a message that comes without a subscription.
#[derive(Clone, PartialEq)]
pub struct AliyunMqttRegistration {
    /// The secret that all devices of the product share. Does not show in `Debug`.
    pub product_secret: String,
    /// How to sign.
    pub sign_method: SignMethod,
    /// Any text that differs each time.
    pub random: String,
    /// Whether the product knows the device already.
    pub is_known: bool,
    /// The instance of the product, where it is not the public one from before 2021-07-30.
    pub instance_id: Option<String>,
}

impl fmt::Debug for AliyunMqttAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature { signer, sign_method, timestamp_ms } => f
                .debug_struct("Signature")
                .field("signer", signer)
                .field("sign_method", sign_method)
                .field("timestamp_ms", timestamp_ms)
                .finish(),
            Self::DeviceToken(_) => f.write_str("DeviceToken(..)"),
            Self::IotToken { iot_id, .. } => f.debug_struct("IotToken").field("iot_id", iot_id).finish_non_exhaustive(),
            Self::Registration(registration) => registration.fmt(f),
        }
    }
}

impl fmt::Debug for AliyunMqttRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliyunMqttRegistration")
            .field("sign_method", &self.sign_method)
            .field("is_known", &self.is_known)
            .field("instance_id", &self.instance_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MqttAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttAuthorizer")
            .field("name", &self.name)
            .field("token_name", &self.token.as_ref().map(|(name, _)| name))
            .finish_non_exhaustive()
    }
}

impl From<MqttConfig> for generated::Config {
    fn from(config: MqttConfig) -> Self {
        Self {
            broker: match config.broker {
                Broker::Aws(broker) => generated::Broker::Aws(broker.into()),
                Broker::Aliyun(broker) => generated::Broker::Aliyun(broker.into()),
            },
            version: config.version,
            session_expiry_s: config.session_expiry_s,
            clean_start: config.clean_start,
            keep_alive_s: config.keep_alive_s,
            will: config.will,
            will_delay_s: config.will_delay_s,
        }
    }
}

impl From<AwsBroker> for generated::AwsBroker {
    fn from(broker: AwsBroker) -> Self {
        Self {
            endpoint: broker.endpoint,
            port: broker.port,
            client_id: broker.client_id,
            authentication: match broker.authentication {
                MqttAuthentication::Certificate => generated::MqttAuthentication::Certificate,
                MqttAuthentication::CustomAuthorizer(authorizer) => {
                    generated::MqttAuthentication::CustomAuthorizer(generated::MqttAuthorizer {
                        name: authorizer.name,
                        token: authorizer.token,
                        signature: authorizer.signature,
                        user_name: authorizer.user_name,
                        password: authorizer.password,
                    })
                }
            },
        }
    }
}

impl From<AliyunBroker> for generated::AliyunBroker {
    fn from(broker: AliyunBroker) -> Self {
        Self {
            endpoint: broker.endpoint,
            port: broker.port,
            product_key: broker.product_key,
            device_name: broker.device_name,
            authentication: broker.authentication.into(),
            client_id: broker.client_id,
            client_id_parameters: broker.client_id_parameters,
            unchecked: broker.unchecked,
        }
    }
}

impl From<AliyunMqttAuthentication> for generated::AliyunMqttAuthentication {
    fn from(authentication: AliyunMqttAuthentication) -> Self {
        match authentication {
            AliyunMqttAuthentication::Signature { signer, sign_method, timestamp_ms } => {
                Self::Signature(generated::AliyunMqttSignature { signer: signer.into(), sign_method, timestamp_ms })
            }
            AliyunMqttAuthentication::DeviceToken(token) => Self::DeviceToken(token),
            AliyunMqttAuthentication::IotToken { iot_id, iot_token } => Self::IotToken((iot_id, iot_token)),
            AliyunMqttAuthentication::Registration(registration) => {
                Self::Registration(generated::AliyunMqttRegistration {
                    product_secret: registration.product_secret,
                    sign_method: registration.sign_method,
                    random: registration.random,
                    is_known: registration.is_known,
                    instance_id: registration.instance_id,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(broker: Broker) -> String {
        let config = MqttConfig {
            broker,
            version: Version::V5,
            session_expiry_s: 0,
            clean_start: None,
            keep_alive_s: None,
            will: None,
            will_delay_s: None,
        };
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
    fn debug_output_shows_no_secret_of_a_device_or_a_product_and_no_token() {
        let secret = || "hunter1".to_owned();
        let sign_method = SignMethod::HmacSha256;
        for authentication in [
            AliyunMqttAuthentication::Signature {
                signer: Signer::DeviceSecret(secret()),
                sign_method,
                timestamp_ms: None,
            },
            AliyunMqttAuthentication::DeviceToken(secret()),
            AliyunMqttAuthentication::IotToken { iot_id: "id".to_owned(), iot_token: secret() },
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
