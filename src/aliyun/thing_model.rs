//! A product with a thing model takes properties and events as Alink JSON. The vendor's own sample breaks the documented
//! form (a number of 13 digits where a text of up to ten is asked for), the platform drops what it does not like without
//! a word over HTTPS, and takes at most 200 properties at once. So messages are made here, and checked before they go.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::device::check_identity;
use crate::config_error::ConfigError;
use crate::field::Field;
use crate::json::{self, push_text};
use crate::message::{MAX_PAYLOAD, Message, Qos, RequestError};

/// The platform takes no more in one message.
const MAX_PROPERTIES: usize = 200;

/// The longest name of a property or an event.
const MAX_IDENTIFIER: usize = 50;

/// A property and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// As the thing model names it.
    pub identifier: String,
    /// Any JSON. The platform drops without a word what is not of the type that the thing model has for it: a float or a double
    /// needs its point (`21.0`), a bool is `0` or `1`, an enum its number, a date a text of milliseconds.
    pub value: String,
    /// When it was measured, in milliseconds since 1970.
    pub time_ms: Option<u64>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// As the thing model names it.
    pub identifier: String,
    /// A JSON object with the output of the event.
    pub value: String,
    /// When it happened, in milliseconds since 1970.
    pub time_ms: Option<u64>,
}

/// Whether the platform is to say what the thing model made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// None is wanted, or none could be received, as over HTTPS.
    Unwanted,
    /// Over MQTT it comes to the topic of the message with `_reply` behind it, for those that have subscribed to that. It is the
    /// only way to learn what was left out: the message itself is acknowledged in any case.
    Wanted,
}

/// Whose properties and events they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThingIdentity<'a> {
    product_key: &'a str,
    device_name: &'a str,
}

impl<'a> ThingIdentity<'a> {
    /// A device.
    ///
    /// # Errors
    ///
    /// A product key or device name that cannot be one.
    pub fn new(product_key: &'a str, device_name: &'a str) -> Result<Self, ConfigError> {
        check_identity(product_key, device_name)?;
        Ok(Self { product_key, device_name })
    }
}

/// The messages that post these properties: one for each 200 of them. They are numbered from `first_id` on.
///
/// # Errors
///
/// An identifier that cannot be one, or a value that is no JSON.
pub fn property_post(
    thing: ThingIdentity<'_>,
    first_id: u32,
    properties: &[Property],
    reply: Reply,
) -> Result<Vec<Message>, RequestError> {
    let mut messages = Vec::new();
    let mut rest = properties;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest));
        rest = later;
        let mut params = String::new();
        for property in now {
            check_identifier(&property.identifier)?;
            if !is_property_value(&property.value) {
                return Err(Field::PropertyValue.into());
            }
            params.push(if params.is_empty() { '{' } else { ',' });
            push_text(&mut params, &property.identifier);
            params.push(':');
            push_value(&mut params, &property.value, property.time_ms);
        }
        params.push('}');
        let id = first_id.wrapping_add(messages.len() as u32);
        messages.push(post(thing, id, "property", &params, reply)?);
    }
    Ok(messages)
}

/// Whether this is the value of a property: any JSON, with numbers of any size.
pub fn is_property_value(text: &str) -> bool {
    json::is_value(text)
}

/// How many of them go in one message: up to the first that is in it already, as an object has each name once.
fn fitting(properties: &[Property]) -> usize {
    let most = properties.len().min(MAX_PROPERTIES);
    let is_repeated = |at: usize| properties[..at].iter().any(|other| other.identifier == properties[at].identifier);
    (1..most).find(|at| is_repeated(*at)).unwrap_or(most)
}

/// The message that posts an event.
///
/// # Errors
///
/// An identifier that cannot be that of an event, or a value that is no JSON object.
pub fn event_post(thing: ThingIdentity<'_>, id: u32, event: &Event, reply: Reply) -> Result<Message, RequestError> {
    check_identifier(&event.identifier)?;
    // Its topic is that of properties.
    if event.identifier == "property" {
        return Err(Field::Identifier.into());
    }
    if !json::is_value(&event.value) || !json::is_object(event.value.as_bytes()) {
        return Err(Field::EventValue.into());
    }
    let mut params = String::from("{\"value\":");
    params.push_str(&event.value);
    if let Some(time_ms) = event.time_ms {
        params.push_str(",\"time\":");
        params.push_str(&time_ms.to_string());
    }
    params.push('}');
    post(thing, id, &event.identifier, &params, reply)
}

/// A bare value, or one with its time.
fn push_value(json: &mut String, value: &str, time_ms: Option<u64>) {
    match time_ms {
        None => json.push_str(value),
        Some(time_ms) => {
            for part in ["{\"value\":", value, ",\"time\":", &time_ms.to_string(), "}"] {
                json.push_str(part);
            }
        }
    }
}

fn post(thing: ThingIdentity<'_>, id: u32, what: &str, params: &str, reply: Reply) -> Result<Message, RequestError> {
    let ThingIdentity { product_key, device_name } = thing;
    let payload = [
        // A decimal number as a text, as documented.
        "{\"id\":\"",
        &id.to_string(),
        "\",\"version\":\"1.0\",",
        "\"sys\":{\"ack\":",
        match reply {
            Reply::Unwanted => "0",
            Reply::Wanted => "1",
        },
        "},",
        "\"method\":\"thing.event.",
        what,
        ".post\",\"params\":",
        params,
        "}",
    ]
    .concat();
    if payload.len() > MAX_PAYLOAD {
        return Err(RequestError::PayloadTooLarge);
    }
    let topic = ["/sys/", product_key, "/", device_name, "/thing/event/", what, "/post"].concat();
    Ok(Message::new(topic, payload.into_bytes(), Qos::AtLeastOnce))
}

