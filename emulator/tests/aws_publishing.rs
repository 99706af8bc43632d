//! What AWS checks of a message, and how it answers.

use thingpost_emulator::{Authority, AwsEmulator, AwsOptions, Disposition};

use crate::client::{Client, Connection, Response};

const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";

async fn start() -> (AwsEmulator, Connection, String) {
    let authority = Authority::new();
    let device = authority.issue_device("thermometer-7");
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
    emulator.register(&device);
    let client = Client::with_certificate(&authority, NAME, &device);
    let connection = client.connect(emulator.addr_mutual_tls()).await.unwrap();
    (emulator, connection, device.fingerprint)
}

fn assert_refused(response: &Response, status: u16, error_type: &str, message: &str) {
    assert_eq!(response.status(), status, "{response:?}");
    let expected = format!("{error_type}:");
    assert_eq!(response.header("x-amzn-ErrorType"), Some(expected.as_str()), "{response:?}");
    let body = format!(r#"{{"message":{message},"traceId":""#);
    assert!(response.body.starts_with(&body), "{response:?}");
}

#[tokio::test]
async fn success_has_the_captured_shape() {
    let (emulator, mut connection, _) = start().await;
    let response = connection.post("/topics/a%2Fb?qos=1", "", b"hello").await.unwrap();
    let trace_id = response.header("x-amzn-RequestId").unwrap().to_owned();
    let date = response.header("date").unwrap().to_owned();
    assert_eq!(
        response.head,
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 65\r\ndate: {date}\r\n\
             x-amzn-RequestId: {trace_id}\r\nconnection: keep-alive"
        )
    );
    assert_eq!(response.body, format!(r#"{{"message":"OK","traceId":"{trace_id}"}}"#));

    let entry = &emulator.ledger().entries()[0];
    assert_eq!(entry.topic.as_deref(), Some("a/b"));
    assert_eq!(entry.target, "/topics/a%2Fb?qos=1");
    assert_eq!(entry.qos, Some(1));
    assert!(!entry.retain);
    assert_eq!(entry.payload, b"hello");
    assert_eq!(entry.header("HOST"), Some("emulator"));
    assert_eq!(entry.disposition, Disposition::Accepted { id: trace_id.clone() });
    assert_eq!(entry.trace_id, Some(trace_id));
}

#[tokio::test]
async fn the_ledger_tells_connections_and_requests_apart() {
    let (emulator, mut connection, _) = start().await;
    for _ in 0..3 {
        connection.post("/topics/t", "", b"").await.unwrap();
    }
    let places: Vec<_> = emulator.ledger().entries().iter().map(|e| (e.connection, e.request)).collect();
    assert_eq!(places, [(1, 1), (1, 2), (1, 3)]);
}

#[tokio::test]
async fn raw_slashes_leading_slashes_and_retain_arrive_as_they_were_meant() {
    let (emulator, mut connection, _) = start().await;
    connection.post("/topics/data/thing?qos=0&retain=true", "", b"").await.unwrap();
    connection.post("/topics/%2Frecords", "", b"").await.unwrap();
    let entries = emulator.ledger().accepted();
    assert_eq!(entries[0].topic.as_deref(), Some("data/thing"));
    assert!(entries[0].retain);
    assert_eq!(entries[1].topic.as_deref(), Some("/records"));
    assert_eq!(entries[1].qos, Some(0));
}

#[tokio::test]
async fn a_policy_denial_has_null_for_a_message_and_the_length_of_a_success() {
    let (emulator, mut connection, fingerprint) = start().await;
    emulator.deny_topic_prefix("secret/");
    let response = connection.post("/topics/secret%2Fx", "", b"").await.unwrap();
    assert_refused(&response, 403, "ForbiddenException", "null");
    assert_eq!(response.header("content-length"), Some("65"));

    emulator.allow_only_topic_prefix(&fingerprint, "devices/7/");
    assert_eq!(connection.post("/topics/devices%2F7%2Fup", "", b"").await.unwrap().status(), 200);
    assert_eq!(connection.post("/topics/devices%2F8%2Fup", "", b"").await.unwrap().status(), 403);
    assert_eq!(emulator.ledger().accepted().len(), 1);
    assert_eq!(emulator.ledger().entries().len(), 3);
}

#[tokio::test]
async fn throttling_refuses_as_many_good_messages_as_asked() {
    let (emulator, mut connection, _) = start().await;
    emulator.throttle_next(2);
    // A bad message is refused for what it is and leaves the count alone.
    assert_eq!(connection.post("/topics/a%2B", "", b"").await.unwrap().status(), 400);
    for _ in 0..2 {
        let response = connection.post("/topics/t", "", b"").await.unwrap();
        assert_eq!(response.status_line(), "HTTP/1.1 429 Too Many Requests");
        assert_refused(&response, 429, "ThrottlingException", r#""Rate exceeded""#);
    }
    assert_eq!(connection.post("/topics/t", "", b"").await.unwrap().status(), 200);
}

#[tokio::test]
async fn invalid_requests_are_refused_with_a_reason() {
    let (emulator, mut connection, _) = start().await;
    let long = format!("/topics/{}", "x".repeat(257));
    let cases = [
        (long.as_str(), "Invalid topic"),
        ("/topics/1%2F2%2F3%2F4%2F5%2F6%2F7%2F8%2F9", "Invalid topic"),
        ("/topics/a%2F%23", "Invalid topic"),
        ("/topics/a+b", "Invalid topic"),
        ("/topics/%zz", "Invalid topic"),
        ("/topics/$mine", "Topic can't start with $"),
        ("/topics/$aws%2Fevents%2Fx", "Invalid publish to restricted topic using HTTP"),
        ("/topics/t?qos=2", "qos must be 0 or 1"),
        ("/topics/t?qos=", "qos must be 0 or 1"),
        ("/topics/t?retain=yes", "retain must be true or false"),
        ("/topics/t?messageExpiry=4294967296", "Message expiry interval must be an unsigned 4-byte integer"),
    ];
    for (target, message) in cases {
        let response = connection.post(target, "", b"").await.unwrap();
        assert_refused(&response, 400, "InvalidRequestException", &format!(r#""{message}""#));
    }
    assert_eq!(emulator.ledger().entries().len(), cases.len());
    assert_eq!(emulator.ledger().accepted(), []);
}

#[tokio::test]
async fn properties_of_mqtt_5_are_looked_at() {
    let (_emulator, mut connection, _) = start().await;
    let good = "x-amz-mqtt5-user-properties: W3siZGV2aWNlTmFtZSI6ImFscGhhIn0seyJkZXZpY2VDbnQiOiI0NSJ9XQ==\r\n\
                x-amz-mqtt5-payload-format-indicator: UTF8_DATA\r\nx-amz-mqtt5-correlation-data: AAE=\r\n";
    let response = connection.post("/topics/t?responseTopic=a%2Fb&messageExpiry=0", good, b"").await.unwrap();
    assert_eq!(response.status(), 200);
    for (target, headers, message) in [
        ("/topics/t", "x-amz-mqtt5-user-properties: {}\r\n", "Invalid Base64 string"),
        ("/topics/t", "x-amz-mqtt5-user-properties: e30=\r\n", "Invalid JSON string for User Properties"),
        ("/topics/t", "x-amz-mqtt5-correlation-data: !\r\n", "Invalid Base64 string"),
        ("/topics/t", "x-amz-mqtt5-payload-format-indicator: 1\r\n", "Invalid Payload Format Indicator"),
        (
            "/topics/t?responseTopic=a%2F%2B",
            "",
            "This response topic isn't valid. Response topics must not contain \
          MQTT wildcard characters (+ or #)",
        ),
    ] {
        let response = connection.post(target, headers, b"").await.unwrap();
        assert_refused(&response, 400, "InvalidRequestException", &format!(r#""{message}""#));
    }
}

#[tokio::test]
async fn a_payload_of_128_kib_is_taken_and_one_byte_more_is_not() {
    let (emulator, mut connection, _) = start().await;
    assert_eq!(connection.post("/topics/t", "", &[7; 131_072]).await.unwrap().status(), 200);
    let response = connection.post("/topics/t", "", &[7; 131_073]).await.unwrap();
    assert_refused(&response, 413, "RequestEntityTooLargeException", r#""Request entity too large""#);
    // The body was read, so the connection goes on.
    assert_eq!(connection.post("/topics/t", "", b"").await.unwrap().status(), 200);
    assert_eq!(emulator.ledger().accepted()[0].payload.len(), 131_072);
}

#[tokio::test]
async fn a_body_too_large_to_read_is_answered_readably_and_ends_the_connection() {
    let (emulator, mut connection, _) = start().await;
    let response = connection.post("/topics/t", "", &vec![7; 3 * 1024 * 1024]).await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(response.header("connection"), Some("close"));
    assert_eq!(connection.rest().await.unwrap(), b"");
    let entries = emulator.ledger().entries();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].payload, b"");
}

#[tokio::test]
async fn a_request_without_a_length_is_refused_and_ends_the_connection() {
    let (emulator, mut connection, _) = start().await;
    let chunked = b"POST /topics/t HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    connection.send(chunked).await.unwrap();
    let response = connection.answer().await.unwrap();
    assert_eq!(response.status_line(), "HTTP/1.1 411 Length Required");
    assert_eq!(response.header("connection"), Some("close"));
    assert_eq!(connection.rest().await.unwrap(), b"");
    assert_eq!(emulator.ledger().entries().len(), 1);
}

#[tokio::test]
async fn other_methods_and_other_paths_are_no_publish_requests() {
    let (emulator, mut connection, _) = start().await;
    connection.send(b"GET /topics/t HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let response = connection.answer().await.unwrap();
    assert_refused(&response, 405, "MethodNotAllowedException", r#""Method Not Allowed""#);
    for target in ["/", "/topic/t", "/topics", "/topics/"] {
        let response = connection.post(target, "", b"").await.unwrap();
        assert_refused(&response, 404, "ResourceNotFoundException", r#""Not Found""#);
    }
    assert_eq!(emulator.ledger().entries(), []);

    // This one asks for a topic, but no topic can be reached by it.
    let response = connection.post("/topics/..", "", b"").await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(emulator.ledger().entries().len(), 1);
}

#[tokio::test]
async fn what_is_not_http_is_told_so_and_ends_the_connection() {
    let (emulator, mut connection, _) = start().await;
    connection.send(b"\x16\x03\x01 nonsense\r\n\r\n").await.unwrap();
    let response = connection.answer().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(connection.rest().await.unwrap(), b"");
    assert_eq!(emulator.ledger().entries(), []);
}

#[tokio::test]
async fn a_client_that_waits_before_it_sends_its_body_is_told_to_go_on() {
    let (emulator, mut connection, _) = start().await;
    let head = b"POST /topics/t HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    connection.send(head).await.unwrap();
    assert_eq!(connection.answer().await.unwrap().status_line(), "HTTP/1.1 100 Continue");
    connection.send(b"hi").await.unwrap();
    assert_eq!(connection.answer().await.unwrap().status(), 200);
    assert_eq!(emulator.ledger().accepted()[0].payload, b"hi");
}

#[tokio::test]
async fn a_client_that_announces_its_end_is_closed_on() {
    let (_emulator, mut connection, _) = start().await;
    let response = connection.post("/topics/t", "Connection: close\r\n", b"").await.unwrap();
    assert_eq!(response.header("connection"), Some("close"));
    assert_eq!(connection.rest().await.unwrap(), b"");
}

#[tokio::test]
async fn the_date_follows_the_shifted_clock() {
    let (emulator, mut connection, _) = start().await;
    emulator.shift_clock_ms(i64::MIN);
    let response = connection.post("/topics/t", "", b"").await.unwrap();
    assert_eq!(response.header("date"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
}
