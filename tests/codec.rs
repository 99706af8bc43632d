//! The pure functions, through WebAssembly, in a host that offers nothing at all.

use serde_json::{Value, json};

use crate::bindings::codec::exports::thingpost::iot::aliyun_codec::Device;
use crate::bindings::codec::exports::thingpost::iot::aws_types::{
    Authentication as AwsAuthentication, Config as AwsConfig,
};
use crate::bindings::codec::exports::thingpost::iot::types::{
    Cause, Delivery, Message, Qos, RequestError, Retry, SignMethod, Stage, TopicError,
};
use crate::fixtures::codec::{Instance, NOW, owned, response};

const ENDPOINT: &str = "a-ats.iot.eu-central-1.amazonaws.com";

fn message(topic: &str, payload: &[u8]) -> Message {
    Message::new(topic, payload, Qos::AtLeastOnce)
}

fn config(endpoint: &str, port: u16) -> AwsConfig {
    AwsConfig { endpoint: endpoint.to_owned(), port, authentication: AwsAuthentication::Certificate }
}

fn device() -> Device {
    Device {
        endpoint: "iot-as-http.cn-shanghai.aliyuncs.com".to_owned(),
        port: 443,
        product_key: "pk".to_owned(),
        device_name: "device".to_owned(),
        client_id: "12345".to_owned(),
    }
}

#[test]
fn a_topic_is_encoded_as_one_segment_or_refused_with_the_reason() {
    let mut instance = Instance::new();
    let (aws, store) = instance.aws();
    for (topic, segment) in [("a/b", "a%2Fb"), ("/a//", "%2Fa%2F%2F"), ("é %", "%C3%A9%20%25"), ("a~-_.", "a~-_.")] {
        assert_eq!(aws.call_encode_topic(&mut *store, topic).unwrap().as_deref(), Ok(segment));
    }
    for (topic, problem) in [
        ("", TopicError::Empty),
        ("..", TopicError::DotSegment),
        ("a/#", TopicError::Wildcard),
        ("\u{7f}", TopicError::ControlCharacter),
        ("$SYS", TopicError::Reserved),
        ("a/b/c/d/e/f/g/h/i", TopicError::TooManySlashes),
    ] {
        assert_eq!(aws.call_encode_topic(&mut *store, topic).unwrap(), Err(problem), "{topic}");
    }
}

