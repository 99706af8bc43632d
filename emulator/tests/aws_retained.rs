//! What is left of a message once it was taken: the retained store, and the properties in the ledger.

use thingpost_emulator::{Authority, AwsEmulator, AwsOptions, Break, Fault, Retained};

use crate::client::{Client, Connection, post};

const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";

async fn start() -> (AwsEmulator, Connection, Client) {
    let authority = Authority::new();
    let device = authority.issue_device("thermometer-7");
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
    emulator.register(&device);
    let client = Client::with_certificate(&authority, NAME, &device);
    let connection = client.connect(emulator.addr_mutual_tls()).await.unwrap();
    (emulator, connection, client)
}

fn retained(topic: &str, payload: &[u8], qos: u8) -> Retained {
    Retained { topic: topic.to_owned(), payload: payload.to_vec(), qos }
}

#[tokio::test]
async fn a_topic_retains_the_last_message_that_was_to_be_retained() {
    let (emulator, mut connection, _) = start().await;
    assert_eq!(emulator.retained(), []);
    connection.post("/topics/b?retain=true&qos=1", "", b"old").await.unwrap();
    connection.post("/topics/a%2Fb?retain=true", "", b"other").await.unwrap();
    connection.post("/topics/b?retain=true&qos=0", "", b"new").await.unwrap();
    connection.post("/topics/b?qos=1", "", b"passing").await.unwrap();
    connection.post("/topics/b?retain=false", "", b"").await.unwrap();
    assert_eq!(emulator.retained(), [retained("a/b", b"other", 0), retained("b", b"new", 0)]);
}

#[tokio::test]
async fn an_empty_message_that_is_to_be_retained_clears_its_topic() {
    let (emulator, mut connection, _) = start().await;
    connection.post("/topics/a?retain=true&qos=1", "", b"1").await.unwrap();
    connection.post("/topics/b?retain=true&qos=1", "", b"2").await.unwrap();
    assert_eq!(connection.post("/topics/a?retain=true", "", b"").await.unwrap().status(), 200);
    assert_eq!(connection.post("/topics/never-there?retain=true", "", b"").await.unwrap().status(), 200);
    assert_eq!(emulator.retained(), [retained("b", b"2", 1)]);
}

#[tokio::test]
async fn only_a_message_that_was_taken_is_retained() {
    let (emulator, mut connection, client) = start().await;
    emulator.deny_topic_prefix("secret");
    connection.post("/topics/secret?retain=true", "", b"x").await.unwrap();
    connection.post("/topics/t?retain=true&qos=2", "", b"x").await.unwrap();
    emulator.throttle_next(1);
    connection.post("/topics/t?retain=true", "", b"x").await.unwrap();
    emulator.faults().push(Fault::BeforeAcceptance(Break::Close), 1);
    connection.send(&post("/topics/t?retain=true", "", b"x")).await.unwrap();
    assert_eq!(connection.rest().await.unwrap(), b"");
    assert_eq!(emulator.retained(), []);

    emulator.faults().push(Fault::AfterAcceptance(Break::Close), 1);
    let mut connection = client.connect(emulator.addr_mutual_tls()).await.unwrap();
    connection.send(&post("/topics/t?retain=true", "", b"x")).await.unwrap();
    assert_eq!(connection.rest().await.unwrap(), b"");
    assert_eq!(emulator.retained(), [retained("t", b"x", 0)]);
}

#[tokio::test]
async fn the_ledger_has_the_properties_decoded() {
    let (emulator, mut connection, _) = start().await;
    let target = "/topics/t?contentType=text%2Fplain%3B%20a&responseTopic=a%2Fb&messageExpiry=4294967295";
    let headers = "x-amz-mqtt5-user-properties: W3siZGV2aWNlTmFtZSI6ImFscGhhIn0seyJkZXZpY2VDbnQiOiI0NSJ9XQ==\r\n\
                   x-amz-mqtt5-payload-format-indicator: UTF8_DATA\r\nx-amz-mqtt5-correlation-data: AAE=\r\n";
    assert_eq!(connection.post(target, headers, b"x").await.unwrap().status(), 200);
    let entry = &emulator.ledger().accepted()[0];
    assert_eq!(entry.content_type.as_deref(), Some("text/plain; a"));
    assert_eq!(entry.response_topic.as_deref(), Some("a/b"));
    assert_eq!(entry.message_expiry, Some(u32::MAX));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(entry.user_properties, [pair("deviceName", "alpha"), pair("deviceCnt", "45")]);
    assert_eq!(entry.payload_format_indicator.as_deref(), Some("UTF8_DATA"));
    assert_eq!(entry.correlation_data.as_deref(), Some(&[0, 1][..]));
}

#[tokio::test]
async fn the_ledger_leaves_properties_out_that_were_not_sent_or_do_not_decode() {
    let (emulator, mut connection, _) = start().await;
    connection.post("/topics/t", "Content-Type: text/plain\r\n", b"x").await.unwrap();
    let target = "/topics/t?contentType=kept&responseTopic=%23&messageExpiry=soon";
    let headers = "x-amz-mqtt5-user-properties: e30=\r\nx-amz-mqtt5-payload-format-indicator: 1\r\n\
                   x-amz-mqtt5-correlation-data: !\r\n";
    assert_eq!(connection.post(target, headers, b"x").await.unwrap().status(), 400);
    let entries = emulator.ledger().entries();
    assert_eq!(entries.iter().map(|entry| entry.content_type.as_deref()).collect::<Vec<_>>(), [None, Some("kept")]);
    for entry in entries {
        assert_eq!((&entry.response_topic, entry.message_expiry), (&None, None));
        assert_eq!(entry.user_properties, []);
        assert_eq!((&entry.payload_format_indicator, &entry.correlation_data), (&None, &None));
    }
}
