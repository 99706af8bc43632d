//! A message that came, in one line: whatever its payload is made of, it cannot break the line or drive the terminal.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use thingpost_host::runtime::types::Qos;
use thingpost_host::runtime::types::mqtt::Incoming;

use crate::commands::mqtt::properties;
use crate::error::one_line;

/// For a person.
pub fn text(message: &Incoming) -> String {
    match str::from_utf8(&message.payload) {
        Ok(payload) => one_line(&format!("{}: {payload}", message.topic)),
        Err(_) => {
            one_line(&format!("{}: {} (base64, as it is not text)", message.topic, BASE64.encode(&message.payload)))
        }
    }
}

/// For a program. `payload` if it is text, and `payload_base64` if not.
pub fn json(message: &Incoming) -> Value {
    let Incoming { topic, payload, qos, retain, duplicate, properties } = message;
    let mut value = json!({
        "topic": topic,
        "qos": match qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => 1,
        },
        "retain": retain,
        "duplicate": duplicate,
        "properties": properties.as_ref().map(properties::to_json),
    });
    match str::from_utf8(payload) {
        Ok(text) => value["payload"] = text.into(),
        Err(_) => value["payload_base64"] = BASE64.encode(payload).into(),
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(payload: &[u8]) -> Incoming {
        Incoming {
            topic: "a/b".to_owned(),
            payload: payload.to_vec(),
            qos: Qos::AtLeastOnce,
            retain: true,
            duplicate: false,
            properties: None,
        }
    }

    #[test]
    fn a_message_is_one_line_whatever_is_in_it() {
        assert_eq!(text(&incoming(b"21.5")), "a/b: 21.5");
        assert_eq!(text(&incoming(b"a\nb\x1b[31m")), "a/b: a b [31m");
        assert_eq!(text(&incoming(b"\xff\x00")), "a/b: /wA= (base64, as it is not text)");
    }

    #[test]
    fn programs_get_what_is_text_as_text_and_the_rest_in_base64() {
        let value = json(&incoming(b"a\nb"));
        assert_eq!((value["payload"].as_str(), value["qos"].as_u64()), (Some("a\nb"), Some(1)));
        assert!(value["retain"] == true && value["duplicate"] == false && value["properties"].is_null());
        let value = json(&incoming(b"\xff\x00"));
        assert!(value.get("payload").is_none() && value["payload_base64"] == "/wA=");
    }
}
