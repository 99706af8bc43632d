//! Aliyun IoT Platform over MQTT.
//!
//! The signature is that of HTTPS, but there is nowhere to put its parameters: so they stand in the client id, between bars,
//! and the password is the signature. The platform does not compare the timestamp with its clock here.
//!
//! What stands here is from Aliyun's documentation ("Establish MQTT connections over TCP") and its SDKs: the form of
//! the client id, MQTT 3.1.1 without wills and without retained messages, a keep-alive of 30 to 1,200 seconds, 256 KB,
//! and one connection per device. Instances of enterprises are said to take more, and a gateway speaks for other devices: who
//! knows better than the documentation can say so, and then nothing is refused that a packet can carry.

mod auth_method;
mod explain;
mod topic;

use alloc::string::String;
use alloc::vec::Vec;

pub use auth_method::AuthMethod;

use super::topic::encode_path;
use super::{Device, lint};
use crate::config_error::ConfigError as Problem;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::message::{Message, RequestError};
use crate::mqtt::{Broker, Login, MqttErrorContext, Version};
use crate::secret::Secret;
use crate::signing::Signing;
use crate::topic::check_filter as check_form;

/// The largest payload: 256 KB.
const MAX_PAYLOAD: usize = 256 * 1024;

/// Of a device. What comes beyond that is refused, and makes it last longer.
const CONNECTS_PER_MINUTE: usize = 5;

/// The most bytes that more parameters of a client id may have.
const MAX_PARAMETERS: usize = 8192;

/// In seconds.
const KEEP_ALIVE: core::ops::RangeInclusive<u16> = 30..=1200;

/// The broker of an instance, and as whom to connect to it.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    device: Device,
    auth_method: AuthMethod,
    is_unchecked: bool,
    /// What else stands between the bars of the client id, or in the place of a default there.
    parameters: Vec<(String, String)>,
}

impl BrokerConfig {
    /// Checks the secret, if there is one, and the client id: what delimits the parameters must not stand in it.
    ///
    /// # Errors
    /// When one of them cannot be what the platform has given out, or would break the form of the client id.
    pub fn new(device: Device, auth_method: AuthMethod) -> Result<Self, Problem> {
        // A bar is refused wherever the id is for.
        if device.client_id.contains(',') {
            return Err(Problem::Malformed("client id"));
        }
        auth_method.check()?;
        Ok(Self { device, auth_method, is_unchecked: false, parameters: Vec::new() })
    }

    /// The broker of an instance that takes more than the documentation says: MQTT 5, a will, retained messages, shared
    /// subscriptions, topics of other devices.
    #[must_use]
    pub fn unchecked(self) -> Self {
        Self { is_unchecked: true, ..self }
    }

    /// With more parameters in the client id, such as `ext=1`, or others than by default, such as `securemode=2`.
    ///
    /// # Errors
    /// When one of them would break the form of the client id, or is a part of what is signed.
    pub fn with_parameters(self, parameters: Vec<(String, String)>) -> Result<Self, Problem> {
        const OPTION: &str = "parameter of the client id";
        for (name, value) in &parameters {
            if name.is_empty() {
                return Err(Problem::Empty(OPTION));
            }
            let breaks = |text: &str, more: &[char]| {
                text.chars().any(|it| it.is_control() || matches!(it, '|' | ',') || more.contains(&it))
            };
            let is_signed = self.auth_method.signed_parameters().contains(&name.as_str());
            if breaks(name, &['=']) || breaks(value, &[]) || is_signed {
                return Err(Problem::Malformed(OPTION));
            }
        }
        // The whole client id has to fit into 65,535 bytes.
        match parameters.iter().map(|(name, value)| name.len() + value.len()).sum() {
            ..=MAX_PARAMETERS => Ok(Self { parameters, ..self }),
            _ => Err(Problem::OutOfRange(OPTION, "8192 bytes, all of them together")),
        }
    }

    fn device(&self) -> &Device {
        &self.device
    }

