//! What AWS can do with a message beside taking it, one message and many.

use thingpost_emulator::Entry;

use crate::clouds::{AWS_TOPIC, Clouds, payloads};
use crate::command::CommandLine;

#[track_caller]
fn arrived(clouds: &Clouds, line: CommandLine) -> Vec<Entry> {
    clouds.aws.ledger().clear();
    let output = clouds.run(line);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    clouds.aws.ledger().accepted()
}

fn retained(clouds: &Clouds) -> Vec<(String, Vec<u8>)> {
    clouds.aws.retained().into_iter().map(|message| (message.topic, message.payload)).collect()
}

#[test]
fn a_retained_message_is_kept_until_an_empty_one_clears_it() {
    let clouds = Clouds::start();
    arrived(&clouds, clouds.publish_aws());
    assert!(retained(&clouds).is_empty());
    arrived(&clouds, clouds.publish_aws().and(&["--retain"]));
    assert_eq!(retained(&clouds), [(AWS_TOPIC.to_owned(), b"21.5".to_vec())]);
    arrived(&clouds, clouds.publish_aws().with("--message", "").and(&["--retain"]));
    assert!(retained(&clouds).is_empty());
}

#[test]
fn with_lines_every_line_is_retained_and_one_of_them_stays() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", "a\nb\nc\n");
    arrived(&clouds, clouds.publish_aws().lines(lines).and(&["--retain"]));
    let (topic, payload) = retained(&clouds).remove(0);
    assert!(topic == AWS_TOPIC && ["a", "b", "c"].map(str::as_bytes).contains(&payload.as_slice()));
}

#[test]
fn a_rule_gets_its_message_with_a_topic_or_without() {
    let clouds = Clouds::start();
    let with_topic = clouds.publish_aws().with("--rule", "store_it");
    assert_eq!(arrived(&clouds, with_topic.clone())[0].topic.as_deref(), Some("$aws/rules/store_it/sensors/kitchen"));
    let without = with_topic.clone().without("--topic");
    assert_eq!(arrived(&clouds, without.clone())[0].topic.as_deref(), Some("$aws/rules/store_it"));
    assert!(clouds.run(with_topic.clone()).stdout.starts_with("delivered to the rule store_it as sensors/kitchen ("));
    assert!(clouds.run(without.clone()).stdout.starts_with("delivered to the rule store_it ("));
    let value: serde_json::Value = serde_json::from_str(&clouds.run(with_topic.and(&["--json"])).stdout).unwrap();
    assert_eq!((&value["rule"], &value["topic"]), (&"store_it".into(), &AWS_TOPIC.into()));
    let lines = clouds.write("lines", "a\nb\n");
    assert_eq!(arrived(&clouds, without.lines(lines)).len(), 2);
}

#[test]
fn every_property_reaches_aws_with_a_message_and_with_each_line() {
    let clouds = Clouds::start();
    let line = clouds
        .publish_aws()
        .with("--content-type", "application/json; charset=utf-8")
        .with("--response-topic", "answers/here")
        .with("--message-expiry", "604800")
        .with("--payload-format", "utf8")
        .with("--correlation-data", "-7 é")
        .and(&[
            "--user-property",
            "a=1",
            "--user-property",
            "b=x=y z",
            "--user-property",
            "a=",
            "--user-property",
            "é=ü",
        ]);
    let lines = clouds.write("lines", "a\nb\n");
    for (line, count) in [(line.clone(), 1), (line.lines(lines), 2)] {
        let entries = arrived(&clouds, line);
        assert_eq!(entries.len(), count, "{:?}", payloads(&entries));
        for entry in entries {
            assert_eq!(entry.content_type.as_deref(), Some("application/json; charset=utf-8"));
            assert_eq!(entry.response_topic.as_deref(), Some("answers/here"));
            assert_eq!(entry.message_expiry, Some(604_800));
            assert_eq!(entry.payload_format_indicator.as_deref(), Some("UTF8_DATA"));
            assert_eq!(entry.correlation_data.as_deref(), Some("-7 é".as_bytes()));
            let properties = [("a", "1"), ("b", "x=y z"), ("a", ""), ("é", "ü")];
            assert_eq!(entry.user_properties, properties.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
    }
    let entry = arrived(&clouds, clouds.publish_aws().with("--payload-format", "bytes")).remove(0);
    assert_eq!(entry.payload_format_indicator.as_deref(), Some("UNSPECIFIED_BYTES"));
}

#[test]
fn an_option_that_breaks_its_rules_is_found_before_anything_is_sent_and_said_once() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", "a\nb\n");
    for (option, value, word) in [
        ("--rule", "no-hyphens", "name of a rule"),
        ("--rule", "", "name of a rule"),
        ("--content-type", "a\nb", "content type"),
        ("--response-topic", "a/#", "response topic"),
        ("--response-topic", "", "response topic"),
        ("--message-expiry", "4294967296", "--message-expiry"),
        ("--message-expiry", "-1", "--message-expiry"),
        ("--message-expiry", "1h", "--message-expiry"),
        ("--payload-format", "json", "utf8, bytes"),
        ("--user-property", "a", "NAME=VALUE"),
        ("--user-property", "=a", "NAME=VALUE"),
        ("--user-property", "a=\u{7}", "user property"),
    ] {
        let line = clouds.publish_aws().with(option, value);
        clouds.assert_usage(line.clone(), &[word]);
        clouds.assert_usage(line.lines(&lines), &[word]);
    }
}