#[test]
fn the_request_of_aws_has_topic_and_qos_in_its_path_and_its_length_in_a_header() {
    let mut instance = Instance::new();
    let (aws, store) = instance.aws();
    let config = config(ENDPOINT, 8443);
    let request = aws.call_publish_request(&mut *store, &config, &message("a/b", b"21.5"), NOW).unwrap().unwrap();
    assert_eq!(request.method, "POST");
    assert_eq!(request.authority, "a-ats.iot.eu-central-1.amazonaws.com:8443");
    assert_eq!(request.path_with_query, "/topics/a%2Fb?qos=1");
    assert_eq!(request.headers, owned(&[("content-type", "application/octet-stream"), ("content-length", "4")]));
    assert_eq!(request.body, b"21.5");

    let standard = AwsConfig { port: 443, ..config.clone() };
    let request = aws.call_publish_request(&mut *store, &standard, &message("a", b""), NOW).unwrap().unwrap();
    assert_eq!(request.authority, "a-ats.iot.eu-central-1.amazonaws.com");

    let too_large = aws.call_publish_request(&mut *store, &config, &message("a", &[0; 131_073]), NOW).unwrap();
    assert_eq!(too_large, Err(RequestError::PayloadTooLarge));
    let wildcard = aws.call_publish_request(&mut *store, &config, &message("+", b""), NOW).unwrap();
    assert_eq!(wildcard, Err(RequestError::InvalidTopic(TopicError::Wildcard)));
    let with_scheme = self::config("https://a.example", 443);
    match aws.call_publish_request(&mut *store, &with_scheme, &message("a", b""), NOW).unwrap() {
        Err(RequestError::InvalidConfiguration(problem)) => assert!(problem.ends_with(": a.example"), "{problem}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_captured_answers_of_aws_are_told_apart_and_explained() {
    const TRACE_ID: &str = "602536fa-5868-07ee-d9bd-78f66063db45";
    let config = config(ENDPOINT, 8443);
    let mut instance = Instance::new();
    let (aws, store) = instance.aws();
    let success = response(200, &[], &format!(r#"{{"message":"OK","traceId":"{TRACE_ID}"}}"#));
    let receipt =
        aws.call_read_publish_response(&mut *store, &config, &message("a", b""), &success, NOW).unwrap().unwrap();
    assert_eq!((receipt.trace_id.as_deref(), receipt.message_id, receipt.attempts), (Some(TRACE_ID), None, 1));

    let denial = response(
        403,
        &[("x-amzn-ErrorType", "ForbiddenException:")],
        &format!(r#"{{"message":null,"traceId":"{TRACE_ID}"}}"#),
    );
    let error = aws
        .call_read_publish_response(&mut *store, &config, &message("devices/7", b""), &denial, NOW)
        .unwrap()
        .unwrap_err();
    assert_eq!((error.cause, error.stage), (Cause::Forbidden, Stage::Publication));
    assert_eq!((error.delivery, error.retry), (Delivery::Refused, Retry::Never));
    assert!(
        error.explanation.contains("iot:Publish on arn:aws:iot:eu-central-1:*:topic/devices/7"),
        "{}",
        error.explanation
    );
    let answer = error.answer.unwrap();
    assert_eq!((answer.status, answer.code.as_deref()), (403, Some("ForbiddenException")));
    assert_eq!((answer.message, answer.trace_id.as_deref()), (None, Some(TRACE_ID)));

    let no_alpn = response(403, &[], r#"{"message":"Missing Authentication Token","traceId":"1"}"#);
    let standard = AwsConfig { port: 443, ..config.clone() };
    let error =
        aws.call_read_publish_response(&mut *store, &standard, &message("a", b""), &no_alpn, NOW).unwrap().unwrap_err();
    assert!(error.explanation.contains("x-amzn-http-ca"), "{}", error.explanation);
    let throttled = response(429, &[], "");
    let error =
        aws.call_read_publish_response(&mut *store, &config, &message("a", b""), &throttled, NOW).unwrap().unwrap_err();
    assert_eq!((error.cause, error.retry), (Cause::Throttled, Retry::AfterMs(1_000)));
}

#[test]
fn the_signatures_are_those_of_the_documentation() {
    use SignMethod::{HmacMd5, HmacSha1, HmacSha256};
    let mut instance = Instance::new();
    let (aliyun, store) = instance.aliyun();
    let with_time = aliyun.call_signing_content(&mut *store, &device(), Some(789)).unwrap();
    assert_eq!(with_time, "clientId12345deviceNamedeviceproductKeypktimestamp789");
    let without = aliyun.call_signing_content(&mut *store, &device(), None).unwrap();
    assert_eq!(without, "clientId12345deviceNamedeviceproductKeypk");

    for (method, secret, content, signature) in [
        (HmacSha1, "secret", with_time.as_str(), "fafd82a3d602b37fb0fa8b7892f24a477f851a14"),
        (HmacMd5, "secret", &with_time, "14b198324fe55e1d3c88f2e705e201ee"),
        (HmacSha256, "secret", &with_time, "6074a46a91b1ebb2cc4ea42790ad0e80202c9843859fc292e57c4eb19fad9e57"),
        (HmacMd5, "secret", &without, "2ce7304ec0ddd548eb1492d65ac0b334"),
        (HmacSha1, "secret", &without, "3504e4df7ce4766d30f796ee973c9ce7fc5425cb"),
        (HmacSha256, "secret", &without, "c8cb3dcb7159682438e5fd9a9c34f398e41bb8edb6f222795e307bafee151090"),
        (HmacMd5, "thinkgos", "thinkgos", "ed9dc7baf84a9740a3ceb6f1f26bfb4f"),
        (HmacSha1, "thinkgos", "thinkgos", "f9cebe2044ea375cff1a46f4dc05eb15ff9870ee"),
        (HmacSha256, "thinkgos", "thinkgos", "e9403e3a615fad72d1dd1fe90c225cbec4ba81a03e5474d91a72844d2218954f"),
    ] {
        assert_eq!(aliyun.call_sign(&mut *store, method, secret, content).unwrap(), signature, "{method:?}");
    }
}

#[test]
fn the_request_for_a_token_has_what_was_signed_and_the_signature() {
    let mut instance = Instance::new();
    let (aliyun, store) = instance.aliyun();
    let request =
        aliyun.call_auth_request(&mut *store, &device(), SignMethod::HmacSha1, Some(789), "abc").unwrap().unwrap();
    assert_eq!((request.method.as_str(), request.path_with_query.as_str()), ("POST", "/auth"));
    assert_eq!(request.authority, "iot-as-http.cn-shanghai.aliyuncs.com");
    let length = request.body.len().to_string();
    assert_eq!(request.headers, owned(&[("content-type", "application/json"), ("content-length", &length)]));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let expected = json!({
        "version": "default", "clientId": "12345", "signmethod": "hmacsha1", "sign": "abc",
        "productKey": "pk", "deviceName": "device", "timestamp": "789",
    });
    assert_eq!(body, expected);

    let quoted = Device { client_id: "a\"b\\c".to_owned(), ..device() };
    let request = aliyun.call_auth_request(&mut *store, &quoted, SignMethod::HmacMd5, None, "abc").unwrap().unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((&body["clientId"], &body["signmethod"]), (&json!("a\"b\\c"), &json!("hmacmd5")));
    assert!(body.get("timestamp").is_none());

    let broken = Device { product_key: "pk\n".to_owned(), ..device() };
    let problem = aliyun.call_auth_request(&mut *store, &broken, SignMethod::HmacMd5, None, "abc").unwrap();
    assert!(problem.unwrap_err().contains("product key"));
}

#[test]
fn a_token_is_read_with_its_end_where_it_has_one() {
    let mut instance = Instance::new();
    let (aliyun, store) = instance.aliyun();
    // The second part of the old form is {"expire":1502531507477,"token":"804f"}.
    let old = "eyJ0IjoxfQ.eyJleHBpcmUiOjE1MDI1MzE1MDc0NzcsInRva2VuIjoiODA0ZiJ9.c2ln";
    for (name, value, expires) in
        [("info", "6944e5bfb92e4d4ea3918d1eda3942f6", None), ("Info", old, Some(1_502_531_507_477))]
    {
        let answer = response(200, &[], &format!(r#"{{"code":0,"message":"success","{name}":{{"token":"{value}"}}}}"#));
        let token = aliyun.call_read_auth_response(&mut *store, &device(), &answer, NOW).unwrap().unwrap();
        assert_eq!((token.value.as_str(), token.expires_unix_ms), (value, expires));
    }
    let refused = response(200, &[("EagleEye-TraceId", "0bc5")], r#"{"code":20000,"message":"auth check error"}"#);
    let error = aliyun.call_read_auth_response(&mut *store, &device(), &refused, NOW).unwrap().unwrap_err();
    assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication));
    assert!(error.explanation.contains("device secret"), "{}", error.explanation);
    assert_eq!(error.answer.unwrap().trace_id.as_deref(), Some("0bc5"));
}

#[test]
fn a_message_for_aliyun_carries_the_token_and_its_number_comes_back_exact() {
    let mut instance = Instance::new();
    let (aliyun, store) = instance.aliyun();
    let message = message("/pk/device/user/update", b"21.5");
    let request = aliyun.call_publish_request(&mut *store, &device(), "token", &message).unwrap().unwrap();
    assert_eq!(request.path_with_query, "/topic/pk/device/user/update");
    let headers = [("content-type", "application/octet-stream"), ("content-length", "4"), ("password", "token")];
    assert_eq!(request.headers, owned(&headers));

    for number in [1_207_967_842_654_323_713, 9_007_199_254_740_993, u64::MAX] {
        let answer = response(200, &[], &format!(r#"{{"code":0,"info":{{"messageId":{number}}}}}"#));
        let receipt = aliyun.call_read_publish_response(&mut *store, &device(), &answer, NOW).unwrap().unwrap();
        assert_eq!(receipt.message_id, Some(number));
    }
}

#[test]
fn every_code_of_aliyun_has_its_cause_and_an_explanation() {
    use Delivery::{Refused, Unknown};
    let mut instance = Instance::new();
    let (aliyun, store) = instance.aliyun();
    for (code, cause, delivery, retry) in [
        (10000, Cause::ServerError, Unknown, Retry::AfterMs(0)),
        (10001, Cause::InvalidRequest, Refused, Retry::Never),
        (20000, Cause::Unauthenticated, Refused, Retry::Never),
        (20001, Cause::TokenRejected, Refused, Retry::AfterAuthentication),
        (20002, Cause::TokenRejected, Refused, Retry::AfterAuthentication),
        (20003, Cause::TokenRejected, Refused, Retry::AfterAuthentication),
        (20004, Cause::Unavailable, Refused, Retry::AfterMs(0)),
        (30001, Cause::PublishFailed, Refused, Retry::AfterMs(0)),
        (40000, Cause::Throttled, Refused, Retry::AfterMs(1_000)),
        (12345, Cause::UndocumentedAnswer, Unknown, Retry::Never),
    ] {
        let answer = response(200, &[], &format!(r#"{{"code":{code},"message":"m"}}"#));
        let error = aliyun.call_read_publish_response(&mut *store, &device(), &answer, NOW).unwrap().unwrap_err();
        assert_eq!((error.cause, error.delivery, error.retry), (cause, delivery, retry), "{code}");
        assert!(error.explanation.len() > 20, "{code}: {}", error.explanation);
        assert_eq!(error.answer.unwrap().code, Some(code.to_string()));
    }
}
