//! Values for Aliyun IoT Platform. Secrets in them do not show in debug output.

#[cfg(feature = "mqtt")]
mod mqtt;

use std::fmt;

use wasmtime::component::{ComponentType, Lift, Lower};

use super::SignMethod;

#[cfg(feature = "mqtt")]
pub use mqtt::{Broker, IotToken, MqttAuthentication, MqttRegistration, MqttSignature};

/// A device on Aliyun IoT Platform, and where it reports. `wit/aliyun.wit` says more about each field.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Config {
    /// A bare host name.
    pub endpoint: String,
    /// 443 everywhere known.
    pub port: u16,
    /// The product the device belongs to.
    #[component(name = "product-key")]
    pub product_key: String,
    /// The name of the device within its product.
    #[component(name = "device-name")]
    pub device_name: String,
    /// The party that signs.
    pub signer: Signer,
    /// 1 to 64 characters that name this device. None: `PRODUCT_KEY.DEVICE_NAME`, cut to 64 characters.
    #[component(name = "client-id")]
    pub client_id: Option<String>,
    /// How to sign.
    #[component(name = "sign-method")]
    pub sign_method: SignMethod,
    /// Whether to send the time.
    pub timestamp: TimestampPolicy,
}

/// The party that signs for a device on Aliyun IoT Platform.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum Signer {
    /// The component, with the secret of the device. Does not show in `Debug`.
    #[component(name = "device-secret")]
    DeviceSecret(String),
    /// The host, with the [`DeviceSecrets`](crate::runtime::DeviceSecrets) of the publisher or session. Needs a component of
    /// world `publish-signed` or `mqtt`.
    #[component(name = "host")]
    Host,
}

/// Whether Aliyun's authentication request carries the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum TimestampPolicy {
    /// No timestamp, so a wrong clock does no harm. The signature then never changes.
    #[component(name = "none")]
    None,
    /// The wall clock. The platform refuses a request that is 15 minutes off.
    #[component(name = "now")]
    Now,
    /// The wall clock; and when the platform refuses it and its answer shows that the clock is wrong, once more with the time of the
    /// platform.
    #[component(name = "corrected")]
    Corrected,
}

/// A device that has the secret of its product only, and asks for its own.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Registration {
    /// A bare host name, such as `iot-auth.cn-shanghai.aliyuncs.com`.
    pub endpoint: String,
    /// 443.
    pub port: u16,
    /// The product the device belongs to.
    #[component(name = "product-key")]
    pub product_key: String,
    /// The name of the device within its product.
    #[component(name = "device-name")]
    pub device_name: String,
    /// How to sign.
    pub method: SignMethod,
    /// Any text that differs each time. The component has no entropy of its own.
    pub random: String,
}

/// A device that has got its secret.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Registered {
    /// The product.
    #[component(name = "product-key")]
    pub product_key: String,
    /// The device.
    #[component(name = "device-name")]
    pub device_name: String,
    /// Its secret. The platform does not give it out again. Does not show in `Debug`.
    #[component(name = "device-secret")]
    pub device_secret: String,
}

/// Where a service of the platform listens.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Address {
    /// The host name.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// What an MQTT client needs to connect.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct MqttCredentials {
    /// The user name.
    #[component(name = "iot-id")]
    pub iot_id: String,
    /// The password, good for 7 days. Does not show in `Debug`.
    #[component(name = "iot-token")]
    pub iot_token: String,
    /// Where to connect, if the platform says it.
    pub address: Option<Address>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeviceSecret(_) => "DeviceSecret(..)",
            Self::Host => "Host",
        })
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered")
            .field("product_key", &self.product_key)
            .field("device_name", &self.device_name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MqttCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttCredentials")
            .field("iot_id", &self.iot_id)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::types::Platform;

    #[test]
    fn no_secret_is_in_debug_output() {
        let platform = Platform::Aliyun(Config {
            endpoint: "iot.example".to_owned(),
            port: 443,
            product_key: "pk".to_owned(),
            device_name: "thermometer".to_owned(),
            signer: Signer::DeviceSecret("hush".to_owned()),
            client_id: None,
            sign_method: SignMethod::HmacSha256,
            timestamp: TimestampPolicy::None,
        });
        let registered = Registered {
            product_key: "pk".to_owned(),
            device_name: "thermometer".to_owned(),
            device_secret: "hush".to_owned(),
        };
        let credentials =
            MqttCredentials { iot_id: "thermometer".to_owned(), iot_token: "hush".to_owned(), address: None };
        for shown in
            [format!("{platform:?}"), format!("{platform:#?}"), format!("{registered:?}"), format!("{credentials:?}")]
        {
            assert!(shown.contains("thermometer") && !shown.contains("hush"), "{shown}");
        }
    }
}
