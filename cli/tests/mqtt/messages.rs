//! What a single message brings along, and what is said of it.

use std::time::{Duration, Instant};

use thingpost_emulator::{MqttEnd, MqttProperties};
use thingpost_patience::patience;

use super::{Fronts, TOPIC, assert_well, ends, only_publish};

#[test]
fn a_message_is_acknowledged_reported_and_followed_by_a_goodbye() {
    let fronts = Fronts::start();
    let output = fronts.run(fronts.publish());
    assert_well(&output);
    assert_eq!(output.stdout, format!("delivered to {TOPIC}\n"));
    let message = only_publish(&fronts.aws.ledger());
    assert_eq!((message.topic.as_str(), message.payload.as_slice(), message.qos), (TOPIC, &b"21.5"[..], 1));
    assert!(message.acknowledged && !message.retain && !message.dup);
    fronts.clouds.block_on(fronts.aws.ledger().wait_for_counts(|counts| counts.ends == 1, patience())).unwrap();
    assert_eq!(ends(&fronts.aws.ledger()), [MqttEnd::ClientDisconnect { reason: 0 }]);
}

#[test]
fn programs_get_the_fields_that_publish_has() {
    let fronts = Fronts::start();
    let output = fronts.run(fronts.publish().and(&["--json"]));
    assert_well(&output);
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let expected = serde_json::json!({
        "outcome": "delivered", "topic": TOPIC, "attempts": 1, "message_id": null, "trace_id": null,
    });
    assert_eq!(value, expected);
}

#[test]
fn properties_and_retain_and_quality_of_service_arrive() {
    let fronts = Fronts::start();
    let line = fronts
        .publish()
        .with("--qos", "0")
        .with("--content-type", "text/plain")
        .with("--response-topic", "answers")
        .with("--message-expiry", "60")
        .with("--payload-format", "utf8")
        .with("--correlation-data", "c7")
        .and(&["--retain", "--user-property", "a=1", "--user-property", "a=2"]);
    assert_well(&fronts.run(line));
    // It was not confirmed, so it may still be on its way.
    fronts.wait_for(1);
    let message = only_publish(&fronts.aws.ledger());
    assert!(message.retain && message.qos == 0);
    let pair = |value: &str| ("a".to_owned(), value.to_owned());
    let expected = MqttProperties {
        content_type: Some("text/plain".to_owned()),
        response_topic: Some("answers".to_owned()),
        message_expiry: Some(60),
        payload_format: Some(1),
        correlation_data: Some(b"c7".to_vec()),
        user_properties: vec![pair("1"), pair("2")],
    };
    assert!(message.properties == expected, "{message:?}");
}

#[test]
fn a_rule_needs_no_topic_and_a_file_may_hold_any_bytes() {
    let fronts = Fronts::start();
    let file = fronts.clouds.write("payload", b"\x00\xff");
    let line = fronts.publish().without("--topic").with("--rule", "kitchen");
    let output = fronts.run(line.without("--message").with("--file", file));
    assert_well(&output);
    assert_eq!(output.stdout, "delivered to the rule kitchen\n");
    let message = only_publish(&fronts.aws.ledger());
    assert_eq!((message.topic.as_str(), message.payload.as_slice()), ("$aws/rules/kitchen", &b"\x00\xff"[..]));
}

#[test]
fn the_same_message_goes_as_often_as_asked_with_pauses_between() {
    let fronts = Fronts::start();
    let begin = Instant::now();
    let output = fronts.run(fronts.publish().with("--count", "4").with("--interval", "0.2"));
    assert_well(&output);
    assert!(begin.elapsed() >= Duration::from_millis(600), "{:?}", begin.elapsed());
    assert_eq!(output.stdout, format!("delivered to {TOPIC}\n").repeat(4));
    assert_eq!(fronts.arrived(), ["21.5"; 4]);
    assert_eq!(fronts.aws.ledger().counts().connects, 1, "over one connection");
}

#[test]
fn many_copies_are_sent_without_waiting_for_each() {
    let fronts = Fronts::start();
    let output = fronts.run(fronts.publish().with("--count", "1000").and(&["--json"]));
    assert_well(&output);
    assert_eq!(output.stdout.lines().count(), 1000);
    assert_eq!(fronts.aws.ledger().acknowledged().len(), 1000);
}
