//! The configuration of a device that connects to Aliyun IoT Platform over MQTT.

use std::fmt;

use wasmtime::component::{ComponentType, Lift, Lower};

use super::super::SignMethod;
use super::Signer;

/// A device on Aliyun IoT Platform.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Broker {
    /// A bare host name.
    pub endpoint: String,
    /// 443 or 1883, with TLS on both.
    pub port: u16,
    /// The product the device belongs to.
    #[component(name = "product-key")]
    pub product_key: String,
    /// The name of the device within its product.
    #[component(name = "device-name")]
    pub device_name: String,
    /// How the device shows who it is.
    pub authentication: MqttAuthentication,
    /// 1 to 64 characters that name this device. None: `PRODUCT_KEY.DEVICE_NAME`, cut to 64 characters.
    #[component(name = "client-id")]
    pub client_id: Option<String>,
    /// More parameters for the client id, such as `ext` and `1`, or others in the place of what is there by default.
    #[component(name = "client-id-parameters")]
    pub client_id_parameters: Vec<(String, String)>,
    /// The instance takes more than is documented, or the device is a gateway: nothing is refused that a packet can carry.
    pub unchecked: bool,
}

/// How a device shows Aliyun who it is over MQTT.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum MqttAuthentication {
    /// By a signature with the secret of the device.
    #[component(name = "signature")]
    Signature(MqttSignature),
    /// By the token that a device was given when it registered without being known before; the client id must be the one that
    /// came with it. Does not show in `Debug`.
    #[component(name = "device-token")]
    DeviceToken(String),
    /// By the user name and the password that [`MqttCredentials`](super::MqttCredentials) has.
    #[component(name = "iot-token")]
    IotToken(IotToken),
    /// By a signature with the secret of the product, to be given a secret or a token.
    #[component(name = "registration")]
    Registration(MqttRegistration),
}

/// A signature with the secret of a device.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct MqttSignature {
    /// The party that signs.
    pub signer: Signer,
    /// How to sign.
    #[component(name = "sign-method")]
    pub sign_method: SignMethod,
    /// A timestamp to sign along with the rest, in milliseconds since 1970.
    #[component(name = "timestamp-ms")]
    pub timestamp_ms: Option<u64>,
}

/// The user name and the password for MQTT that [`MqttCredentials`](super::MqttCredentials) has.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct IotToken {
    /// The user name.
    #[component(name = "iot-id")]
    pub iot_id: String,
    /// The password. Does not show in `Debug`.
    #[component(name = "iot-token")]
    pub iot_token: String,
}

/// What a device registers with over MQTT. The answer is a message that comes without a subscription.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct MqttRegistration {
    /// The secret that all devices of the product share. Does not show in `Debug`.
    #[component(name = "product-secret")]
    pub product_secret: String,
    /// How to sign.
    #[component(name = "sign-method")]
    pub sign_method: SignMethod,
    /// Any text that differs each time.
    pub random: String,
    /// Whether the product knows the device already.
    #[component(name = "is-known")]
    pub is_known: bool,
    /// The instance of the product, where it is not the public one from before 2021-07-30.
    #[component(name = "instance-id")]
    pub instance_id: Option<String>,
}

impl fmt::Debug for MqttAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(signature) => signature.fmt(f),
            Self::DeviceToken(_) => f.write_str("DeviceToken(..)"),
            Self::IotToken(token) => token.fmt(f),
            Self::Registration(registration) => registration.fmt(f),
        }
    }
}

impl fmt::Debug for IotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IotToken").field("iot_id", &self.iot_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for MqttRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttRegistration")
            .field("sign_method", &self.sign_method)
            .field("is_known", &self.is_known)
            .field("instance_id", &self.instance_id)
            .finish_non_exhaustive()
    }
}
