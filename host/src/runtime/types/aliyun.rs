//! Values for Aliyun IoT Platform. Secrets in them do not show in debug output.

use std::fmt;

use super::super::bindings::exports::thingpost::iot::aliyun_types::{
    Address, MqttCredentials as GeneratedCredentials, Registered as GeneratedRegistered,
};
use super::generated::{self, SignMethod, TimestampPolicy};

/// A device on Aliyun IoT Platform, and where it reports. `wit/types.wit` says more about each field.
#[derive(Debug, Clone, PartialEq)]
pub struct AliyunConfig {
    /// A bare host name.
    pub endpoint: String,
    /// 443 everywhere known.
    pub port: u16,
    /// The product the device belongs to.
    pub product_key: String,
    /// The name of the device within its product.
    pub device_name: String,
    /// Who signs.
    pub signer: Signer,
    /// 1 to 64 characters that name this device. None: `PRODUCT_KEY.DEVICE_NAME`, cut to 64 characters.
    pub client_id: Option<String>,
    /// How to sign.
    pub sign_method: SignMethod,
    /// Whether to send the time.
    pub timestamp: TimestampPolicy,
}

/// Who signs for a device on Aliyun IoT Platform.
#[derive(Clone, PartialEq)]
pub enum Signer {
    /// The component, with the secret of the device. Does not show in `Debug`.
    DeviceSecret(String),
    /// The host, with the [`DeviceSecrets`](crate::runtime::DeviceSecrets) of the publisher or session. Needs a component of
    /// world `publish-signed` or `mqtt`.
    Host,
}

/// A device that has got its secret.
#[derive(Clone, PartialEq)]
pub struct Registered {
    /// The product.
    pub product_key: String,
    /// The device.
    pub device_name: String,
    /// Its secret. The platform does not give it out again. Does not show in `Debug`.
    pub device_secret: String,
}

/// What an MQTT client needs to connect.
#[derive(Clone, PartialEq)]
pub struct MqttCredentials {
    /// The user name.
    pub iot_id: String,
    /// The password, good for 7 days. Does not show in `Debug`.
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

impl From<AliyunConfig> for generated::AliyunConfig {
    fn from(config: AliyunConfig) -> Self {
        Self {
            endpoint: config.endpoint,
            port: config.port,
            product_key: config.product_key,
            device_name: config.device_name,
            signer: config.signer.into(),
            client_id: config.client_id,
            sign_method: config.sign_method,
            timestamp: config.timestamp,
        }
    }
}

impl From<Signer> for generated::Signer {
    fn from(signer: Signer) -> Self {
        match signer {
            Signer::DeviceSecret(secret) => Self::DeviceSecret(secret),
            Signer::Host => Self::Host,
        }
    }
}

impl From<GeneratedRegistered> for Registered {
    fn from(it: GeneratedRegistered) -> Self {
        Self { product_key: it.product_key, device_name: it.device_name, device_secret: it.device_secret }
    }
}

impl From<GeneratedCredentials> for MqttCredentials {
    fn from(it: GeneratedCredentials) -> Self {
        Self { iot_id: it.iot_id, iot_token: it.iot_token, address: it.address }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::types::Platform;

    #[test]
    fn no_secret_is_in_debug_output() {
        let platform = Platform::Aliyun(AliyunConfig {
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
