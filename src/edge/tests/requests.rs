//! What becomes of the head of a request, before anything is configured.

use proptest::prelude::*;

use crate::edge::{Head, Payload, Publication, Refusal, Task, check_caller, read};
use crate::field::Field;
use crate::message::{MAX_PAYLOAD, PayloadFormat, Properties, Qos};
use crate::secret::Secret;
use crate::topic::TopicError;

fn post(path_with_query: &str) -> Result<Task, Refusal> {
    read(&Head { method: "POST", path_with_query, headers: &[] })
}

fn publication(path_with_query: &str) -> Publication {
    match post(path_with_query) {
        Ok(Task::Publish(publication)) => publication,
        other => panic!("{path_with_query}: {other:?}"),
    }
}

fn with_headers(headers: &[(&str, &str)]) -> Result<Task, Refusal> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    read(&Head { method: "POST", path_with_query: "/topics/a", headers: &headers })
}

#[test]
fn everything_behind_topics_is_the_topic_and_is_decoded_once() {
    for (path, topic) in [
        ("/topics/sensors/t1", "sensors/t1"),
        ("/topics/sensors%2Ft1", "sensors/t1"),
        ("/topics/sensors%2ft1", "sensors/t1"),
        ("/topics/sensors%252Ft1", "sensors%2Ft1"),
        ("/topics//a1B2c3D4e5F/pump-1/user/update", "/a1B2c3D4e5F/pump-1/user/update"),
        ("/topics/%2Fdevices%2Fone", "/devices/one"),
        ("/topics/////a", "////a"),
        ("/topics/a/", "a/"),
        ("/topics/per%20second", "per second"),
        ("/topics/%E6%B8%A9%E5%BA%A6", "温度"),
        ("/topics/a;b=c,d@e:f!g$h&i", "a;b=c,d@e:f!g$h&i"),
        ("/topics/topics/a", "topics/a"),
        ("/topics/healthz", "healthz"),
    ] {
        let found = publication(path);
        assert_eq!((found.topic.as_str(), found.device), (topic, None), "{path}");
    }
    let found = publication("/devices/pump%201/topics/a/topics/b");
    assert_eq!((found.topic.as_str(), found.device.as_deref()), ("a/topics/b", Some("pump 1")));
}

#[test]
fn a_path_that_is_none_of_ours_is_not_found_whatever_its_method() {
    for path in [
        "",
        "/",
        "/topics",
        "/topic/a",
        "/Topics/a",
        "//topics/a",
        "/healthz/",
        "/devices",
        "/devices/",
        "/devices/a",
        "/devices/a/topics",
        "/devices//topics/a",
        "/devices/a/b/topics/c",
        "topics/a",
        "/x/../topics/a",
    ] {
        for method in ["POST", "GET", "BREW"] {
            let head = Head { method, path_with_query: path, headers: &[] };
            assert_eq!(read(&head), Err(Refusal::NoSuchPath), "{method} {path}");
        }
    }
}

#[test]
fn a_topic_that_no_platform_takes_is_refused_with_its_reason() {
    for (path, problem) in [
        ("/topics/", TopicError::Empty),
        ("/devices/d/topics/?qos=1", TopicError::Empty),
        ("/topics/a/%23", TopicError::Wildcard),
        ("/topics/a+b", TopicError::Wildcard),
        ("/topics/a%0Ab", TopicError::ControlCharacter),
        ("/topics/a%00", TopicError::ControlCharacter),
    ] {
        assert_eq!(post(path), Err(Refusal::Topic(problem)), "{path}");
    }
}

#[test]
fn what_is_not_percent_encoded_utf_8_is_refused() {
    for path in [
        "/topics/%",
        "/topics/a%2",
        "/topics/100%zz",
        "/topics/%ff",
        "/devices/%c3/topics/a",
        "/topics/a?contentType=%",
    ] {
        assert_eq!(post(path), Err(Refusal::Encoding), "{path}");
    }
}

