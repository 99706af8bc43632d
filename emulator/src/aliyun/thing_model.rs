//! Code 0 does not mean that the thing model took anything: what it does not like it leaves out, and says so only in a
//! log of the console. So a message that it would look at is read here as it would read it, with the rules that it
//! broke, and is never refused for them.

use std::fmt;

use serde_json::{Map, Value};

use crate::ledger::Device;

/// A message that was taken on a topic of the thing model: properties, or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliyunThingPost {
    /// The sender.
    pub device: Device,
    /// What the answer calls the message.
    pub message_id: u64,
    /// What its topic says it is.
    pub kind: AliyunThingKind,
    /// The properties by the order of their names, or the one event. Empty when the message cannot be read.
    pub values: Vec<AliyunThingValue>,
    /// The `id` as text, whatever it was in JSON.
    pub id: Option<String>,
    /// The `version`, if it is text. The documented one is `1.0`.
    pub version: Option<String>,
    /// The `method`, if it is text.
    pub method: Option<String>,
    /// Whether `sys.ack` asks for a reply, which no HTTP client can get. `None` without a 0 or a 1 there.
    pub ack: Option<bool>,
    /// The documented rules that the message breaks.
    pub violations: Vec<AliyunThingViolation>,
}

/// What a message to the thing model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliyunThingKind {
    /// To `/sys/{productKey}/{deviceName}/thing/event/property/post`.
    Properties,
    /// To `/sys/{productKey}/{deviceName}/thing/event/{identifier}/post`.
    Event,
}

/// One property, or one event.
#[derive(Clone, PartialEq, Eq)]
pub struct AliyunThingValue {
    /// Of the property or the event.
    pub identifier: String,
    /// Of a property any JSON, of an event an object with what it gives out.
    pub value: Value,
    /// Milliseconds since 1970, if the device has said when it was.
    pub time_ms: Option<u64>,
}

/// A documented rule that a message breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliyunThingViolation {
    /// It is not a JSON object. The log of the console has 6207 for it.
    NotJson,
    /// The `id` is missing, or is not the decimal text of a number up to 4294967295. The platform is known to take
    /// other ids too.
    BadId,
    /// There is no `method`. The log has 6300 or 6450 for it.
    NoMethod,
    /// The `method` is not the one of the topic.
    WrongMethod,
    /// The `params` are not an object, or those of an event have no `value`.
    BadParams,
    /// More than 200 properties. The log has 6106 for it.
    TooManyProperties,
}

const MAX_PROPERTIES: usize = 200;

/// What the thing model reads in a message that was taken. Nothing on any other topic.
pub(super) fn read(topic: &str, payload: &[u8], device: Device, message_id: u64) -> Option<AliyunThingPost> {
    let levels: Vec<&str> = topic.split('/').collect();
    let ["", "sys", _, _, "thing", "event", identifier, "post"] = levels[..] else {
        return None;
    };
    let kind = if identifier == "property" { AliyunThingKind::Properties } else { AliyunThingKind::Event };
    let mut post = AliyunThingPost {
        device,
        message_id,
        kind,
        values: Vec::new(),
        id: None,
        version: None,
        method: None,
        ack: None,
        violations: Vec::new(),
    };
    match serde_json::from_slice(payload) {
        Ok(Value::Object(message)) => post.fill(identifier, &message),
        _ => post.violations.push(AliyunThingViolation::NotJson),
    }
    Some(post)
}

