//! `thingpost retained`: what topics keep, byte for byte.

use serde_json::Value;

use crate::clouds::{AWS_TOPIC, Clouds};
use crate::command::CommandLine;
use crate::process::Output;

fn retain(clouds: &Clouds, topic: &str, payload: &[u8]) {
    let file = clouds.write("payload", payload);
    let line = clouds.publish_aws().with("--topic", topic).without("--message").with("--file", file);
    let output = clouds.run(line.with("--qos", "1").and(&["--retain", "--user-property", "unit=celsius"]));
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn get(clouds: &Clouds) -> CommandLine {
    clouds.aws(&["retained", "get"]).with("--topic", AWS_TOPIC)
}

#[track_caller]
fn done(output: Output) -> String {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.stdout
}

#[test]
fn a_message_comes_out_as_it_went_in_with_nothing_added() {
    let clouds = Clouds::start();
    for payload in ["21.5", "ends with a newline\n", "{\"a\": 1}"] {
        retain(&clouds, AWS_TOPIC, payload.as_bytes());
        assert_eq!(done(clouds.run(get(&clouds))), payload);
    }
}

#[test]
fn in_json_it_is_in_base64_with_what_is_known_about_it() {
    let clouds = Clouds::start();
    retain(&clouds, AWS_TOPIC, b"\xff\x00\xfe");
    let value: Value = serde_json::from_str(&done(clouds.run(get(&clouds).and(&["--json"])))).unwrap();
    assert_eq!((&value["topic"], &value["payload_base64"]), (&AWS_TOPIC.into(), &"/wD+".into()));
    assert_eq!((&value["qos"], &value["user_properties"][0][1]), (&1.into(), &"celsius".into()));
    assert!(value["last_modified_ms"].as_u64().unwrap() > 1_700_000_000_000);
}

#[test]
fn the_largest_message_can_be_read() {
    let clouds = Clouds::start();
    let payload = "0123456789abcdef".repeat(131_072 / 16);
    retain(&clouds, AWS_TOPIC, payload.as_bytes());
    assert!(done(clouds.run(get(&clouds))) == payload);
}

#[test]
fn a_topic_that_has_kept_nothing_is_a_refusal() {
    let clouds = Clouds::start();
    let output = clouds.run(get(&clouds));
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.only_complaint().contains("status 404"), "{output:?}");
    clouds.assert_usage_after(get(&clouds).with("--topic", "a/#"), &["not sent: ", "subscribing"]);
}

#[test]
fn the_list_has_every_topic_and_what_is_known_about_it() {
    let clouds = Clouds::start();
    let lines: String = (0..3).map(|number| format!("{number}\n")).collect();
    for topic in ["a", "b/c", "é"] {
        retain(&clouds, topic, lines.as_bytes());
    }
    let list = || clouds.aws(&["retained", "list"]);
    let text = done(clouds.run(list()));
    let topics: Vec<&str> = text.lines().map(|line| line.split_once("  (6 bytes, qos 1, ").unwrap().0).collect();
    assert_eq!(topics, ["a", "b/c", "é"]);
    assert!(text.lines().all(|line| line.ends_with(" GMT)")), "{text}");
    let text = done(clouds.run(list().with("--limit", "2").and(&["--json"])));
    let objects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2);
    assert_eq!((&objects[1]["topic"], &objects[1]["payload_size"]), (&"b/c".into(), &6.into()));
}

#[test]
fn a_long_list_is_followed_to_its_end() {
    let clouds = Clouds::start();
    let topics = clouds.retain_many(450);
    let text = done(clouds.run(clouds.aws(&["retained", "list"])));
    let listed: Vec<&str> = text.lines().map(|line| line.split_once("  (").unwrap().0).collect();
    assert_eq!(listed, topics);
}
