//! The embedder has said once who the device is and whether it signs the time: in the configuration that the component is opened
//! with. A second place for it would be one to get wrong, so the host holds the component to the first.
//!
//! | the configuration says | the text has |
//! |---|---|
//! | `TimestampPolicy::None` | no time: such a signature is good until the device gets another secret |
//! | `TimestampPolicy::Now` | the host's time, or one that is at most 15 minutes off |
//! | `TimestampPolicy::Corrected` | a time that is at most a day off, as the component learns the platform's |
//! | over MQTT, a time | that time and no other |
//! | over MQTT, none | no time |
//!
//! Over MQTT the platform compares the time with nothing, so that a signature there is good for ever in any case.

use std::time::Duration;

use super::super::bindings::thingpost::iot::signer::{Method, Refusal};
#[cfg(feature = "mqtt")]
use crate::runtime::types::mqtt::{AliyunBroker, AliyunMqttAuthentication, AliyunMqttSignature, Broker};
use crate::runtime::types::{AliyunConfig, Platform, SignMethod, Signer, TimestampPolicy};

/// The most characters of a client id. The default is cut to them, as the core does it.
const MAX_CLIENT_ID: usize = 64;

/// Beyond this the platform takes no timestamp anyway.
const TOLERATED: Duration = Duration::from_secs(15 * 60);

/// A clock that is further off is a fault that somebody has to see, and a signature for a later day would outlast its guest.
const MOST_CORRECTED: Duration = Duration::from_secs(24 * 60 * 60);

/// The one text that the component of a device may have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct SigningPolicy {
    product_key: String,
    device_name: String,
    client_id: String,
    method: SignMethod,
    timestamp: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timestamp {
    None,
    #[cfg(feature = "mqtt")]
    Exactly(u64),
    Within(Duration),
}

impl SigningPolicy {
    /// What the device on this platform has to sign, if it leaves that to the host.
    pub fn of_platform(platform: &Platform) -> Option<Self> {
        match platform {
            Platform::Aliyun(config) => Self::of(config),
            Platform::Aws(_) => None,
        }
    }

    /// What a device that is configured so has to sign, if it leaves that to the host.
    pub fn of(config: &AliyunConfig) -> Option<Self> {
        let AliyunConfig { product_key, device_name, signer, client_id, sign_method, timestamp, .. } = config;
        let timestamp = match timestamp {
            TimestampPolicy::None => Timestamp::None,
            TimestampPolicy::Now => Timestamp::Within(TOLERATED),
            TimestampPolicy::Corrected => Timestamp::Within(MOST_CORRECTED),
        };
        (*signer == Signer::Host)
            .then(|| Self::new(product_key, device_name, client_id.as_deref(), *sign_method, timestamp))
    }

    /// What a device has to sign for a broker, if it leaves that to the host.
    #[cfg(feature = "mqtt")]
    pub fn of_broker(broker: &Broker) -> Option<Self> {
        let Broker::Aliyun(broker) = broker else { return None };
        let AliyunBroker { product_key, device_name, client_id, authentication, .. } = broker;
        match authentication {
            AliyunMqttAuthentication::Signature(AliyunMqttSignature {
                signer: Signer::Host,
                sign_method,
                timestamp_ms,
            }) => {
                let timestamp = timestamp_ms.map_or(Timestamp::None, Timestamp::Exactly);
                Some(Self::new(product_key, device_name, client_id.as_deref(), *sign_method, timestamp))
            }
            AliyunMqttAuthentication::Signature(_)
            | AliyunMqttAuthentication::DeviceToken(_)
            | AliyunMqttAuthentication::IotToken(_)
            | AliyunMqttAuthentication::Registration(_) => None,
        }
    }

    fn new(
        product_key: &str,
        device_name: &str,
        client_id: Option<&str>,
        method: SignMethod,
        timestamp: Timestamp,
    ) -> Self {
        let client_id = client_id.map_or_else(
            || format!("{product_key}.{device_name}").chars().take(MAX_CLIENT_ID).collect(),
            str::to_owned,
        );
        Self { product_key: product_key.to_owned(), device_name: device_name.to_owned(), client_id, method, timestamp }
    }