    /// The client id with its parameters.
    fn client_id(&self) -> String {
        let own = self.auth_method.parameters();
        let given = |name: &str| self.parameters.iter().rev().find(|(other, _)| other == name);
        let mut client_id = [self.device.client_id.as_str(), "|"].concat();
        let mut add = |name: &str, value: &str| {
            let separator = if client_id.ends_with('|') { "" } else { "," };
            for part in [separator, name, "=", value] {
                client_id.push_str(part);
            }
        };
        for (name, value) in &own {
            add(name, given(name).map_or(value, |(_, value)| value));
        }
        for (name, value) in &self.parameters {
            if !own.iter().any(|(other, _)| other == name) {
                add(name, value);
            }
        }
        client_id.push('|');
        client_id
    }
}

impl Broker for BrokerConfig {
    fn endpoint(&self) -> &Endpoint {
        &self.device.endpoint
    }

    fn external_signing(&self) -> Option<Signing> {
        self.auth_method.external_signing(&self.device)
    }

    fn login(&self, signature: Option<String>) -> Login {
        let (user_name, password) = self.auth_method.credentials(&self.device);
        Login {
            client_id: self.client_id(),
            user_name: Some(Secret::new(user_name)),
            password: Some(Secret::new(password.or(signature).unwrap_or_default())),
        }
    }

    fn check_message(&self, message: &Message, version: Version) -> Result<String, RequestError> {
        let has_more = message.retain || message.properties.is_some();
        let fits_in_no_packet = message.properties.is_some() && version == Version::V3;
        if message.rule.is_some() || fits_in_no_packet || (has_more && !self.is_unchecked) {
            return Err(RequestError::Unsupported);
        }
        encode_path(&message.topic)?;
        if !self.is_unchecked {
            lint::check_owner(self.device(), &message.topic)?;
        }
        match message.payload.len() {
            ..=MAX_PAYLOAD => Ok(message.topic.clone()),
            _ => Err(RequestError::PayloadTooLarge),
        }
    }

    fn check_filter(&self, filter: &str) -> Result<(), RequestError> {
        match self.is_unchecked {
            true => Ok(check_form(filter)?),
            false => topic::check_filter(self.device(), filter),
        }
    }

    /// The platform refuses a connection with a keep-alive outside of its bounds.
    fn check_keep_alive(&self, seconds: u16) -> Result<(), Problem> {
        match KEEP_ALIVE.contains(&seconds) {
            true => Ok(()),
            false => Err(Problem::OutOfRange("keep-alive", "30 to 1200 seconds")),
        }
    }

    /// The platform has MQTT 3.1.1 and no wills.
    fn check_session(&self, version: Version, will: Option<&Message>) -> Result<(), Problem> {
        match (version, will) {
            _ if self.is_unchecked => Ok(()),
            (Version::V5, _) => Err(Problem::Unsupported("version 5 of MQTT")),
            (Version::V3, Some(_)) => Err(Problem::Unsupported("will")),
            (Version::V3, None) => Ok(()),
        }
    }

    fn connects_per_minute(&self) -> Option<usize> {
        Some(CONNECTS_PER_MINUTE)
    }

    fn secrets(&self) -> Vec<&str> {
        self.auth_method.secret().into_iter().collect()
    }

