//! The properties of MQTT 5 travel partly in the query and partly in headers, two of them in base64, and the SDKs encode
//! one of those two for the caller and leave the other to him. Here both are encoded.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::target::Target;
use crate::base64;
use crate::field::Field;
use crate::http::Request;
use crate::json::{self, Json, ObjectWriter};
use crate::message::{PayloadFormat, Properties};

/// Refuses what no MQTT client could be sent. Every expiry is sent as it is: AWS takes what is above its 7 days for 7 days.
pub(crate) fn check(properties: &Properties) -> Result<(), Field> {
    let has_control = |text: &str| text.chars().any(char::is_control);
    if properties.content_type.as_deref().is_some_and(has_control) {
        return Err(Field::ContentType);
    }
    if let Some(topic) = &properties.response_topic
        && (topic.is_empty() || has_control(topic) || topic.bytes().any(|byte| matches!(byte, b'+' | b'#')))
    {
        return Err(Field::ResponseTopic);
    }
    match properties.user_properties.iter().any(|(name, value)| has_control(name) || has_control(value)) {
        true => Err(Field::UserProperty),
        false => Ok(()),
    }
}

/// What stands in the query.
pub(super) fn add_to_query(properties: &Properties, target: &mut Target) {
    target.text("contentType", properties.content_type.as_deref());
    target.text("responseTopic", properties.response_topic.as_deref());
    target.number("messageExpiry", properties.message_expiry_s);
}

const USER_PROPERTIES: &str = "x-amz-mqtt5-user-properties";
const PAYLOAD_FORMAT: &str = "x-amz-mqtt5-payload-format-indicator";
const CORRELATION_DATA: &str = "x-amz-mqtt5-correlation-data";

const UNSPECIFIED_BYTES: &str = "UNSPECIFIED_BYTES";
const UTF8_DATA: &str = "UTF8_DATA";

/// What stands in headers.
pub(super) fn add_to_headers(properties: &Properties, request: &mut Request) {
    let mut add = |name: &'static str, value: String| request.headers.push((name.into(), value));
    if !properties.user_properties.is_empty() {
        add(USER_PROPERTIES, base64::encode(user_properties(properties).as_bytes()));
    }
    if let Some(format) = properties.payload_format {
        let name = match format {
            PayloadFormat::UnspecifiedBytes => UNSPECIFIED_BYTES,
            PayloadFormat::Utf8Data => UTF8_DATA,
        };
        add(PAYLOAD_FORMAT, name.to_owned());
    }
    if let Some(data) = &properties.correlation_data {
        add(CORRELATION_DATA, base64::encode(data));
    }
}

/// Reads the value of a header into the properties, if it can be read.
#[cfg(feature = "edge")]
pub(crate) type ReadHeader = fn(&[u8], &mut Properties) -> Option<()>;

/// The headers that [`add_to_headers`] writes, for devices that publish here as they would to AWS.
#[cfg(feature = "edge")]
pub(crate) const HEADERS: [(&str, ReadHeader); 3] = [
    (USER_PROPERTIES, |value, properties| {
        properties.user_properties = read_user_properties(&base64::decode(value)?)?;
        Some(())
    }),
    (PAYLOAD_FORMAT, |value, properties| {
        properties.payload_format = Some(match core::str::from_utf8(value).ok()? {
            UNSPECIFIED_BYTES => PayloadFormat::UnspecifiedBytes,
            UTF8_DATA => PayloadFormat::Utf8Data,
            _ => return None,
        });
        Some(())
    }),
    (CORRELATION_DATA, |value, properties| {
        properties.correlation_data = Some(base64::decode(value)?);
        Some(())
    }),
];

/// An array of objects with one pair each, because names may repeat.
fn user_properties(properties: &Properties) -> String {
    let mut json = String::from("[");
    for (name, value) in &properties.user_properties {
        if json.len() > 1 {
            json.push(',');
        }
        let mut pair = ObjectWriter::new();
        pair.text(name, value);
        json.push_str(&pair.finish());
    }
    json.push(']');
    json
}

/// The pairs that [`user_properties`] writes.
pub(super) fn read_user_properties(json: &[u8]) -> Option<Vec<(String, String)>> {
    json::elements(json)?.into_iter().map(Json::first_text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Properties {
        Properties {
            content_type: Some("application/json; charset=utf-8".into()),
            response_topic: Some("answers/1".into()),
            message_expiry_s: Some(60),
            payload_format: Some(PayloadFormat::Utf8Data),
            correlation_data: Some(b"\0\xff".to_vec()),
            user_properties: vec![("deviceName".into(), "alpha".into()), ("deviceCnt".into(), "45".into())],
        }
    }

    #[test]
    fn properties_stand_in_the_query_and_in_headers_as_documented() {
        let mut target = Target::new(&["/topics/a"]);
        add_to_query(&sample(), &mut target);
        assert_eq!(
            target.finish(),
            "/topics/a?contentType=application%2Fjson%3B%20charset%3Dutf-8&responseTopic=answers%2F1&messageExpiry=60"
        );
        let mut request = Request::without_body("POST", "a.example".into(), "/".into());
        add_to_headers(&sample(), &mut request);
        assert_eq!(
            request.headers[1..],
            [
                (
                    "x-amz-mqtt5-user-properties".into(),
                    "W3siZGV2aWNlTmFtZSI6ImFscGhhIn0seyJkZXZpY2VDbnQiOiI0NSJ9XQ==".into()
                ),
                ("x-amz-mqtt5-payload-format-indicator".into(), "UTF8_DATA".into()),
                ("x-amz-mqtt5-correlation-data".into(), "AP8=".into()),
            ]
        );
    }

    #[test]
    fn user_properties_read_back_in_order_and_with_their_doubles() {
        let pairs = vec![("a\"".to_owned(), "1".to_owned()), ("a\"".into(), "2".into()), (String::new(), "é".into())];
        let properties = Properties { user_properties: pairs.clone(), ..Properties::default() };
        assert_eq!(read_user_properties(user_properties(&properties).as_bytes()), Some(pairs));
        assert_eq!(read_user_properties(b"[1]"), None);
    }

    #[test]
    fn a_property_that_no_client_could_be_sent_is_named() {
        let check_with = |change: fn(&mut Properties)| {
            let mut properties = sample();
            change(&mut properties);
            check(&properties)
        };
        assert_eq!(check_with(|_| {}), Ok(()));
        assert_eq!(check_with(|it| it.content_type = Some("a\nb".into())), Err(Field::ContentType));
        for topic in ["", "a/+", "a/#", "a\0"] {
            let properties = Properties { response_topic: Some(topic.into()), ..sample() };
            assert_eq!(check(&properties), Err(Field::ResponseTopic), "{topic:?}");
        }
        assert_eq!(check_with(|it| it.message_expiry_s = Some(u32::MAX)), Ok(()));
        assert_eq!(check_with(|it| it.user_properties[0].0 = "\r".into()), Err(Field::UserProperty));
    }
}