    /// Product key and device name.
    pub fn device(&self) -> (&str, &str) {
        (&self.product_key, &self.device_name)
    }

    /// Whether this is the text, at this time since 1970.
    pub fn check(&self, method: Method, content: &str, now: Duration) -> Result<(), Refusal> {
        let Self { product_key, device_name, client_id, .. } = self;
        let names = format!("clientId{client_id}deviceName{device_name}productKey{product_key}");
        let rest = content.strip_prefix(&names).filter(|_| self.method == method.into());
        let signed = match rest.map(|rest| (rest, rest.strip_prefix("timestamp").and_then(milliseconds))) {
            Some(("", _)) => None,
            Some((_, Some(timestamp_ms))) => Some(timestamp_ms),
            Some(_) | None => return Err(Refusal::NotAuthentication),
        };
        match (self.timestamp, signed) {
            (Timestamp::None, None) => Ok(()),
            (Timestamp::None, Some(_)) => Err(Refusal::NotAuthentication),
            (_, None) => Err(Refusal::NoTimestamp),
            #[cfg(feature = "mqtt")]
            (Timestamp::Exactly(timestamp_ms), Some(signed_ms)) if signed_ms == timestamp_ms => Ok(()),
            (Timestamp::Within(most), Some(signed_ms)) if now.abs_diff(Duration::from_millis(signed_ms)) <= most => {
                Ok(())
            }
            (_, Some(_)) => Err(Refusal::TimestampTooFar),
        }
    }
}

/// As the platform writes a time: `+7`, `07` and what is too large for it are other texts.
fn milliseconds(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|number: &u64| number.to_string() == digits)
}