    fn explain(&self, error: &Error, _: Version, context: &MqttErrorContext) -> String {
        explain::explain(self, error, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aliyun::{SignMethod, Signer};
    use crate::message::{Properties, Qos};
    use crate::topic::TopicError;

    fn broker(
        client_id: &str,
        signer: Signer,
        method: SignMethod,
        timestamp_ms: Option<u64>,
    ) -> Result<BrokerConfig, Problem> {
        let endpoint = Endpoint::new("pk.iot-as-mqtt.cn-shanghai.aliyuncs.com", 443).unwrap();
        let device = Device::new(endpoint, "pk", "device", Some(client_id)).unwrap();
        BrokerConfig::new(device, AuthMethod::Signature { signer, sign_method: method, timestamp_ms })
    }

    fn secret() -> Signer {
        Signer::Secret(Secret::new("secret"))
    }

    fn sample() -> BrokerConfig {
        broker("12345", secret(), SignMethod::HmacSha1, Some(789)).unwrap()
    }

    fn message(topic: &str) -> Message {
        Message::new(topic, *b"x", Qos::AtLeastOnce)
    }

    #[test]
    fn logs_in_as_the_documented_example_with_every_method() {
        for (method, timestamp_ms, client_id, password) in [
            // Published, password included.
            (
                SignMethod::HmacSha1,
                Some(789),
                "12345|securemode=2,signmethod=hmacsha1,timestamp=789|",
                "fafd82a3d602b37fb0fa8b7892f24a477f851a14",
            ),
            // Computed with another implementation of HMAC.
            (
                SignMethod::HmacMd5,
                Some(789),
                "12345|securemode=2,signmethod=hmacmd5,timestamp=789|",
                "14b198324fe55e1d3c88f2e705e201ee",
            ),
            (
                SignMethod::HmacSha256,
                Some(789),
                "12345|securemode=2,signmethod=hmacsha256,timestamp=789|",
                "6074a46a91b1ebb2cc4ea42790ad0e80202c9843859fc292e57c4eb19fad9e57",
            ),
            (
                SignMethod::HmacSha1,
                None,
                "12345|securemode=2,signmethod=hmacsha1|",
                "3504e4df7ce4766d30f796ee973c9ce7fc5425cb",
            ),
            (SignMethod::HmacMd5, None, "12345|securemode=2,signmethod=hmacmd5|", "2ce7304ec0ddd548eb1492d65ac0b334"),
            (
                SignMethod::HmacSha256,
                None,
                "12345|securemode=2,signmethod=hmacsha256|",
                "c8cb3dcb7159682438e5fd9a9c34f398e41bb8edb6f222795e307bafee151090",
            ),
        ] {
            let broker = broker("12345", secret(), method, timestamp_ms).unwrap();
            let login = broker.login(None);
            assert_eq!(login.client_id, client_id);
            assert_eq!(login.user_name.unwrap().reveal(), "device&pk");
            assert_eq!(login.password.unwrap().reveal(), password, "{client_id}");
        }
    }

    #[test]
    fn what_somebody_else_signs_is_what_we_would_sign() {
        let elsewhere = broker("12345", Signer::External, SignMethod::HmacSha1, Some(789)).unwrap();
        assert_eq!(sample().external_signing(), None);
        let content = elsewhere.external_signing().unwrap().content;
        assert_eq!(content, "clientId12345deviceNamedeviceproductKeypktimestamp789");
        assert_eq!(elsewhere.login(Some("s".into())).password.unwrap().reveal(), "s");
    }

    #[test]
    fn a_client_id_that_would_break_its_form_is_refused() {
        let problem = broker("a,b", secret(), SignMethod::HmacMd5, None).unwrap_err();
        assert_eq!(problem, Problem::Malformed("client id"));
        for client_id in ["pk.device", "a=b&c", "00:11:22", &"ä".repeat(64)] {
            assert!(broker(client_id, secret(), SignMethod::HmacMd5, None).is_ok(), "{client_id}");
        }
    }

    #[test]
    fn a_secret_with_white_space_around_it_is_refused() {
        let signer = Signer::Secret(Secret::new("secret\n"));
        let problem = broker("c", signer, SignMethod::HmacMd5, None).unwrap_err();
        assert_eq!(problem, Problem::WhiteSpace("device secret"));
    }

    #[test]
    fn debug_output_shows_neither_the_secret_nor_the_password() {
        let broker = broker("12345", Signer::Secret(Secret::new("hunter2")), SignMethod::HmacSha1, None).unwrap();
        let elsewhere = self::broker("12345", Signer::External, SignMethod::HmacSha1, None).unwrap();
        let login = elsewhere.login(Some("swordfish".into()));
        let shown = format!("{broker:?} {login:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("swordfish"), "{shown}");
        assert_eq!(broker.secrets(), ["hunter2"]);
    }

    #[test]
    fn a_message_goes_to_a_topic_of_the_device_and_has_nothing_that_the_platform_lacks() {
        let check = |message: &Message| sample().check_message(message, Version::V3);
        for topic in ["/pk/device/user/update", "/sys/pk/device/thing/event/property/post"] {
            assert_eq!(check(&message(topic)).as_deref(), Ok(topic));
        }
        for (topic, problem) in [
            ("pk/device/user/update", TopicError::NotAbsolute),
            ("/pk/other/user/update", TopicError::OtherDevice),
            ("/pk/device//update", TopicError::EmptyLevel),
            ("/pk/device/user/+", TopicError::Wildcard),
            ("/pk/device/a/b/c/d/e/f", TopicError::TooManySlashes),
            (&["/pk/device/", &"a".repeat(118)].concat(), TopicError::TooLong),
        ] {
            assert_eq!(check(&message(topic)), Err(problem.into()), "{topic}");
        }
        let plain = || message("/pk/device/user/update");
        for unsupported in [
            Message { retain: true, ..plain() },
            Message { rule: Some("r".into()), ..plain() },
            Message { properties: Some(Properties::default()), ..plain() },
        ] {
            assert_eq!(check(&unsupported), Err(RequestError::Unsupported));
        }
    }

    #[test]
    fn who_knows_better_than_the_documentation_is_refused_nothing_that_a_packet_can_carry() {
        let broker = sample().unchecked();
        let plain = || message("/pk/device/user/update");
        assert_eq!(broker.check_session(Version::V5, Some(&plain())), Ok(()));
        assert_eq!(broker.check_session(Version::V3, Some(&plain())), Ok(()));
        for topic in ["/pk/sub-device/user/update", "/sys/other/sub-device/thing/event/property/post"] {
            assert_eq!(broker.check_message(&message(topic), Version::V3).as_deref(), Ok(topic));
        }
        assert!(broker.check_message(&Message { retain: true, ..plain() }, Version::V3).is_ok());
        let expiring = Message { properties: Some(Properties::default()), ..plain() };
        assert!(broker.check_message(&expiring, Version::V5).is_ok());
        assert_eq!(broker.check_message(&expiring, Version::V3), Err(RequestError::Unsupported));
        for filter in ["$share/g/pk/device/user/get", "/pk/+/user/get", "#"] {
            assert_eq!(broker.check_filter(filter), Ok(()), "{filter}");
        }
        assert!(broker.check_filter("a/#/b").is_err() && broker.check_message(&message("/pk/+"), Version::V5).is_err());
    }

    #[test]
    fn more_parameters_stand_behind_our_own_and_are_not_signed() {
        let with = |name: &str, value: &str| sample().with_parameters(vec![(name.into(), value.into())]);
        let broker = sample().with_parameters(vec![("ext".into(), "1".into()), ("_v".into(), "a=b".into())]).unwrap();
        let login = broker.login(None);
        assert_eq!(login.client_id, "12345|securemode=2,signmethod=hmacsha1,timestamp=789,ext=1,_v=a=b|");
        assert_eq!(login.password, sample().login(None).password);
        assert!(with("ext", "").is_ok());
        let problem = with("ext", &"x".repeat(MAX_PARAMETERS)).unwrap_err().text();
        assert!(problem.contains("8192 bytes"), "{problem}");
        for (name, value) in [("securemode", "3"), ("a=b", "c"), ("a", "b|"), ("a", "b,c=d"), ("a\n", "b")] {
            assert_eq!(with(name, value).unwrap_err(), Problem::Malformed("parameter of the client id"), "{name}");
        }
        assert_eq!(with("", "1").unwrap_err(), Problem::Empty("parameter of the client id"));
    }

    #[test]
    fn takes_256_kb_and_not_a_byte_more() {
        let sized = |bytes| Message::new("/pk/device/user/update", vec![0; bytes], Qos::AtMostOnce);
        assert!(sample().check_message(&sized(262_144), Version::V3).is_ok());
        assert_eq!(sample().check_message(&sized(262_145), Version::V3), Err(RequestError::PayloadTooLarge));
    }

    #[test]
    fn a_keep_alive_has_30_to_1200_seconds() {
        let text = |seconds| sample().check_keep_alive(seconds).map_err(|problem| problem.text());
        for outside in [0, 29, 1201] {
            assert_eq!(text(outside).unwrap_err(), "the keep-alive is not within 30 to 1200 seconds");
        }
        assert!(text(30).is_ok() && text(1200).is_ok());
    }

    #[test]
    fn a_session_is_of_mqtt_3_1_1_and_has_no_will() {
        assert_eq!(sample().check_session(Version::V3, None), Ok(()));
        let will = message("/pk/device/user/gone");
        assert_eq!(sample().check_session(Version::V3, Some(&will)), Err(Problem::Unsupported("will")));
        let problem = sample().check_session(Version::V5, None).unwrap_err();
        assert!(problem.text().contains("version 5 of MQTT"), "{}", problem.text());
    }
}