#[test]
fn the_query_says_how_the_message_is_published() {
    let plain = publication("/topics/a");
    assert_eq!((plain.qos, plain.retain, plain.properties), (Qos::AtMostOnce, false, None));
    for path in ["/topics/a?", "/topics/a?qos=0&retain=false", "/topics/a?&qos=0&"] {
        assert_eq!(publication(path), publication("/topics/a"), "{path}");
    }
    let full = publication(
        "/topics/a?qos=1&retain=true&contentType=application/senml+json&responseTopic=answers%2F1&messageExpiry=60",
    );
    assert_eq!((full.qos, full.retain), (Qos::AtLeastOnce, true));
    let properties = Properties {
        content_type: Some("application/senml+json".into()),
        response_topic: Some("answers/1".into()),
        message_expiry_s: Some(60),
        ..Properties::default()
    };
    assert_eq!(full.properties, Some(properties));
}

#[test]
fn a_parameter_that_would_be_passed_over_is_refused_by_name() {
    for (query, told) in [
        ("qos=2", "the parameter qos is wrong: it is 0 or 1"),
        ("qos=", "the parameter qos is wrong: it is 0 or 1"),
        ("qos=1&qos=1", "the parameter qos is wrong: it stands there twice"),
        ("retain=1", "the parameter retain is wrong: it is `true` or `false`"),
        ("retain", "the parameter retain is wrong: it is `true` or `false`"),
        ("messageExpiry=-1", "the parameter messageExpiry is wrong: it is a number of seconds, at most 4294967295"),
        ("messageExpiry=%2B1", "the parameter messageExpiry is wrong: it is a number of seconds, at most 4294967295"),
        (
            "messageExpiry=4294967296",
            "the parameter messageExpiry is wrong: it is a number of seconds, at most 4294967295",
        ),
        ("QoS=1", "there is no parameter QoS here: it is spelled qos"),
        ("message-expiry=1", "there is no parameter message-expiry here: it is spelled messageExpiry"),
        ("x%20y=1", "there is no parameter x y here: there are qos, retain, contentType, responseTopic, messageExpiry"),
    ] {
        let refusal = post(&format!("/topics/a?{query}")).unwrap_err();
        assert_eq!((refusal.to_string().as_str(), refusal.status()), (told, 400), "{query}");
    }
    let refusal = post("/topics/a?responseTopic=a/%23").unwrap_err();
    assert_eq!(refusal, Refusal::Property(Field::ResponseTopic));
}

