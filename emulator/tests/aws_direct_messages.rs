//! Messages to one client.

use thingpost_emulator::{ConnectedClient, Device, DirectMessage};

use crate::data_plane::{DataPlane, assert_invalid, assert_not_found, assert_refused};

const MESSAGES: &str = "/connections/dev%2F1/messages";
const OFFLINE: &str = "The target client ID is not connected";

async fn start() -> DataPlane {
    let world = DataPlane::start().await;
    world.emulator.add_client(ConnectedClient::new("dev/1"));
    world.emulator.add_client(ConnectedClient { acknowledges: false, ..ConnectedClient::new("silent") });
    world
}

#[tokio::test]
async fn a_message_reaches_its_client_with_everything_it_was_sent_with() {
    let mut world = start().await;
    let target =
        format!("{MESSAGES}?topic=commands%2Freboot&contentType=text%2Fplain&responseTopic=a%2Fb&confirmation=true");
    let headers = "x-amz-mqtt5-user-properties: W3siZGV2aWNlTmFtZSI6ImFscGhhIn1d\r\n\
                   x-amz-mqtt5-payload-format-indicator: UTF8_DATA\r\nx-amz-mqtt5-correlation-data: AAE=\r\n";
    let response = world.post_with_headers(&target, headers, b"now").await;
    let trace_id = response.header("x-amzn-RequestId").unwrap();
    assert_eq!(response.body, format!(r#"{{"message":"OK","traceId":"{trace_id}"}}"#));

    let expected = DirectMessage {
        client_id: "dev/1".to_owned(),
        topic: "commands/reboot".to_owned(),
        payload: b"now".to_vec(),
        qos: 1,
        timeout_seconds: Some(5),
        acknowledged: true,
        content_type: Some("text/plain".to_owned()),
        response_topic: Some("a/b".to_owned()),
        user_properties: vec![("deviceName".to_owned(), "alpha".to_owned())],
        payload_format_indicator: Some("UTF8_DATA".to_owned()),
        correlation_data: Some(vec![0, 1]),
        sender: Device::Certificate {
            fingerprint: world.device.fingerprint.clone(),
            common_name: Some("thermometer-7".to_owned()),
        },
    };
    assert_eq!(world.emulator.direct_messages(), [expected]);
    assert_eq!(world.emulator.ledger().entries(), []);
}

#[tokio::test]
async fn without_a_confirmation_nobody_waits_for_the_client() {
    let mut world = start().await;
    // The timeout is not looked at then.
    for (client, query) in [("silent", "topic=t"), ("dev%2F1", "topic=t&confirmation=false&timeout=99")] {
        assert_eq!(world.post(&format!("/connections/{client}/messages?{query}"), "").await.status(), 200);
    }
    assert_eq!(world.emulator.direct_messages().len(), 2);
    for message in world.emulator.direct_messages() {
        assert_eq!((message.qos, message.timeout_seconds, message.acknowledged), (0, None, false));
    }
}

#[tokio::test]
async fn a_client_that_does_not_confirm_has_the_message_all_the_same() {
    let mut world = start().await;
    let response = world.post("/connections/silent/messages?topic=t&confirmation=true&timeout=15", "x").await;
    assert_eq!(response.status_line(), "HTTP/1.1 504 Gateway Timeout");
    let message = "The delivery confirmation was not received from the client within the specified timeout period.";
    assert_refused(&response, 504, "GatewayTimeoutException", message);
    let messages = world.emulator.direct_messages();
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].qos, messages[0].timeout_seconds, messages[0].acknowledged), (1, Some(15), false));
}

#[tokio::test]
async fn a_client_that_is_not_on_line_gets_nothing() {
    let mut world = start().await;
    assert_not_found(&world.post("/connections/unknown/messages?topic=t", "x").await, OFFLINE);
    world.emulator.lose_client("dev/1");
    assert_not_found(&world.post(&format!("{MESSAGES}?topic=t"), "x").await, OFFLINE);

    let persistent =
        ConnectedClient { clean_session: false, session_expiry_seconds: 60, ..ConnectedClient::new("dev/1") };
    world.emulator.add_client(persistent);
    world.emulator.lose_client("dev/1");
    let asleep = "The target client ID is not connected, but it has an active persistent session";
    assert_not_found(&world.post(&format!("{MESSAGES}?topic=t"), "x").await, asleep);
    world.emulator.shift_clock_ms(61_000);
    assert_not_found(&world.post(&format!("{MESSAGES}?topic=t"), "x").await, OFFLINE);
    assert_eq!(world.emulator.direct_messages(), []);
}

#[tokio::test]
async fn what_no_direct_message_can_be_is_told_why() {
    let mut world = start().await;
    let long = format!("topic={}", "x".repeat(257));
    for (query, message) in [
        ("", "Invalid topic"),
        ("topic=", "Invalid topic"),
        ("topic=%zz", "Invalid topic"),
        ("topic=a%2F%23", "Invalid topic"),
        ("topic=a+b", "Invalid topic"),
        ("topic=1%2F2%2F3%2F4%2F5%2F6%2F7%2F8%2F9", "Invalid topic"),
        (&long, "Invalid topic"),
        ("topic=$aws%2Frules%2Fr", "Topic can't start with $"),
        ("topic=t&confirmation=yes", "confirmation must be true or false"),
        ("topic=t&confirmation=true&timeout=0", "timeout must be between 1 and 15"),
        ("topic=t&confirmation=true&timeout=16", "timeout must be between 1 and 15"),
        ("topic=t&confirmation=true&timeout=", "timeout must be between 1 and 15"),
        (
            "topic=t&responseTopic=%23",
            "This response topic isn't valid. Response topics must not contain MQTT wildcard characters (+ or #)",
        ),
    ] {
        assert_invalid(&world.post(&format!("{MESSAGES}?{query}"), "x").await, message);
    }
    let headers = "x-amz-mqtt5-user-properties: e30=\r\n";
    let response = world.post_with_headers(&format!("{MESSAGES}?topic=t"), headers, b"x").await;
    assert_invalid(&response, "Invalid JSON string for User Properties");
    // An expiry is no parameter of a message that does not wait.
    assert_eq!(world.post(&format!("{MESSAGES}?topic=t&messageExpiry=soon"), "x").await.status(), 200);
    assert_eq!(world.emulator.direct_messages().len(), 1);
}

#[tokio::test]
async fn a_payload_of_128_kib_is_delivered_and_one_byte_more_is_not() {
    let mut world = start().await;
    let target = format!("{MESSAGES}?topic=t");
    assert_eq!(world.post_with_headers(&target, "", &[7; 131_072]).await.status(), 200);
    let response = world.post_with_headers(&target, "", &[7; 131_073]).await;
    assert_refused(&response, 413, "RequestEntityTooLargeException", "Request entity too large");
    assert_eq!(world.emulator.direct_messages().len(), 1);
}

#[tokio::test]
async fn contents_are_not_in_the_debug_output() {
    let mut world = start().await;
    let headers = "x-amz-mqtt5-correlation-data: aHVzaA==\r\n";
    world.post_with_headers(&format!("{MESSAGES}?topic=t"), headers, b"hush").await;
    let shown = format!("{:?}", world.emulator.direct_messages());
    assert!(shown.contains("dev/1") && !shown.contains("hush") && !shown.contains("104, 117"), "{shown}");
}
