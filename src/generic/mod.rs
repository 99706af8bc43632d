//! A broker that belongs to no cloud: mosquitto, EMQX, HiveMQ, VerneMQ, NanoMQ, or any other that speaks MQTT 3.1.1 or 5.
//!
//! Without it a plain broker is reached only by posing as AWS, whose rules it does not have: topics of eight levels, reserved
//! names, 128 KB. Nothing is assumed of a vendor here. What the standard allows is sent, and what a broker does not like it says by
//! itself. A device shows who it is with the client certificate of the connection, which the host holds, with a user name and a
//! password, with both, or with neither.
//!
//! Source: [MQTT 3.1.1](https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html) and
//! [MQTT 5.0](https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html), sections 1.5.4, 3.1.3 and 4.7.

use alloc::string::String;
use alloc::vec::Vec;

use crate::config_error::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::{Cause, Error};
use crate::explain::with_step;
use crate::http::TransportErrorKind;
use crate::message::{Message, RequestError};
use crate::mqtt::{self, Broker, Login, MAX_TEXT, MqttErrorContext, Version, check_properties};
use crate::secret::Secret;
use crate::topic::{self, TopicError};

/// A broker, and as whom to connect to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerConfig {
    endpoint: Endpoint,
    client_id: String,
    user_name: Option<Secret>,
    password: Option<Secret>,
}

impl BrokerConfig {
    /// Checks what stands in the CONNECT.
    ///
    /// # Errors
    ///
    /// A client id that is empty: the broker would make up a new one for each connection, and remember nothing from one to the
    /// next. A client id, user name or password of more than 65,535 bytes, and a NUL in one of the first two: no packet can carry it.
    pub fn new(
        endpoint: Endpoint,
        client_id: String,
        user_name: Option<Secret>,
        password: Option<Secret>,
    ) -> Result<Self, ConfigError> {
        if client_id.is_empty() {
            return Err(ConfigError::Empty("client id"));
        }
        check_text("client id", &client_id)?;
        if let Some(user_name) = &user_name {
            check_text("user name", user_name.reveal())?;
        }
        if password.as_ref().is_some_and(|password| password.reveal().len() > MAX_TEXT) {
            return Err(ConfigError::TooLarge("password", "65,535 bytes"));
        }
        Ok(Self { endpoint, client_id, user_name, password })
    }
}

impl BrokerConfig {
    /// The next step where the broker lets the client in no further. Brokers say "not authorized" of a wrong password as well, and
    /// of a client id or a certificate that they do not like.
    fn access_step(&self, error: &Error, context: &MqttErrorContext) -> Option<&'static str> {
        match (error.cause, context) {
            (Cause::Forbidden | Cause::Unauthenticated, MqttErrorContext::Connecting) => {
                Some(match (&self.user_name, &self.password) {
                    (None, None) => {
                        "give a user name and a password, or the certificate that the broker wants; its log says which"
                    }
                    _ => {
                        "check user name and password, and whether the broker admits this client id; its log says which"
                    }
                })
            }
            (Cause::PayloadTooLarge, _) if error.answer.is_none() && error.detail.is_none() => {
                Some("a session takes messages of up to 1 MiB, with topic and properties")
            }
            (Cause::Forbidden, MqttErrorContext::Publication { .. }) => {
                Some("the broker's access control list must let this client publish to the topic")
            }
            (Cause::Forbidden, MqttErrorContext::Subscription { .. }) => {
                Some("the broker's access control list must let this client subscribe to the filter")
            }
            _ => None,
        }
    }
}

/// The next step where the broker closes the connection and MQTT 3.1.1 has no word for why. In MQTT 5 each of these reasons has
/// a code, so there a close without one has another cause.
fn closed_step(error: &Error, version: Version, context: &MqttErrorContext) -> Option<&'static str> {
    let is_closed = matches!(error.cause, Cause::Transport(TransportErrorKind::ConnectionClosed));
    if !is_closed || version != Version::V3 {
        return None;
    }
    match context {
        MqttErrorContext::Publication { .. } => Some(
            "the broker closes the connection upon this message, and MQTT 3.1.1 has no word for why: it may not take QoS 1, a \
             retained message, the topic, or so many bytes; use MQTT 5, in which it says which, or look into its log",
        ),
        MqttErrorContext::Subscription { .. } => Some(
            "the broker closes the connection upon this subscription, and MQTT 3.1.1 has no word for why: use MQTT 5, in which \
             it says so, or look into its log",
        ),
        MqttErrorContext::Lost { last_topic: Some(_), .. } => Some(
            "MQTT 3.1.1 has no word for why: it may be what was sent last, or another client with the same client id; use \
             MQTT 5, in which the broker says which, or look into its log",
        ),
        _ => None,
    }
}

