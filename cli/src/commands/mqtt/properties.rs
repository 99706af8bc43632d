//! The properties of MQTT 5 as JSON, there and back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use thingpost_host::runtime::types::{PayloadFormat, Properties};

pub fn to_json(properties: &Properties) -> Value {
    json!({
        "content_type": properties.content_type,
        "response_topic": properties.response_topic,
        "message_expiry_s": properties.message_expiry_s,
        "payload_format": properties.payload_format.map(|format| match format {
            PayloadFormat::Utf8Data => "utf8",
            PayloadFormat::UnspecifiedBytes => "bytes",
        }),
        "correlation_data_base64": properties.correlation_data.as_ref().map(|data| BASE64.encode(data)),
        "user_properties": properties.user_properties,
    })
}

/// None if it is something else.
pub fn from_json(value: &Value) -> Option<Properties> {
    let pair = |pair: &Value| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned()));
    Some(Properties {
        content_type: text(&value["content_type"])?,
        response_topic: text(&value["response_topic"])?,
        message_expiry_s: optional(&value["message_expiry_s"], |value| u32::try_from(value.as_u64()?).ok())?,
        payload_format: optional(&value["payload_format"], |value| match value.as_str()? {
            "utf8" => Some(PayloadFormat::Utf8Data),
            "bytes" => Some(PayloadFormat::UnspecifiedBytes),
            _ => None,
        })?,
        correlation_data: optional(&value["correlation_data_base64"], |value| BASE64.decode(value.as_str()?).ok())?,
        user_properties: value["user_properties"].as_array()?.iter().map(pair).collect::<Option<_>>()?,
    })
}

/// Text, or null.
pub fn text(value: &Value) -> Option<Option<String>> {
    optional(value, |value| value.as_str().map(str::to_owned))
}

/// Something, or null. None if it is neither.
pub fn optional<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}
