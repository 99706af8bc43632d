//! A CONNECT has three fields for who a client is, and Aliyun has four ways to fill them. They differ in what stands
//! between the bars of the client id, in the user name, and in who has made the password; sources differ in some of it,
//! so what is only a default can be replaced by a parameter of the same name.
//!
//! | method | between the bars | user name | password |
//! |---|---|---|---|
//! | signature | `securemode=2,signmethod=..[,timestamp=..]` | `name&product` | a signature with the device secret |
//! | device token | `securemode=-2,authType=connwl` | `name&product` | the token |
//! | `iotId` and `iotToken` | `securemode=-1,signmethod=hmacsha256` | `iotId` | `iotToken` |
//! | registration, of a device that the product knows | `securemode=2,authType=register,random=..,signmethod=..` | `name&product` | a signature with the product secret |
//! | registration, of any other device | `securemode=-2,authType=regnwl,random=..,signmethod=..[,instanceId=..]` | `name&product` | the same |
//!
//! The first two and the last two are documented ("Establish MQTT connections over TCP", "MQTT-based dynamic
//! registration", <https://www.alibabacloud.com/help/en/iot/user-guide/mqtt-based-dynamic-registration>). For an instance of its own that page
//! has `securemode=-2` and `instanceId` in both registrations, and the vendor's Python SDK 2 in both. The third is that of
//! the vendor's C SDK 3, of whose connections traces are public; newer SDKs do not have it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::aliyun::device::check;
use crate::aliyun::{Device, SignMethod, Signer, registration_content, sign};
use crate::config_error::ConfigError as Problem;
use crate::secret::Secret;
use crate::signing::Signing;

/// How a device shows the broker who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// By a signature with the secret of the device.
    Signature {
        /// What signs.
        signer: Signer,
        /// How to sign.
        sign_method: SignMethod,
        /// A timestamp to sign along with the rest, in milliseconds since 1970. The platform does not compare it with its clock
        /// here.
        timestamp_ms: Option<u64>,
    },
    /// By the token that a device was given when it registered without being known before. The client id must be the one
    /// that came with it.
    DeviceToken(Secret),
    /// By the user name and the password that the platform gives out over HTTPS
    /// ([`MqttCredentials`](crate::aliyun::MqttCredentials)).
    IotToken {
        /// The user name.
        iot_id: String,
        /// The password. Good for 7 days.
        iot_token: Secret,
    },
    /// By a signature with the secret of the product, to be given a secret or a token.
    Registration {
        /// The secret that all devices of the product share.
        product_secret: Secret,
        /// How to sign.
        sign_method: SignMethod,
        /// Any text that differs each time.
        random: String,
        /// Whether the product knows the device already.
        is_known: bool,
        /// The instance of the product, where it is not the public one from before 2021-07-30.
        instance_id: Option<String>,
    },
}

/// The most bytes that a token or a user name may have. The platform's have up to 192; a packet could carry 65,535.
const LONGEST: usize = 4096;

impl AuthMethod {
    /// Refuses what the platform has never given out, and what would break the form of the client id.
    pub(super) fn check(&self) -> Result<(), Problem> {
        match self {
            Self::Signature { signer: Signer::Secret(secret), .. } => check("device secret", secret.reveal()),
            Self::Signature { signer: Signer::External, .. } => Ok(()),
            Self::DeviceToken(token) => check_given("device token", token.reveal()),
            Self::IotToken { iot_id, iot_token } => {
                check_given("iotId", iot_id)?;
                check_given("iotToken", iot_token.reveal())
            }
            Self::Registration { product_secret, random, instance_id, .. } => {
                check("product secret", product_secret.reveal())?;
                check_parameter("random", random)?;
                instance_id.as_deref().map_or(Ok(()), |id| check_parameter("instance id", id))
            }
        }
    }

