//! AWS IoT Core over MQTT.
//!
//! Over MQTT the port and the ALPN protocol decide how a device shows who it is: with a certificate on 8883 without
//! ALPN, or on 443 with `x-amzn-mqtt-ca`; before a custom authorizer on 443 with `mqtt`. Both are up to the host. What
//! is left to be said in a CONNECT is the client id and, for an authorizer, user name and password. What AWS does not
//! like it mostly answers by closing the connection, so all that can be known before is checked here.
//!
//! What AWS documents: ports and ALPN protocols, limits of client ids, topics and payloads, the form of the user name.
//! What is taken from the SDKs and from other clients: that values in the user name are percent-encoded, and that the
//! limits of topics hold for topic filters as well.

mod authorizer;
mod explain;
mod topic;

use alloc::string::String;
use alloc::vec::Vec;

pub use authorizer::Authorizer;

use super::{properties, wire_topic};
use crate::config_error::ConfigError as Problem;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::message::{Message, RequestError};
use crate::mqtt::{Broker, Login, MqttErrorContext, Version, check_properties};

/// The longest client id, in characters.
const MAX_CLIENT_ID: usize = 128;

/// AWS takes 30 to 1,200 seconds, and the nearer of the two for anything else but 0. It counts with so much where more is asked for, and with MQTT 3.1.1 it does not say so: it cuts the connection after one and a
/// half times as long, and publishes the will.
const LONGEST_KEEP_ALIVE_S: u16 = 1200;

/// A broker of AWS IoT Core, and as whom to connect to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerConfig {
    endpoint: Endpoint,
    client_id: String,
    authentication: AuthMethod,
}

/// How a device shows who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// With the client certificate of the connection, which the host holds. Nothing stands in the CONNECT.
    Certificate,
    /// With what a function of the account's owner judges.
    CustomAuthorizer(Authorizer),
}

impl BrokerConfig {
    /// Checks the client id and what an authorizer is sent.
    ///
    /// # Errors
    ///
    /// A client id that AWS does not take, or a name or token of an authorizer that is empty or malformed.
    pub fn new(endpoint: Endpoint, client_id: String, authentication: AuthMethod) -> Result<Self, Problem> {
        check_client_id(&client_id)?;
        if let AuthMethod::CustomAuthorizer(authorizer) = &authentication {
            authorizer.check()?;
        }
        Ok(Self { endpoint, client_id, authentication })
    }
}

impl Broker for BrokerConfig {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn login(&self, _: Option<String>) -> Login {
        let (user_name, password) = match &self.authentication {
            AuthMethod::Certificate => (None, None),
            AuthMethod::CustomAuthorizer(authorizer) => (authorizer.user_name(), authorizer.password.clone()),
        };
        Login { client_id: self.client_id.clone(), user_name, password }
    }

    fn check_message(&self, message: &Message, version: Version) -> Result<String, RequestError> {
        let topic = wire_topic(message)?;
        topic::check_topic(&topic)?;
        message.checked_payload()?;
        if let (Some(properties), Version::V5) = (&message.properties, version) {
            properties::check(properties)?;
        }
        check_properties(message.properties.as_ref(), version)?;
        Ok(topic)
    }

    fn check_filter(&self, filter: &str) -> Result<(), RequestError> {
        topic::check_filter(filter)
    }

    fn longest_keep_alive(&self) -> Option<u16> {
        Some(LONGEST_KEEP_ALIVE_S)
    }

    fn secrets(&self) -> Vec<&str> {
        match &self.authentication {
            AuthMethod::Certificate => Vec::new(),
            AuthMethod::CustomAuthorizer(authorizer) => authorizer.secrets().collect(),
        }
    }

    fn explain(&self, error: &Error, version: Version, context: &MqttErrorContext) -> String {
        explain::explain(self, error, version, context)
    }
}

