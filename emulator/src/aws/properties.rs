//! MQTT 5 properties travel as query parameters and as base64 headers, with one shape that clients guess wrong: user
//! properties are an array of objects with one pair each, not one object. AWS says what is wrong with them, so does this.

use serde_json::Value;

use super::answer::Refusal;
use super::publish::parameter;
use crate::base64;
use crate::http1::Request;

pub(super) fn check(request: &Request) -> Result<(), Refusal> {
    if let Some(expiry) = parameter(request, "messageExpiry")
        && expiry.parse::<u32>().is_err()
    {
        return Err(Refusal::invalid("Message expiry interval must be an unsigned 4-byte integer"));
    }
    if parameter(request, "responseTopic").is_some_and(|topic| topic.contains(['+', '#'])) {
        return Err(Refusal::invalid(
            "This response topic isn't valid. Response topics must not contain MQTT wildcard characters (+ or #)",
        ));
    }
    if let Some(indicator) = request.header("x-amz-mqtt5-payload-format-indicator")
        && !matches!(indicator, "UNSPECIFIED_BYTES" | "UTF8_DATA")
    {
        return Err(Refusal::invalid("Invalid Payload Format Indicator"));
    }
    if let Some(data) = request.header("x-amz-mqtt5-correlation-data") {
        decode(data)?;
    }
    if let Some(encoded) = request.header("x-amz-mqtt5-user-properties") {
        check_user_properties(&decode(encoded)?)?;
    }
    Ok(())
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    base64::decode(text).ok_or(Refusal::invalid("Invalid Base64 string"))
}

fn check_user_properties(json: &[u8]) -> Result<(), Refusal> {
    let malformed = Refusal::invalid("Invalid JSON string for User Properties");
    let Ok(Value::Array(properties)) = serde_json::from_slice(json) else {
        return Err(malformed);
    };
    for property in properties {
        let Value::Object(pairs) = property else {
            return Err(malformed);
        };
        if pairs.len() != 1 {
            return Err(Refusal::invalid("Only one User Property is allowed in single JSONObject"));
        }
        if !pairs.values().all(Value::is_string) {
            return Err(malformed);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: &str) -> Option<&'static str> {
        check_user_properties(json.as_bytes()).err().and_then(|refusal| refusal.message)
    }

    #[test]
    fn user_properties_are_an_array_of_single_pairs_of_strings() {
        assert_eq!(message(r#"[{"deviceName":"alpha"},{"deviceCnt":"45"}]"#), None);
        assert_eq!(message("[]"), None);
        let malformed = Some("Invalid JSON string for User Properties");
        for json in [r#"{"a":"b"}"#, r#"[{"a":1}]"#, r#"["a"]"#, "nonsense"] {
            assert_eq!(message(json), malformed, "{json}");
        }
        let several = Some("Only one User Property is allowed in single JSONObject");
        assert_eq!(message(r#"[{"a":"b","c":"d"}]"#), several);
        assert_eq!(message("[{}]"), several);
    }
}
