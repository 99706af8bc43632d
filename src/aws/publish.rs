//! Publishing.

use alloc::string::String;

use super::response::{Request as Asked, check};
use super::target::Target;
use super::topic::{encode_topic, rule_topic};
use super::{Config, properties};
use crate::error::Error;
use crate::http::{Request, Response};
use crate::message::{Message, Qos, RequestError};
use crate::outcome::Receipt;

/// The request that publishes a message at this time. Nothing is sent if it cannot succeed.
///
/// # Errors
///
/// A topic, rule, payload or property that AWS does not take.
pub fn publish_request(config: &Config, message: &Message, unix_ms: u64) -> Result<Request, RequestError> {
    config.authorised(unauthorised_request(config, message)?, unix_ms)
}

/// All of the request but what shows who the device is: a bad message is found before, and a signature ages.
pub(super) fn unauthorised_request(config: &Config, message: &Message) -> Result<Request, RequestError> {
    let mut target = Target::new(&["/topics/", &encode_topic(&wire_topic(message)?)?]);
    let payload = message.checked_payload()?;
    target.parameter(
        "qos",
        match message.qos {
            Qos::AtMostOnce => "0",
            Qos::AtLeastOnce => "1",
        },
    );
    target.flag("retain", message.retain);
    if let Some(properties) = &message.properties {
        properties::check(properties)?;
        properties::add_to_query(properties, &mut target);
    }
    let authority = config.endpoint().authority();
    let mut request = Request::post(authority, target.finish(), "application/octet-stream", payload);
    if let Some(properties) = &message.properties {
        properties::add_to_headers(properties, &mut request);
    }
    Ok(request)
}

/// The topic as the service knows it: that of the rule, where the message goes to one.
pub(super) fn wire_topic(message: &Message) -> Result<String, RequestError> {
    match &message.rule {
        Some(rule) => Ok(rule_topic(rule, &message.topic)?),
        None => Ok(message.topic.clone()),
    }
}

/// What the answer to a publish request means.
///
/// # Errors
///
/// What AWS refused, or why its answer cannot be read.
pub fn read_publish_response(config: &Config, response: &Response) -> Result<Receipt, Error> {
    match check(Asked::Publication(config.auth_method()), response) {
        Ok(answer) => Ok(Receipt { message_id: None, trace_id: answer.trace_id, attempts: 1 }),
        Err(error) => Err(error.without(config.secrets())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Authentication;
    use crate::endpoint::Endpoint;
    use crate::field::Field;
    use crate::message::Properties;

    fn config(host: &str, port: u16) -> Config {
        Config::new(Endpoint::new(host, port).unwrap(), Authentication::Certificate).unwrap()
    }

    fn message(payload: usize) -> Message {
        Message::new("device/message", vec![0; payload], Qos::AtLeastOnce)
    }

    fn path(message: &Message) -> Result<String, RequestError> {
        publish_request(&config("a.example", 8443), message, 0).map(|request| request.path_with_query)
    }

    #[test]
    fn a_retained_message_says_so_and_an_empty_one_clears_it() {
        let retained = Message { retain: true, ..message(0) };
        assert_eq!(path(&retained).unwrap(), "/topics/device%2Fmessage?qos=1&retain=true");
        let properties = Properties { message_expiry_s: Some(60), ..Properties::default() };
        let expiring = Message { properties: Some(properties), ..retained };
        assert_eq!(path(&expiring).unwrap(), "/topics/device%2Fmessage?qos=1&retain=true&messageExpiry=60");
    }

    #[test]
    fn a_message_for_a_rule_goes_to_the_topic_of_basic_ingest() {
        let for_rule = |rule: &str, topic: &str| Message { rule: Some(rule.into()), topic: topic.into(), ..message(1) };
        assert_eq!(path(&for_rule("my_rule", "a/b")).unwrap(), "/topics/%24aws%2Frules%2Fmy_rule%2Fa%2Fb?qos=1");
        assert_eq!(path(&for_rule("my_rule", "")).unwrap(), "/topics/%24aws%2Frules%2Fmy_rule?qos=1");
        for name in ["", "a/b", "a-b", "é", &"r".repeat(129)] {
            assert_eq!(path(&for_rule(name, "a")), Err(RequestError::InvalidField(Field::RuleName)), "{name}");
        }
    }

    #[test]
    fn names_topic_and_qos_in_the_url_and_the_length_in_a_header() {
        let config = config("a-ats.iot.eu-central-1.amazonaws.com", 8443);
        let request = publish_request(&config, &message(3), 0).unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!(request.authority, "a-ats.iot.eu-central-1.amazonaws.com:8443");
        assert_eq!(request.path_with_query, "/topics/device%2Fmessage?qos=1");
        assert_eq!(
            request.headers,
            [("content-type".into(), "application/octet-stream".into()), ("content-length".into(), "3".into())]
        );
        let at_most_once = Message { qos: Qos::AtMostOnce, ..message(3) };
        let request = publish_request(&config, &at_most_once, 0).unwrap();
        assert_eq!(request.path_with_query, "/topics/device%2Fmessage?qos=0");
    }

    #[test]
    fn takes_128_kb_and_not_a_byte_more() {
        let config = config("a.example", 443);
        assert!(publish_request(&config, &message(131_072), 0).is_ok());
        let problem = publish_request(&config, &message(131_073), 0).unwrap_err();
        assert_eq!(problem, RequestError::PayloadTooLarge);
    }
}