fn check_text(option: &'static str, text: &str) -> Result<(), ConfigError> {
    if text.len() > MAX_TEXT {
        return Err(ConfigError::TooLarge(option, "65,535 bytes"));
    }
    match text.contains('\0') {
        true => Err(ConfigError::Malformed(option)),
        false => Ok(()),
    }
}

impl Broker for BrokerConfig {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn login(&self, _: Option<String>) -> Login {
        Login { client_id: self.client_id.clone(), user_name: self.user_name.clone(), password: self.password.clone() }
    }

    fn check_message(&self, message: &Message, version: Version) -> Result<String, RequestError> {
        if message.rule.is_some() {
            return Err(RequestError::Unsupported);
        }
        topic::check_common(&message.topic)?;
        if message.topic.len() > MAX_TEXT {
            return Err(TopicError::TooLong.into());
        }
        check_properties(message.properties.as_ref(), version)?;
        Ok(message.topic.clone())
    }

    /// MQTT 3.1.1 has no password without a user name (section 3.1.2.9).
    fn check_session(&self, version: Version, will: Option<&Message>) -> Result<(), ConfigError> {
        if version == Version::V3 && self.password.is_some() && self.user_name.is_none() {
            return Err(ConfigError::Unsupported("password without a user name"));
        }
        match will.map(|will| self.check_message(will, version)) {
            Some(Err(_)) => Err(ConfigError::Malformed("will")),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    fn secrets(&self) -> Vec<&str> {
        [&self.user_name, &self.password].into_iter().flatten().map(Secret::reveal).collect()
    }

    fn explain(&self, error: &Error, version: Version, context: &MqttErrorContext) -> String {
        match self.access_step(error, context).or_else(|| closed_step(error, version, context)) {
            Some(step) => with_step(error, Some(step)),
            None => mqtt::explain(error, context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Stage;
    use crate::message::{Properties, Qos};
    use crate::outcome::Answer;
    use crate::outcome::{Delivery, Retry};

    fn config(client_id: &str, user_name: Option<&str>, password: Option<&str>) -> Result<BrokerConfig, ConfigError> {
        let endpoint = Endpoint::new("broker.lan", 8883).unwrap();
        BrokerConfig::new(endpoint, client_id.into(), user_name.map(Secret::new), password.map(Secret::new))
    }

    fn broker() -> BrokerConfig {
        config("thermometer-7", Some("me"), Some("hunter2")).unwrap()
    }

    fn message(topic: &str) -> Message {
        Message::new(topic, *b"x", Qos::AtLeastOnce)
    }

    #[test]
    fn all_topics_that_the_standard_allows_are_sent_as_they_are() {
        let deep = "a/".repeat(1000);
        let long = "t".repeat(MAX_TEXT);
        for topic in
            ["a", "/", "/a", "a//b", "a/b/c/d/e/f/g/h/i", "$SYS/x", "$aws/y", "with space", "\u{e9}", &deep, &long]
        {
            assert_eq!(broker().check_message(&message(topic), Version::V3).as_deref(), Ok(topic), "{}", topic.len());
        }
    }

    #[test]
    fn topics_that_no_packet_or_no_standard_has_are_refused() {
        let too_long = "t".repeat(MAX_TEXT + 1);
        for (topic, problem) in [
            ("", TopicError::Empty),
            ("a/+", TopicError::Wildcard),
            ("#", TopicError::Wildcard),
            ("a\0b", TopicError::ControlCharacter),
            (too_long.as_str(), TopicError::TooLong),
        ] {
            assert_eq!(broker().check_message(&message(topic), Version::V5), Err(problem.into()));
        }
    }

    #[test]
    fn shared_subscriptions_and_system_topics_are_filters_like_others() {
        for filter in ["$share/group/a/#", "$SYS/#", "+/a", "#"] {
            assert_eq!(broker().check_filter(filter), Ok(()), "{filter}");
        }
        assert!(broker().check_filter("a#").is_err());
    }

    #[test]
    fn a_large_message_and_a_retained_one_are_the_brokers_to_judge() {
        let large = Message { retain: true, payload: vec![0; 1 << 20].into(), ..message("a") };
        assert!(broker().check_message(&large, Version::V3).is_ok());
    }

    #[test]
    fn properties_are_for_mqtt_5_and_rules_are_for_aws() {
        let with = Message { properties: Some(Properties::default()), ..message("a") };
        assert!(broker().check_message(&with, Version::V5).is_ok());
        assert_eq!(broker().check_message(&with, Version::V3), Err(RequestError::Unsupported));
        let for_rule = Message { rule: Some("r".into()), ..message("a") };
        assert_eq!(broker().check_message(&for_rule, Version::V5), Err(RequestError::Unsupported));
    }

    #[test]
    fn a_connect_has_what_was_given_and_nothing_else() {
        let login = broker().login(None);
        assert_eq!(login.client_id, "thermometer-7");
        assert_eq!(login.user_name.unwrap().reveal(), "me");
        assert_eq!(login.password.unwrap().reveal(), "hunter2");
        let login = config("c", None, None).unwrap().login(None);
        assert_eq!((login.user_name, login.password), (None, None));
    }

    #[test]
    fn what_no_connect_can_carry_is_named() {
        let long = "c".repeat(MAX_TEXT + 1);
        assert_eq!(config("", None, None), Err(ConfigError::Empty("client id")));
        assert_eq!(config("a\0", None, None), Err(ConfigError::Malformed("client id")));
        assert_eq!(config(&long, None, None), Err(ConfigError::TooLarge("client id", "65,535 bytes")));
        assert_eq!(config("c", Some("a\0"), None), Err(ConfigError::Malformed("user name")));
        assert_eq!(config("c", Some("a"), Some(&long)), Err(ConfigError::TooLarge("password", "65,535 bytes")));
    }

    #[test]
    fn a_password_without_a_user_name_is_for_mqtt_5() {
        let broker = config("c", None, Some("hunter2")).unwrap();
        assert_eq!(broker.check_session(Version::V5, None), Ok(()));
        assert!(broker.check_session(Version::V3, None).is_err());
    }

    #[test]
    fn a_will_is_a_message_like_any_other() {
        assert_eq!(broker().check_session(Version::V3, Some(&message("gone/c"))), Ok(()));
        let wildcard = Some(ConfigError::Malformed("will"));
        assert_eq!(broker().check_session(Version::V3, Some(&message("gone/+"))).err(), wildcard);
    }

    #[test]
    fn user_name_and_password_show_nowhere() {
        let shown = format!("{:?}", broker());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(broker().secrets(), ["me", "hunter2"]);
    }

    #[test]
    fn over_mqtt_3_1_1_a_close_upon_a_message_is_explained_by_what_a_broker_may_not_take() {
        let error = |cause| Error {
            cause,
            stage: Stage::Publication,
            delivery: Delivery::Unknown,
            retry: Retry::Never,
            attempts: 4,
            answer: None,
            detail: None,
        };
        let closed = error(Cause::Transport(TransportErrorKind::ConnectionClosed));
        let message = MqttErrorContext::Publication { topic: "a" };
        let text = broker().explain(&closed, Version::V3, &message);
        assert!(["QoS 1", "use MQTT 5", "its log"].iter().all(|word| text.contains(word)), "{text}");
        let subscription = MqttErrorContext::Subscription { filter: "a" };
        let lost = MqttErrorContext::Lost { last_topic: Some("a"), after_ms: 1 };
        for context in [subscription, lost] {
            let text = broker().explain(&closed, Version::V3, &context);
            assert!(text.contains("use MQTT 5"), "{text}");
        }
        for (error, version) in [
            (&closed, Version::V5),
            (&error(Cause::Transport(TransportErrorKind::ConnectionReset)), Version::V3),
            (&error(Cause::Transport(TransportErrorKind::KeepAliveTimeout)), Version::V3),
        ] {
            let text = broker().explain(error, version, &message);
            assert!(!text.contains("MQTT 3.1.1 has no word"), "{text}");
        }
    }

    #[test]
    fn no_explanation_names_a_cloud() {
        for cause in
            [Cause::Unauthenticated, Cause::Forbidden, Cause::Throttled, Cause::Unsupported, Cause::PayloadTooLarge]
        {
            for status in [1_u16, 2, 3, 4, 5, 0x80, 0x84, 0x86, 0x87, 0x8c, 0x95, 0x97, 0x9a, 0x9b] {
                let answer = Answer { status, code: None, message: None, trace_id: None, clock_ahead_ms: None };
                let error = Error::answered(Stage::Connection, cause, Delivery::Refused, Retry::Never, answer);
                for context in [
                    MqttErrorContext::Connecting,
                    MqttErrorContext::Publication { topic: "a" },
                    MqttErrorContext::Subscription { filter: "a" },
                ] {
                    let text = broker().explain(&error, Version::V5, &context);
                    assert!(!text.contains("AWS") && !text.contains("Aliyun") && !text.is_empty(), "{text}");
                }
            }
        }
    }
}