    /// What stands between the bars of the client id, unless it is replaced.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let fixed = |name, value: &str| (name, value.to_string());
        match self {
            Self::Signature { sign_method, timestamp_ms, .. } => {
                let mut parameters = alloc::vec![fixed(SECURE_MODE, "2"), fixed("signmethod", sign_method.name())];
                parameters.extend(timestamp_ms.map(|ms| ("timestamp", ms.to_string())));
                parameters
            }
            Self::DeviceToken(_) => alloc::vec![fixed(SECURE_MODE, "-2"), fixed("authType", "connwl")],
            Self::IotToken { .. } => {
                alloc::vec![fixed(SECURE_MODE, "-1"), fixed("signmethod", SignMethod::HmacSha256.name())]
            }
            Self::Registration { sign_method, random, is_known, instance_id, .. } => {
                let (mode, kind) = if *is_known { ("2", "register") } else { ("-2", "regnwl") };
                let mut parameters = alloc::vec![
                    fixed(SECURE_MODE, mode),
                    fixed("authType", kind),
                    fixed("random", random),
                    fixed("signmethod", sign_method.name()),
                ];
                parameters.extend(instance_id.as_deref().map(|id| fixed("instanceId", id)));
                parameters
            }
        }
    }

    /// The parameters that cannot be replaced: the signature would no longer be theirs.
    pub(super) fn signed_parameters(&self) -> &'static [&'static str] {
        match self {
            Self::Signature { .. } => &[SECURE_MODE, "signmethod", "timestamp"],
            Self::DeviceToken(_) | Self::IotToken { .. } => &[],
            Self::Registration { .. } => &["random", "signmethod"],
        }
    }

    /// What has to be signed outside before there is a password.
    pub(super) fn external_signing(&self, device: &Device) -> Option<Signing> {
        match self {
            Self::Signature { signer: Signer::External, sign_method, timestamp_ms } => {
                Some(device.signing(*sign_method, *timestamp_ms))
            }
            _ => None,
        }
    }

    /// The user name and the password, if the signature does not come from outside.
    pub(super) fn credentials(&self, device: &Device) -> (String, Option<String>) {
        let Device { device_name, product_key, .. } = device;
        let user_name = || [device_name, "&", product_key].concat();
        match self {
            Self::Signature { signer: Signer::External, .. } => (user_name(), None),
            Self::Signature { signer: Signer::Secret(secret), sign_method, timestamp_ms } => {
                let content = device.signing(*sign_method, *timestamp_ms).content;
                (user_name(), Some(sign(*sign_method, secret.reveal(), &content)))
            }
            Self::DeviceToken(token) => (user_name(), Some(token.reveal().to_string())),
            Self::IotToken { iot_id, iot_token } => (iot_id.clone(), Some(iot_token.reveal().to_string())),
            Self::Registration { product_secret, sign_method, random, .. } => {
                let content = registration_content(product_key, device_name, random);
                (user_name(), Some(sign(*sign_method, product_secret.reveal(), &content)))
            }
        }
    }

    /// What an answer must not give away, if it is known here.
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::Signature { signer: Signer::External, .. } => None,
            Self::Signature { signer: Signer::Secret(secret), .. }
            | Self::DeviceToken(secret)
            | Self::IotToken { iot_token: secret, .. }
            | Self::Registration { product_secret: secret, .. } => Some(secret.reveal()),
        }
    }
}

/// Says whether the connection has TLS, and in part how a client shows who it is: 2 is TLS with a signature.
const SECURE_MODE: &str = "securemode";

fn check_given(option: &'static str, value: &str) -> Result<(), Problem> {
    check(option, value)?;
    match value.len() {
        ..=LONGEST => Ok(()),
        _ => Err(Problem::OutOfRange(option, "1 to 4096 bytes")),
    }
}