/// Letters, digits and underscores; a module of the thing model stands before a colon.
fn check_identifier(identifier: &str) -> Result<(), Field> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    let is_one = (1..=MAX_IDENTIFIER).contains(&identifier.len()) && identifier.bytes().all(is_allowed);
    if is_one { Ok(()) } else { Err(Field::Identifier) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    fn thing() -> ThingIdentity<'static> {
        ThingIdentity::new("pk", "device1").unwrap()
    }

    fn property(identifier: &str, value: &str, time_ms: Option<u64>) -> Property {
        Property { identifier: identifier.into(), value: value.into(), time_ms }
    }

    fn read(message: &Message) -> Value {
        serde_json::from_slice(&message.payload).unwrap()
    }

    #[test]
    fn properties_are_posted_as_documented() {
        let properties = [
            property("Power", "\"on\"", None),
            property("Temperature", "21.50", Some(1_524_448_722_000)),
            property("m:Position", r#"{"x":[1]}"#, None),
        ];
        let messages = property_post(thing(), u32::MAX, &properties, Reply::Unwanted).unwrap();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].topic, "/sys/pk/device1/thing/event/property/post");
        let expected = json!({
            "id": "4294967295",
            "version": "1.0",
            "sys": {"ack": 0},
            "method": "thing.event.property.post",
            "params": {
                "Power": "on",
                "Temperature": {"value": 21.5, "time": 1_524_448_722_000_u64},
                "m:Position": {"x": [1]},
            },
        });
        assert_eq!(read(&messages[0]), expected);
        let text = String::from_utf8(messages[0].payload.to_vec()).unwrap();
        assert!(text.contains("21.50"), "a number keeps its digits: {text}");
    }

    #[test]
    fn an_event_is_posted_as_documented() {
        let event = Event { identifier: "Alarm".into(), value: r#"{"level":2}"#.into(), time_ms: Some(7) };
        let message = event_post(thing(), 5, &event, Reply::Unwanted).unwrap();
        assert_eq!(message.topic, "/sys/pk/device1/thing/event/Alarm/post");
        let read = read(&message);
        assert_eq!(read["method"], "thing.event.Alarm.post");
        assert_eq!(read["params"], json!({"value": {"level": 2}, "time": 7}));
    }

    #[test]
    fn a_reply_is_asked_for_where_somebody_wants_it() {
        let event = Event { identifier: "Alarm".into(), value: "{}".into(), time_ms: None };
        for (reply, ack) in [(Reply::Unwanted, 0), (Reply::Wanted, 1)] {
            let mut messages = property_post(thing(), 1, &[property("Power", "1", None)], reply).unwrap();
            messages.push(event_post(thing(), 2, &event, reply).unwrap());
            assert!(messages.iter().all(|message| read(message)["sys"] == json!({"ack": ack})));
        }
    }

    #[test]
    fn more_than_200_properties_go_in_several_messages() {
        let properties: Vec<_> = (0..401).map(|number| property(&format!("p{number}"), "1", None)).collect();
        let messages = property_post(thing(), u32::MAX, &properties, Reply::Unwanted).unwrap();
        let sizes: Vec<_> = messages.iter().map(|it| read(it)["params"].as_object().unwrap().len()).collect();
        let ids: Vec<_> = messages.iter().map(|it| read(it)["id"].clone()).collect();
        assert_eq!(sizes, [200, 200, 1]);
        assert_eq!(ids, ["4294967295", "0", "1"]);
        assert!(property_post(thing(), 0, &[], Reply::Unwanted).unwrap().is_empty());
    }

    #[test]
    fn what_the_platform_would_drop_without_a_word_is_refused() {
        for (identifier, value, field) in [
            ("", "1", Field::Identifier),
            ("a b", "1", Field::Identifier),
            ("a/b", "1", Field::Identifier),
            ("a", "", Field::PropertyValue),
            ("a", "on", Field::PropertyValue),
            ("a", "1,\"b\":2", Field::PropertyValue),
            ("a", "{", Field::PropertyValue),
        ] {
            let problem = property_post(thing(), 0, &[property(identifier, value, None)], Reply::Unwanted).unwrap_err();
            assert_eq!(problem, RequestError::InvalidField(field), "{identifier:?} {value:?}");
        }
        let event = Event { identifier: "e".into(), value: "1".into(), time_ms: None };
        assert_eq!(event_post(thing(), 0, &event, Reply::Unwanted), Err(RequestError::InvalidField(Field::EventValue)));
        for value in ["21", "21.0", "-0", "1E400", "123456789012345678901234567890", "[1.0]"] {
            let messages = property_post(thing(), 0, &[property("a", value, None)], Reply::Unwanted).unwrap();
            let text = String::from_utf8(messages[0].payload.to_vec()).unwrap();
            assert!(text.ends_with(&format!("{{\"a\":{value}}}}}")), "a number stays as it is: {text}");
        }
        let large = property("a", &format!("\"{}\"", "x".repeat(MAX_PAYLOAD)), None);
        assert_eq!(property_post(thing(), 0, &[large], Reply::Unwanted), Err(RequestError::PayloadTooLarge));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_one_json_document(identifier in "[a-z:_/]{0,4}", value in "\\PC{0,12}") {
            if let Ok(messages) = property_post(thing(), 1, &[property(&identifier, &value, None)], Reply::Wanted) {
                let read = read(&messages[0]);
                prop_assert_eq!(read["params"].as_object().unwrap().len(), 1);
            }
        }
    }
}