#[test]
fn properties_come_in_the_headers_that_aws_has_for_them() {
    let task = with_headers(&[
        ("X-Amz-Mqtt5-User-Properties", "W3siYSI6IjEifSx7ImEiOiIyIn1d"),
        ("x-amz-mqtt5-payload-format-indicator", " UTF8_DATA "),
        ("x-amz-mqtt5-correlation-data", "AP8="),
    ]);
    let Ok(Task::Publish(publication)) = task else { panic!("{task:?}") };
    let properties = Properties {
        payload_format: Some(PayloadFormat::Utf8Data),
        correlation_data: Some(vec![0, 0xff]),
        user_properties: vec![("a".into(), "1".into()), ("a".into(), "2".into())],
        ..Properties::default()
    };
    assert_eq!(publication.properties, Some(properties));
    for (name, value) in [
        ("x-amz-mqtt5-user-properties", r#"[{"a":"1"}]"#),
        ("x-amz-mqtt5-user-properties", "e30="),
        ("x-amz-mqtt5-payload-format-indicator", "utf8"),
        ("x-amz-mqtt5-correlation-data", "not base64!"),
    ] {
        assert_eq!(with_headers(&[(name, value)]), Err(Refusal::Header(name)), "{name}: {value}");
    }
    // A pair whose value has a control character, which no client of MQTT could be sent.
    let refusal = with_headers(&[("x-amz-mqtt5-user-properties", "W3siYSI6IlxuIn1d")]);
    assert_eq!(refusal, Err(Refusal::Property(Field::UserProperty)));
}

#[test]
fn a_path_says_which_methods_it_takes() {
    for (path, methods) in [("/topics/a", ["POST", "PUT"]), ("/healthz", ["GET", "HEAD"]), ("/readyz", ["GET", "HEAD"])]
    {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "post", ""] {
            let read = read(&Head { method, path_with_query: path, headers: &[] });
            match methods.contains(&method) {
                true => assert!(read.is_ok(), "{method} {path}: {read:?}"),
                false => assert!(matches!(read, Err(Refusal::MethodNotAllowed { .. })), "{method} {path}: {read:?}"),
            }
        }
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_by_its_announcement_or_while_it_is_read() {
    for (length, is_too_large) in
        [("0", false), ("131072", false), ("131073", true), ("99999999999999999999999999", true)]
    {
        let read = with_headers(&[("Content-Length", length)]);
        assert_eq!(read == Err(Refusal::TooLarge), is_too_large, "{length}");
    }
    let mut payload = Payload::new();
    for _ in 0..MAX_PAYLOAD / 1024 {
        payload.push(&[7; 1024]).unwrap();
    }
    let mut full = payload.clone();
    assert_eq!(full.push(&[7]), Err(Refusal::TooLarge));
    full.push(&[]).unwrap();
    assert_eq!(payload.finish().len(), MAX_PAYLOAD);
}

#[test]
fn a_payload_passes_through_byte_for_byte() {
    let mut payload = Payload::new();
    for piece in [&b"\0\xff"[..], b"", b"\r\n\r\n"] {
        payload.push(piece).unwrap();
    }
    let message = publication("/topics/a").into_message(payload.finish());
    assert_eq!(*message.payload, *b"\0\xff\r\n\r\n");
}

#[test]
fn a_caller_shows_the_token_of_the_device() {
    let token = Secret::new("hunter2-hunter2");
    let check = |value: Option<&str>| {
        let headers: Vec<_> =
            value.map(|value| ("Authorization".to_owned(), value.as_bytes().to_vec())).into_iter().collect();
        check_caller(&Head { method: "POST", path_with_query: "/topics/a", headers: &headers }, &token)
    };
    for right in ["Bearer hunter2-hunter2", "bearer hunter2-hunter2", "BEARER  hunter2-hunter2 "] {
        assert_eq!(check(Some(right)), Ok(()), "{right}");
    }
    for missing in [None, Some(""), Some("Bearer"), Some("hunter2-hunter2"), Some("Basic hunter2-hunter2")] {
        assert_eq!(check(missing), Err(Refusal::TokenMissing), "{missing:?}");
    }
    for wrong in ["Bearer ", "Bearer hunter2", "Bearer hunter2-hunter2x", "Bearer hunter2-hunter3", "Bearer é"] {
        let refusal = check(Some(wrong)).unwrap_err();
        // An empty token is none.
        let expected = if wrong == "Bearer " { Refusal::TokenMissing } else { Refusal::TokenWrong };
        assert_eq!(refusal, expected, "{wrong}");
        assert!(!format!("{refusal} {refusal:?}").contains("hunter2"), "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_request_is_read_without_a_panic(
        method in "GET|POST|[A-Z]{0,4}",
        path in "(/topics/|/devices/)?[ -~]{0,40}",
        name in "x-amz-mqtt5-user-properties|content-length|[a-z-]{0,9}",
        value in any::<Vec<u8>>(),
    ) {
        let _ = read(&Head { method: &method, path_with_query: &path, headers: &[(name, value)] });
    }

    #[test]
    fn every_topic_arrives_as_its_sender_has_encoded_it(topic in "[^\\x00-\\x1f\\x7f-\\u{9f}+#]{1,40}") {
        let encoded: String = topic.bytes().map(|byte| format!("%{byte:02X}")).collect();
        prop_assert_eq!(publication(&format!("/topics/{encoded}")).topic, topic);
    }
}
