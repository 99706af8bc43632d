//! Requests that are signed rightly, in every form that a client may give them.

use thingpost_emulator::{Device, Disposition, Listener};

use crate::signer::{ID, SECRET, SIGNER, Signer, TIME_STAMP, World, canonical, key, sha256};

#[tokio::test]
async fn requests_signed_by_botocore_and_by_the_sdk_for_rust_are_taken_for_both_services() {
    let mut world = World::start().await;
    for (service, signature) in [
        ("iotdata", "72d523285a72f0c4d840e57b9cb02972a6ecd437e6548a4e4fa0e4def4559a97"),
        ("iotdevicegateway", "b3e266b46528c3e0d0f6bbb548e78f1a97ce3ab6d428e33f37c7947f0c8d340e"),
    ] {
        let request = format!(
            "POST /topics/a%2Fb?qos=1 HTTP/1.1\r\nHost: a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com\r\n\
             X-Amz-Date: 20150830T123600Z\r\nContent-Length: 5\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, \
             Signature={signature}\r\n\r\nhello"
        );
        world.connection.send(request.as_bytes()).await.unwrap();
        let response = world.connection.answer().await.unwrap();
        assert_eq!(response.status(), 200, "{response:?}");
        assert!(response.body.starts_with(r#"{"message":"OK","traceId":""#));
    }
    let entries = world.emulator.ledger().accepted();
    assert_eq!(entries.len(), 2);
    let entry = &entries[0];
    assert_eq!(entry.listener, Listener::AwsAlpn);
    assert_eq!(entry.device, Some(Device::AccessKey { access_key_id: ID.to_owned() }));
    assert_eq!((entry.topic.as_deref(), entry.qos), (Some("a/b"), Some(1)));
    assert_eq!(entry.payload, b"hello");
}

#[tokio::test]
async fn the_path_is_signed_with_one_more_encoding_than_it_was_sent_with() {
    let mut world = World::start().await;
    for (target, path, topic) in [
        ("/topics/a%2Fb", "/topics/a%252Fb", "a/b"),
        ("/topics/a/b", "/topics/a/b", "a/b"),
        ("/topics/%2Frecords", "/topics/%252Frecords", "/records"),
        ("/topics/a%2fb", "/topics/a%252fb", "a/b"),
        ("/topics/a:b", "/topics/a%3Ab", "a:b"),
        ("/topics/%C3%A9%20~", "/topics/%25C3%25A9%2520~", "é ~"),
    ] {
        let authorization = SIGNER.authorization(&canonical(path, "", TIME_STAMP, "x"));
        let headers = format!("X-Amz-Date: {TIME_STAMP}\r\n{authorization}");
        let response = world.connection.post(target, &headers, b"x").await.unwrap();
        assert_eq!(response.status(), 200, "{target}: {response:?}");
        assert_eq!(world.emulator.ledger().entries().last().unwrap().topic.as_deref(), Some(topic));
    }
}

#[tokio::test]
async fn the_query_is_signed_sorted_and_encoded_once_in_upper_case() {
    let mut world = World::start().await;
    for (query, signed) in [
        ("qos=1&contentType=text%2Fplain", "contentType=text%2Fplain&qos=1"),
        ("qos=1&contentType=text/plain", "contentType=text%2Fplain&qos=1"),
        ("qos=1&contentType=text%2fplain", "contentType=text%2Fplain&qos=1"),
        ("b&a=2&a=1", "a=1&a=2&b="),
        ("", ""),
    ] {
        let authorization = SIGNER.authorization(&canonical("/topics/t", signed, TIME_STAMP, ""));
        let headers = format!("X-Amz-Date: {TIME_STAMP}\r\n{authorization}");
        let response = world.connection.post(&format!("/topics/t?{query}"), &headers, b"").await.unwrap();
        assert_eq!(response.status(), 200, "{query}: {response:?}");
    }
}

#[tokio::test]
async fn headers_are_signed_in_lower_case_and_without_needless_blanks() {
    let mut world = World::start().await;
    let hash = sha256(b"hi");
    let canonical = format!(
        "POST\n/topics/t\n\ncontent-type:text/plain; a=b\nhost:emulator\nmy-header:one,two\n\
         x-amz-content-sha256:{hash}\nx-amz-date:{TIME_STAMP}\nx-amz-mqtt5-correlation-data:AAE=\n\n\
         content-type;host;my-header;x-amz-content-sha256;x-amz-date;x-amz-mqtt5-correlation-data\n{hash}"
    );
    let headers = format!(
        "x-amz-MQTT5-Correlation-Data:AAE=\r\nContent-Type:   text/plain;  a=b  \r\nMy-Header: one\r\nUser-Agent: x\r\n\
         My-Header:  two\r\nX-AMZ-CONTENT-SHA256: {hash}\r\nX-AMZ-DATE: {TIME_STAMP}\r\n{}",
        SIGNER.authorization(&canonical)
    );
    let response = world.connection.post("/topics/t", &headers, b"hi").await.unwrap();
    assert_eq!(response.status(), 200, "{response:?}");
}

#[tokio::test]
async fn a_temporary_key_is_good_with_its_session_token() {
    let mut world = World::start_with(|options| options, Some("token/+=")).await;
    let hash = sha256(b"");
    let canonical = format!(
        "POST\n/topics/t\n\nhost:emulator\nx-amz-date:{TIME_STAMP}\nx-amz-security-token:token/+=\n\n\
         host;x-amz-date;x-amz-security-token\n{hash}"
    );
    let headers =
        format!("X-Amz-Date: {TIME_STAMP}\r\nX-Amz-Security-Token: token/+=\r\n{}", SIGNER.authorization(&canonical));
    let response = world.connection.post("/topics/t", &headers, b"").await.unwrap();
    assert_eq!(response.status(), 200, "{response:?}");
}

#[tokio::test]
async fn a_time_stamp_is_good_for_five_minutes_in_both_directions() {
    let mut world = World::start().await;
    for seconds in [-290, 0, 290] {
        world.seconds_later(seconds);
        let response = world.connection.post("/topics/t", &SIGNER.headers("x"), b"x").await.unwrap();
        assert_eq!(response.status(), 200, "{seconds}: {response:?}");
    }
}

#[tokio::test]
async fn another_region_can_be_asked_for_in_the_options() {
    let region = |options| thingpost_emulator::AwsOptions { region: Some("eu-west-3".to_owned()), ..options };
    let mut world = World::start_with(region, None).await;
    let signer = Signer { region: "eu-west-3", ..SIGNER };
    assert_eq!(world.connection.post("/topics/t", &signer.headers(""), b"").await.unwrap().status(), 200);
    assert_eq!(world.connection.post("/topics/t", &SIGNER.headers(""), b"").await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_key_that_is_added_again_has_its_new_secret_only() {
    let mut world = World::start().await;
    world.emulator.add_access_key(key("another secret", None));
    assert_eq!(world.connection.post("/topics/t", &SIGNER.headers(""), b"").await.unwrap().status(), 403);
    world.emulator.add_access_key(key(SECRET, None));
    assert_eq!(world.connection.post("/topics/t", &SIGNER.headers(""), b"").await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_signed_message_is_checked_like_any_other() {
    let mut world = World::start().await;
    let authorization = SIGNER.authorization(&canonical("/topics/t", "qos=2", TIME_STAMP, ""));
    let headers = format!("X-Amz-Date: {TIME_STAMP}\r\n{authorization}");
    let response = world.connection.post("/topics/t?qos=2", &headers, b"").await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.body.starts_with(r#"{"message":"qos must be 0 or 1","#), "{response:?}");

    world.emulator.throttle_next(1);
    assert_eq!(world.connection.post("/topics/t", &SIGNER.headers(""), b"").await.unwrap().status(), 429);
    assert_eq!(world.connection.post("/topics/t", &SIGNER.headers(""), b"").await.unwrap().status(), 200);

    let authorization = SIGNER.authorization(&canonical("/nowhere", "", TIME_STAMP, ""));
    let headers = format!("X-Amz-Date: {TIME_STAMP}\r\n{authorization}");
    assert_eq!(world.connection.post("/nowhere", &headers, b"").await.unwrap().status(), 404);
    // A stranger is not told what there is.
    assert_eq!(world.connection.post("/elsewhere", &headers, b"").await.unwrap().status(), 403);

    let response = world.connection.post("/topics/t", &SIGNER.headers(""), &vec![7; 3 * 1024 * 1024]).await.unwrap();
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn a_policy_denies_an_access_key_with_a_word() {
    let mut world = World::start().await;
    world.emulator.allow_only_topic_prefix("somebody else", "elsewhere/");
    assert_eq!(world.connection.post("/topics/t", &SIGNER.headers(""), b"").await.unwrap().status(), 200);

    world.emulator.allow_only_topic_prefix(ID, "devices/");
    let response = world.connection.post("/topics/t", &SIGNER.headers(""), b"").await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(response.header("x-amzn-ErrorType"), Some("ForbiddenException:"));
    assert!(response.body.starts_with(r#"{"message":"Forbidden","traceId":""#), "{response:?}");
    world.emulator.allow_only_topic_prefix(ID, "t");
    assert_eq!(world.connection.post("/topics/t", &SIGNER.headers(""), b"").await.unwrap().status(), 200);
    world.emulator.deny_topic_prefix("t");
    let response = world.connection.post("/topics/t", &SIGNER.headers(""), b"").await.unwrap();
    assert!(response.body.starts_with(r#"{"message":"Forbidden","traceId":""#), "{response:?}");

    let entry = world.emulator.ledger().entries().pop().unwrap();
    assert_eq!(entry.device, Some(Device::AccessKey { access_key_id: ID.to_owned() }));
    assert_eq!(entry.disposition, Disposition::Refused { status: 403, code: "ForbiddenException".to_owned() });
}