fn check_client_id(client_id: &str) -> Result<(), Problem> {
    const OPTION: &str = "client id";
    if client_id.is_empty() {
        return Err(Problem::Empty(OPTION));
    }
    if client_id.chars().any(char::is_control) {
        return Err(Problem::WhiteSpace(OPTION));
    }
    if client_id.as_bytes().starts_with(b"$") || client_id.chars().nth(MAX_CLIENT_ID).is_some() {
        return Err(Problem::Malformed(OPTION));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;
    use crate::message::{Properties, Qos};
    use crate::secret::Secret;
    use crate::topic::TopicError;

    fn endpoint() -> Endpoint {
        Endpoint::new("a1-ats.iot.eu-central-1.amazonaws.com", 8883).unwrap()
    }

    fn with_id(client_id: &str) -> Result<BrokerConfig, Problem> {
        BrokerConfig::new(endpoint(), client_id.into(), AuthMethod::Certificate)
    }

    fn message(topic: &str) -> Message {
        Message::new(topic, *b"x", Qos::AtLeastOnce)
    }

    fn check(message: &Message, version: Version) -> Result<String, RequestError> {
        with_id("c").unwrap().check_message(message, version)
    }

    #[test]
    fn a_client_id_has_1_to_128_characters_and_does_not_begin_with_a_dollar() {
        for client_id in ["c", "my device/1:é", "a$", &"é".repeat(128)] {
            assert!(with_id(client_id).is_ok(), "{client_id}");
        }
        for (client_id, problem) in [
            ("", Problem::Empty("client id")),
            ("a\n", Problem::WhiteSpace("client id")),
            ("a\0b", Problem::WhiteSpace("client id")),
            ("$a", Problem::Malformed("client id")),
            (&"a".repeat(129), Problem::Malformed("client id")),
        ] {
            assert_eq!(with_id(client_id), Err(problem), "{client_id:?}");
        }
    }

    #[test]
    fn with_a_certificate_a_connect_has_the_client_id_alone() {
        let login = with_id("c").unwrap().login(None);
        assert_eq!(login, Login { client_id: "c".into(), user_name: None, password: None });
    }

    #[test]
    fn for_an_authorizer_a_connect_has_user_name_and_password() {
        let authorizer = Authorizer {
            name: Some("gate".into()),
            token: Some(("jwt".into(), Secret::new("hunter2"))),
            signature: None,
            user_name: Some(Secret::new("me")),
            password: Some(Secret::new("swordfish")),
        };
        let broker = BrokerConfig::new(endpoint(), "c".into(), AuthMethod::CustomAuthorizer(authorizer)).unwrap();
        let login = broker.login(None);
        assert_eq!(login.user_name.unwrap().reveal(), "me?x-amz-customauthorizer-name=gate&jwt=hunter2");
        assert_eq!(login.password.unwrap().reveal(), "swordfish");
        assert_eq!(broker.secrets(), ["hunter2", "me", "swordfish"]);
        let shown = format!("{broker:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("swordfish"), "{shown}");
    }

    #[test]
    fn a_message_for_a_rule_goes_to_the_topic_of_basic_ingest() {
        let for_rule = |rule: &str, topic: &str| Message { rule: Some(rule.into()), ..message(topic) };
        assert_eq!(check(&for_rule("my_rule", "a/b"), Version::V3).unwrap(), "$aws/rules/my_rule/a/b");
        assert_eq!(check(&for_rule("my_rule", ""), Version::V3).unwrap(), "$aws/rules/my_rule");
        assert_eq!(check(&for_rule("a-b", "a"), Version::V3), Err(Field::RuleName.into()));
    }

    #[test]
    fn takes_128_kb_and_not_a_byte_more() {
        let sized = |bytes| Message::new("a", vec![0; bytes], Qos::AtMostOnce);
        assert!(check(&sized(131_072), Version::V5).is_ok());
        assert_eq!(check(&sized(131_073), Version::V5), Err(RequestError::PayloadTooLarge));
    }

    #[test]
    fn properties_are_for_mqtt_5() {
        let with = |properties| Message { properties: Some(properties), ..message("a") };
        assert_eq!(check(&with(Properties::default()), Version::V5).unwrap(), "a");
        assert_eq!(check(&with(Properties::default()), Version::V3), Err(RequestError::Unsupported));
        let expiring = Properties { message_expiry_s: Some(604_801), ..Properties::default() };
        assert_eq!(check(&with(expiring), Version::V5).unwrap(), "a");
    }

    #[test]
    fn a_property_that_no_packet_has_room_for_is_refused() {
        let long = || "a".repeat(65_536);
        let just = Properties { content_type: Some("a".repeat(65_535)), ..Properties::default() };
        assert_eq!(check_properties(Some(&just), Version::V5), Ok(()));
        for (properties, problem) in [
            (Properties { content_type: Some(long()), ..Properties::default() }, Field::ContentType.into()),
            (Properties { response_topic: Some(long()), ..Properties::default() }, Field::ResponseTopic.into()),
            (
                Properties { user_properties: vec![("a".into(), long())], ..Properties::default() },
                Field::UserProperty.into(),
            ),
            (
                Properties { correlation_data: Some(long().into()), ..Properties::default() },
                RequestError::PayloadTooLarge,
            ),
        ] {
            assert_eq!(check_properties(Some(&properties), Version::V5), Err(problem));
        }
    }

    #[test]
    fn a_keep_alive_of_zero_would_never_notice_a_loss() {
        let broker = with_id("c").unwrap();
        assert_eq!(broker.check_keep_alive(0), Err(Problem::Zero("keep-alive")));
        for seconds in [1, 30, 1200, u16::MAX] {
            assert_eq!(broker.check_keep_alive(seconds), Ok(()), "{seconds}");
        }
    }

    #[test]
    fn a_will_is_a_message_like_any_other() {
        let broker = with_id("c").unwrap();
        assert_eq!(broker.check_session(Version::V3, None), Ok(()));
        assert_eq!(broker.check_session(Version::V3, Some(&message("gone/c"))), Ok(()));
        assert_eq!(broker.check_session(Version::V3, Some(&message("gone/+"))), Err(Problem::Malformed("will")));
        let with_properties = Message { properties: Some(Properties::default()), ..message("gone/c") };
        assert_eq!(broker.check_session(Version::V5, Some(&with_properties)), Ok(()));
        assert_eq!(broker.check_session(Version::V3, Some(&with_properties)), Err(Problem::Malformed("will")));
    }

    #[test]
    fn a_topic_that_cannot_be_published_to_is_named_before_anything_is_sent() {
        let problem = check(&message("a/#"), Version::V3).unwrap_err();
        assert_eq!(problem, RequestError::InvalidTopic(TopicError::Wildcard));
    }
}
