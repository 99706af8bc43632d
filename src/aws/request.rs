//! The publish request.

use super::{Config, encode_topic};
use crate::http::Request;
use crate::message::{Message, MessageProblem, Qos};

/// The request that publishes a message. Nothing is sent if it cannot succeed.
pub fn publish_request(config: &Config, message: &Message) -> Result<Request, MessageProblem> {
    let topic = encode_topic(&message.topic)?;
    let payload = message.checked_payload()?;
    let query = match message.qos {
        Qos::AtMostOnce => "?qos=0",
        Qos::AtLeastOnce => "?qos=1",
    };
    let path_with_query = ["/topics/", &topic, query].concat();
    Ok(Request::post(config.endpoint.authority(), path_with_query, "application/octet-stream", payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;

    fn message(payload: usize) -> Message {
        Message { topic: "device/message".into(), payload: vec![0; payload].into(), qos: Qos::AtLeastOnce }
    }

    #[test]
    fn names_topic_and_qos_in_the_url_and_the_length_in_a_header() {
        let config = Config { endpoint: Endpoint::new("a-ats.iot.eu-central-1.amazonaws.com", 8443).unwrap() };
        let request = publish_request(&config, &message(3)).unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!(request.authority, "a-ats.iot.eu-central-1.amazonaws.com:8443");
        assert_eq!(request.path_with_query, "/topics/device%2Fmessage?qos=1");
        assert_eq!(
            request.headers,
            [("content-type".into(), "application/octet-stream".into()), ("content-length".into(), "3".into())]
        );
        let at_most_once = Message { qos: Qos::AtMostOnce, ..message(3) };
        let request = publish_request(&config, &at_most_once).unwrap();
        assert_eq!(request.path_with_query, "/topics/device%2Fmessage?qos=0");
    }

    #[test]
    fn takes_128_kb_and_not_a_byte_more() {
        let config = Config { endpoint: Endpoint::new("a.example", 443).unwrap() };
        assert!(publish_request(&config, &message(131_072)).is_ok());
        let problem = publish_request(&config, &message(131_073)).unwrap_err();
        assert_eq!(problem, MessageProblem::PayloadTooLarge);
    }
}