impl From<Method> for SignMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::HmacMd5 => Self::HmacMd5,
            Method::HmacSha1 => Self::HmacSha1,
            Method::HmacSha256 => Self::HmacSha256,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &str = "clientId1deviceNamedeviceproductKeypk";
    const NOW: Duration = Duration::from_secs(1_800_000_000);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const MS: Duration = Duration::from_millis(1);

    fn policy(timestamp: TimestampPolicy) -> SigningPolicy {
        SigningPolicy::of(&config(timestamp, Some("1"))).unwrap()
    }

    fn config(timestamp: TimestampPolicy, client_id: Option<&str>) -> AliyunConfig {
        AliyunConfig {
            endpoint: "iot.example".to_owned(),
            port: 443,
            product_key: "pk".to_owned(),
            device_name: "device".to_owned(),
            signer: Signer::Host,
            client_id: client_id.map(str::to_owned),
            sign_method: SignMethod::HmacSha1,
            timestamp,
        }
    }

    fn at(time: Duration) -> String {
        format!("{NAMES}timestamp{}", time.as_millis())
    }

    fn check(policy: &SigningPolicy, content: &str) -> Result<(), Refusal> {
        policy.check(Method::HmacSha1, content, NOW)
    }

    #[test]
    fn nothing_is_signed_but_the_authentication_of_that_device_by_that_client_id() {
        let policy = policy(TimestampPolicy::None);
        assert_eq!(check(&policy, NAMES), Ok(()));
        for content in [
            "",
            "deviceNamedeviceproductKeypkrandom7",
            "clientId1deviceNameotherproductKeypk",
            "clientId1deviceNamedeviceproductKeyother",
            "clientId2deviceNamedeviceproductKeypk",
            "clientId1deviceNamedeviceproductKeypkx",
            "clientId1deviceNamedeviceproductKeypktimestamp",
            "clientId1deviceNamedeviceproductKeypktimestamp7x",
            "clientId1deviceNamedeviceproductKeypk789",
            "clientId1deviceNamexproductKeyydeviceNamedeviceproductKeypk",
        ] {
            assert_eq!(check(&policy, content), Err(Refusal::NotAuthentication), "{content}");
        }
    }

    #[test]
    fn the_method_is_that_of_the_configuration() {
        let policy = policy(TimestampPolicy::None);
        for method in [Method::HmacMd5, Method::HmacSha256] {
            assert_eq!(policy.check(method, NAMES, NOW), Err(Refusal::NotAuthentication));
        }
    }

    #[test]
    fn a_signature_without_a_time_is_for_those_who_are_configured_so() {
        for timestamp in [TimestampPolicy::Now, TimestampPolicy::Corrected] {
            assert_eq!(check(&policy(timestamp), NAMES), Err(Refusal::NoTimestamp));
        }
        assert_eq!(check(&policy(TimestampPolicy::None), &at(NOW)), Err(Refusal::NotAuthentication));
    }

    #[test]
    fn a_time_is_that_of_the_host_but_for_what_the_platforms_clock_may_differ() {
        for (timestamp, most) in [(TimestampPolicy::Now, DAY / 96), (TimestampPolicy::Corrected, DAY)] {
            let policy = policy(timestamp);
            for near in [NOW, NOW - most, NOW + most] {
                assert_eq!(check(&policy, &at(near)), Ok(()));
            }
            for far in [NOW - most - MS, NOW + most + MS, Duration::ZERO, Duration::from_millis(u64::MAX)] {
                assert_eq!(check(&policy, &at(far)), Err(Refusal::TimestampTooFar));
            }
        }
    }

    #[test]
    fn a_time_is_written_in_one_way() {
        let policy = policy(TimestampPolicy::Now);
        let now = NOW.as_millis();
        for written in [format!("+{now}"), format!("0{now}"), format!("{now} "), format!("{now}0000000000000")] {
            let content = format!("{NAMES}timestamp{written}");
            assert_eq!(check(&policy, &content), Err(Refusal::NotAuthentication), "{content}");
        }
    }

    #[test]
    fn without_a_client_id_it_is_the_default_one() {
        let policy = SigningPolicy::of(&config(TimestampPolicy::None, None)).unwrap();
        assert_eq!(check(&policy, "clientIdpk.devicedeviceNamedeviceproductKeypk"), Ok(()));
        assert_eq!(check(&policy, NAMES), Err(Refusal::NotAuthentication));
        let long = AliyunConfig { device_name: "d".repeat(80), ..config(TimestampPolicy::None, None) };
        assert_eq!(SigningPolicy::of(&long).unwrap().client_id.len(), MAX_CLIENT_ID);
    }

    #[test]
    fn where_the_component_signs_the_host_does_not() {
        let signer = Signer::DeviceSecret("hush".to_owned());
        assert_eq!(SigningPolicy::of(&AliyunConfig { signer, ..config(TimestampPolicy::None, None) }), None);
    }

    #[cfg(feature = "mqtt")]
    #[test]
    fn over_mqtt_the_time_is_the_one_of_the_configuration() {
        let broker = |timestamp_ms| {
            Broker::Aliyun(AliyunBroker {
                endpoint: "iot.example".to_owned(),
                port: 443,
                product_key: "pk".to_owned(),
                device_name: "device".to_owned(),
                authentication: AliyunMqttAuthentication::Signature(AliyunMqttSignature {
                    signer: Signer::Host,
                    sign_method: SignMethod::HmacSha1,
                    timestamp_ms,
                }),
                client_id: Some("1".to_owned()),
                client_id_parameters: Vec::new(),
                unchecked: false,
            })
        };
        let timed = SigningPolicy::of_broker(&broker(Some(789))).unwrap();
        assert_eq!(check(&timed, &format!("{NAMES}timestamp789")), Ok(()));
        assert_eq!(check(&timed, &at(NOW)), Err(Refusal::TimestampTooFar));
        assert_eq!(check(&timed, NAMES), Err(Refusal::NoTimestamp));
        let untimed = SigningPolicy::of_broker(&broker(None)).unwrap();
        assert_eq!(check(&untimed, NAMES), Ok(()));
        assert_eq!(check(&untimed, &at(NOW)), Err(Refusal::NotAuthentication));
    }
}