impl AliyunThingPost {
    fn fill(&mut self, identifier: &str, message: &Map<String, Value>) {
        let text = |name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
        self.id = message.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        if !text("id").is_some_and(|id| is_decimal(&id)) {
            self.violations.push(AliyunThingViolation::BadId);
        }
        self.version = text("version");
        self.method = text("method");
        match &self.method {
            None => self.violations.push(AliyunThingViolation::NoMethod),
            Some(method) if *method != format!("thing.event.{identifier}.post") => {
                self.violations.push(AliyunThingViolation::WrongMethod);
            }
            Some(_) => {}
        }
        self.ack = message.get("sys").and_then(|sys| sys.get("ack")?.as_u64()).and_then(|ack| match ack {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        });
        let values = message.get("params").and_then(Value::as_object).and_then(|params| match self.kind {
            AliyunThingKind::Properties => Some(params.iter().map(|(name, value)| property(name, value)).collect()),
            AliyunThingKind::Event => event(identifier, params),
        });
        match values {
            Some(values) => self.values = values,
            None => self.violations.push(AliyunThingViolation::BadParams),
        }
        if self.kind == AliyunThingKind::Properties && self.values.len() > MAX_PROPERTIES {
            self.violations.push(AliyunThingViolation::TooManyProperties);
        }
    }
}

/// Digits and nothing else, of a number that fits.
fn is_decimal(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_digit()) && id.parse::<u32>().is_ok()
}

/// A property is its value, or an object that holds the value and when it was. An object with anything else in it is
/// the value of a property that is a structure.
fn property(name: &str, value: &Value) -> AliyunThingValue {
    let timed = value.as_object().and_then(|fields| {
        let is_timed = fields.keys().all(|field| field == "value" || field == "time");
        Some((fields.get("value")?, fields.get("time").and_then(Value::as_u64))).filter(|_| is_timed)
    });
    let (value, time_ms) = timed.unwrap_or((value, None));
    AliyunThingValue { identifier: name.to_owned(), value: value.clone(), time_ms }
}

fn event(identifier: &str, params: &Map<String, Value>) -> Option<Vec<AliyunThingValue>> {
    let value = params.get("value")?.clone();
    let time_ms = params.get("time").and_then(Value::as_u64);
    Some(vec![AliyunThingValue { identifier: identifier.to_owned(), value, time_ms }])
}

/// Payloads are shown nowhere, and this is one.
impl fmt::Debug for AliyunThingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliyunThingValue")
            .field("identifier", &self.identifier)
            .field("value", &format_args!("{} bytes", self.value.to_string().len()))
            .field("time_ms", &self.time_ms)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_the_decimal_text_of_a_number_of_32_bits() {
        for good in ["0", "1", "007", "4294967295"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in ["", "+1", "-1", "4294967296", "1733000000000", "1.0", "a", " 1"] {
            assert!(!is_decimal(bad), "{bad}");
        }
    }

    #[test]
    fn a_property_with_a_time_is_told_from_a_structure() {
        let read = |value: Value| {
            let property = property("P", &value);
            (property.value, property.time_ms)
        };
        assert_eq!(read(json!(21.5)), (json!(21.5), None));
        assert_eq!(read(json!({"value": 21.5, "time": 7})), (json!(21.5), Some(7)));
        assert_eq!(read(json!({"value": "on"})), (json!("on"), None));
        for structure in [json!({"value": 1, "unit": "K"}), json!({"time": 7}), json!({})] {
            assert_eq!(read(structure.clone()), (structure, None));
        }
    }

    #[test]
    fn only_two_kinds_of_topics_are_of_the_thing_model() {
        let device = || Device::Aliyun { product_key: "pk".to_owned(), device_name: "dn".to_owned() };
        let kind = |topic: &str| read(topic, b"{}", device(), 1).map(|post| post.kind);
        assert_eq!(kind("/sys/pk/dn/thing/event/property/post"), Some(AliyunThingKind::Properties));
        assert_eq!(kind("/sys/pk/dn/thing/event/alarm/post"), Some(AliyunThingKind::Event));
        for other in [
            "/sys/pk/dn/thing/model/up_raw",
            "/sys/pk/dn/thing/event/property/pack/post",
            "/sys/pk/dn/thing/event/property/post_reply",
            "/pk/dn/user/thing/event/property/post",
        ] {
            assert_eq!(kind(other), None, "{other}");
        }
    }

    #[test]
    fn values_are_not_in_the_debug_output() {
        let shown = format!("{:?}", property("P", &json!("hush")));
        assert!(shown.contains("6 bytes") && !shown.contains("hush"), "{shown}");
    }
}