/// What stands between the bars must not end them.
fn check_parameter(option: &'static str, value: &str) -> Result<(), Problem> {
    check(option, value)?;
    match value.len() > 256 || value.contains(['|', ',', '=']) {
        true => Err(Problem::Malformed(option)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::BrokerConfig;
    use super::*;
    use crate::endpoint::Endpoint;
    use crate::mqtt::Broker;

    fn device() -> Device {
        let endpoint = Endpoint::new("pk.iot-as-mqtt.cn-shanghai.aliyuncs.com", 443).unwrap();
        Device::new(endpoint, "pk", "device", Some("12345")).unwrap()
    }

    fn registration(is_known: bool, instance_id: Option<&str>) -> AuthMethod {
        AuthMethod::Registration {
            product_secret: Secret::new("secret"),
            sign_method: SignMethod::HmacSha256,
            random: "567345".into(),
            is_known,
            instance_id: instance_id.map(Into::into),
        }
    }

    fn iot_token(iot_id: &str, iot_token: &str) -> AuthMethod {
        AuthMethod::IotToken { iot_id: iot_id.into(), iot_token: Secret::new(iot_token) }
    }

    /// Client id, user name and password.
    fn login(method: AuthMethod, parameters: &[(&str, &str)]) -> (String, String, String) {
        let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let broker = BrokerConfig::new(device(), method).unwrap().with_parameters(parameters).unwrap();
        let login = broker.login(None);
        (login.client_id, login.user_name.unwrap().reveal().into(), login.password.unwrap().reveal().into())
    }

    #[test]
    fn a_device_token_is_the_password_and_nothing_is_signed() {
        let (client_id, user_name, password) = login(AuthMethod::DeviceToken(Secret::new("hunter2")), &[]);
        assert_eq!(client_id, "12345|securemode=-2,authType=connwl|");
        assert_eq!((user_name.as_str(), password.as_str()), ("device&pk", "hunter2"));
    }

    #[test]
    fn an_iot_id_is_the_user_name_and_its_token_the_password() {
        let (client_id, user_name, password) = login(iot_token("42Ze0mk355", "hunter2"), &[]);
        assert_eq!(client_id, "12345|securemode=-1,signmethod=hmacsha256|");
        assert_eq!((user_name.as_str(), password.as_str()), ("42Ze0mk355", "hunter2"));
    }

    #[test]
    fn a_registration_is_signed_with_the_secret_of_the_product() {
        // Computed with another implementation of HMAC, over `deviceNamedeviceproductKeypkrandom567345`.
        const PASSWORD: &str = "090f67af110518200314c38779e795bded5b67569ffe8c85012e64b593ac878c";
        for (is_known, instance_id, expected) in [
            (true, None, "12345|securemode=2,authType=register,random=567345,signmethod=hmacsha256|"),
            (false, None, "12345|securemode=-2,authType=regnwl,random=567345,signmethod=hmacsha256|"),
            (
                false,
                Some("iot-1"),
                "12345|securemode=-2,authType=regnwl,random=567345,signmethod=hmacsha256,instanceId=iot-1|",
            ),
        ] {
            let (client_id, user_name, password) = login(registration(is_known, instance_id), &[]);
            assert_eq!(client_id, expected);
            assert_eq!((user_name.as_str(), password.as_str()), ("device&pk", PASSWORD));
        }
    }

    #[test]
    fn a_default_gives_way_to_a_parameter_of_its_name_unless_it_is_signed() {
        let (client_id, ..) = login(registration(true, None), &[("securemode", "-2"), ("instanceId", "iot-1")]);
        assert_eq!(
            client_id,
            "12345|securemode=-2,authType=register,random=567345,signmethod=hmacsha256,instanceId=iot-1|"
        );
        let (client_id, ..) = login(iot_token("id", "t"), &[("signmethod", "hmacsha1"), ("gw", "0")]);
        assert_eq!(client_id, "12345|securemode=-1,signmethod=hmacsha1,gw=0|");
        let broker = BrokerConfig::new(device(), registration(true, None)).unwrap();
        for name in ["random", "signmethod"] {
            let problem = broker.clone().with_parameters(vec![(name.into(), "x".into())]).unwrap_err();
            assert_eq!(problem, Problem::Malformed("parameter of the client id"), "{name}");
        }
    }

    #[test]
    fn what_would_break_a_connect_is_refused_by_name() {
        let long = "x".repeat(LONGEST + 1);
        for (method, named) in [
            (AuthMethod::DeviceToken(Secret::new("")), "device token is empty"),
            (AuthMethod::DeviceToken(Secret::new("hunter2 ")), "device token has white space"),
            (AuthMethod::DeviceToken(Secret::new(long.as_str())), "1 to 4096 bytes"),
            (iot_token("", "t"), "iotId is empty"),
            (iot_token("id", "\tt"), "iotToken has white space"),
            (registration(false, Some("a,b")), "instance id has characters"),
            (registration(false, Some("")), "instance id is empty"),
        ] {
            let problem = BrokerConfig::new(device(), method).unwrap_err().text();
            assert!(problem.contains(named) && !problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn no_secret_shows_in_debug_output_and_each_is_kept_out_of_answers() {
        for method in [
            AuthMethod::DeviceToken(Secret::new("hunter2")),
            iot_token("id", "hunter2"),
            AuthMethod::Registration {
                product_secret: Secret::new("hunter2"),
                sign_method: SignMethod::HmacMd5,
                random: "1".into(),
                is_known: true,
                instance_id: None,
            },
        ] {
            let broker = BrokerConfig::new(device(), method).unwrap();
            let login = broker.login(None);
            assert!(!format!("{broker:?} {login:?}").contains("hunter2"));
            assert_eq!(broker.secrets(), ["hunter2"]);
        }
    }
}
