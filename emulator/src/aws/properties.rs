//! MQTT 5 properties travel as query parameters and as base64 headers, with one shape that clients guess wrong: user
//! properties are an array of objects with one pair each, not one object. AWS says what is wrong with them, so does this.

use serde_json::Value;

use super::answer::Refusal;
use super::query::parameter;
use crate::base64;
use crate::http1::Request;
use crate::platform::Properties;

const USER_PROPERTIES: &str = "x-amz-mqtt5-user-properties";

type Checked<T> = Result<T, Refusal>;

/// Of a message that is published.
pub(super) fn check(request: &Request) -> Checked<()> {
    message_expiry(request)?;
    check_direct(request)
}

/// Of a message to one client, which does not wait for anybody and so cannot expire.
pub(super) fn check_direct(request: &Request) -> Checked<()> {
    response_topic(request)?;
    payload_format_indicator(request)?;
    correlation_data(request)?;
    user_properties(request)?;
    Ok(())
}

/// What is written down of them.
pub(super) fn describe(request: &Request) -> Properties {
    Properties {
        content_type: parameter(request, "contentType"),
        response_topic: response_topic(request).unwrap_or_default(),
        message_expiry: message_expiry(request).unwrap_or_default(),
        user_properties: user_properties(request).unwrap_or_default(),
        payload_format_indicator: payload_format_indicator(request).unwrap_or_default(),
        correlation_data: correlation_data(request).unwrap_or_default(),
    }
}

fn message_expiry(request: &Request) -> Checked<Option<u32>> {
    let seconds = parameter(request, "messageExpiry").map(|expiry| expiry.parse());
    seconds.transpose().map_err(|_| Refusal::invalid("Message expiry interval must be an unsigned 4-byte integer"))
}

fn response_topic(request: &Request) -> Checked<Option<String>> {
    match parameter(request, "responseTopic") {
        Some(topic) if topic.contains(['+', '#']) => Err(Refusal::invalid(
            "This response topic isn't valid. Response topics must not contain MQTT wildcard characters (+ or #)",
        )),
        topic => Ok(topic),
    }
}

fn payload_format_indicator(request: &Request) -> Checked<Option<String>> {
    match request.header("x-amz-mqtt5-payload-format-indicator") {
        None => Ok(None),
        Some(known @ ("UNSPECIFIED_BYTES" | "UTF8_DATA")) => Ok(Some(known.to_owned())),
        Some(_) => Err(Refusal::invalid("Invalid Payload Format Indicator")),
    }
}

fn correlation_data(request: &Request) -> Checked<Option<Vec<u8>>> {
    request.header("x-amz-mqtt5-correlation-data").map(decode).transpose()
}

fn user_properties(request: &Request) -> Checked<Vec<(String, String)>> {
    match request.header(USER_PROPERTIES) {
        None => Ok(Vec::new()),
        Some(encoded) => read_user_properties(&decode(encoded)?),
    }
}

/// As they were sent, if there are any and they are good.
pub(super) fn encoded_user_properties(request: &Request) -> Option<String> {
    let there_are_any = user_properties(request).is_ok_and(|properties| !properties.is_empty());
    request.header(USER_PROPERTIES).filter(|_| there_are_any).map(str::to_owned)
}

fn decode(text: &str) -> Checked<Vec<u8>> {
    base64::decode(text).ok_or(Refusal::invalid("Invalid Base64 string"))
}

fn read_user_properties(json: &[u8]) -> Checked<Vec<(String, String)>> {
    let malformed = || Refusal::invalid("Invalid JSON string for User Properties");
    let Ok(Value::Array(objects)) = serde_json::from_slice(json) else {
        return Err(malformed());
    };
    let mut properties = Vec::with_capacity(objects.len());
    for object in objects {
        let Value::Object(pairs) = object else {
            return Err(malformed());
        };
        if pairs.len() != 1 {
            return Err(Refusal::invalid("Only one User Property is allowed in single JSONObject"));
        }
        for pair in pairs {
            let (name, Value::String(value)) = pair else {
                return Err(malformed());
            };
            properties.push((name, value));
        }
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: &str) -> Option<String> {
        read_user_properties(json.as_bytes()).err()?.message.map(Into::into)
    }

    #[test]
    fn user_properties_are_an_array_of_single_pairs_of_strings() {
        assert_eq!(message(r#"[{"deviceName":"alpha"},{"deviceCnt":"45"}]"#), None);
        assert_eq!(message("[]"), None);
        let malformed = Some("Invalid JSON string for User Properties");
        for json in [r#"{"a":"b"}"#, r#"[{"a":1}]"#, r#"["a"]"#, "nonsense"] {
            assert_eq!(message(json).as_deref(), malformed, "{json}");
        }
        let several = Some("Only one User Property is allowed in single JSONObject");
        assert_eq!(message(r#"[{"a":"b","c":"d"}]"#).as_deref(), several);
        assert_eq!(message("[{}]").as_deref(), several);
    }
}
