//! What comes is printed.

use std::process::Stdio;

use serde_json::{Value, json};
use thingpost_patience::patience;

use super::{Fronts, TOPIC, assert_well};
use crate::clouds::numbered;
use crate::command::CommandLine;

#[test]
fn messages_are_printed_until_the_count_is_reached() {
    let fronts = Fronts::start();
    let process = fronts.subscribed(fronts.subscribe("sensors/+").with("--count", "3"));
    for payload in [&b"21.5"[..], b"a\nb\x1b[31m", b"\xff\x00"] {
        let file = fronts.clouds.write("payload", payload);
        assert_well(&fronts.run(fronts.publish().without("--message").with("--file", file)));
    }
    let output = fronts.clouds.checked(process.end());
    let expected = format!("{TOPIC}: 21.5\n{TOPIC}: a b [31m\n{TOPIC}: /wA= (base64, as it is not text)\n");
    assert_eq!((output.code, output.stdout), (Some(0), expected));
    assert_eq!(output.stderr, "subscribed to sensors/+\n");
}

#[test]
fn programs_get_all_that_comes_with_a_message() {
    let fronts = Fronts::start();
    let retained = fronts.publish().with("--content-type", "text/plain").with("--correlation-data", "c7");
    assert_well(&fronts.run(retained.and(&["--retain", "--user-property", "a=1"])));
    let process = fronts.subscribed(fronts.subscribe("sensors/#").with("--count", "2").and(&["--json"]));
    let bytes = fronts.clouds.write("payload", b"\xff\x00");
    assert_well(&fronts.run(fronts.publish().with("--qos", "0").without("--message").with("--file", bytes)));
    let output = fronts.clouds.checked(process.end());
    assert_eq!(output.code, Some(0), "{output:?}");
    let values: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values[0]["payload"], "21.5");
    assert!(values[0]["retain"] == true && values[0]["qos"] == 1 && values[0]["duplicate"] == false);
    assert_eq!(values[0]["properties"]["content_type"], "text/plain");
    assert_eq!(values[0]["properties"]["correlation_data_base64"], "Yzc=");
    assert_eq!(values[0]["properties"]["user_properties"], json!([["a", "1"]]));
    let plain = json!({
        "topic": TOPIC, "payload_base64": "/wA=", "qos": 0, "retain": false, "duplicate": false, "properties": null,
    });
    assert_eq!(values[1], plain);
}

#[test]
fn a_subscription_comes_back_with_its_connection() {
    let fronts = Fronts::start();
    let mut process = fronts.subscribed(fronts.subscribe(TOPIC).with("--count", "2"));
    assert_well(&fronts.run(fronts.publish()));
    process.wait_until("the first message", |process| process.stdout().contains("21.5"));
    fronts.aws.link().cut();
    process.wait_until("the return", |process| process.stderr().contains("connected again"));
    let granted = |entries: &[thingpost_emulator::MqttEntry]| {
        let is_granted = |entry: &&thingpost_emulator::MqttEntry| matches!(entry, thingpost_emulator::MqttEntry::Subscribe(it) if it.granted.is_some());
        entries.iter().filter(is_granted).count() == 2
    };
    fronts.clouds.block_on(fronts.aws.ledger().wait_until(granted, patience())).unwrap();
    assert_well(&fronts.run(fronts.publish().with("--message", "22")));
    let output = fronts.clouds.checked(process.end());
    assert_eq!((output.code, output.stdout), (Some(0), format!("{TOPIC}: 21.5\n{TOPIC}: 22\n")));
    let said: Vec<&str> = output.stderr.lines().collect();
    assert!(said.len() == 3 && said[1].starts_with("connection lost: "), "each thing once: {said:?}");
}

#[test]
fn a_session_that_is_kept_gets_what_came_while_it_was_away() {
    let fronts = Fronts::start();
    let line = fronts.subscribe(TOPIC).with("--client-id", "thermometer").with("--session-expiry", "300");
    let process = fronts.subscribed(line.clone());
    process.signal("INT");
    assert_eq!(process.end().code, Some(0));
    assert_well(&fronts.run(fronts.publish()));
    let output = fronts.run(line.with("--count", "1"));
    assert_eq!((output.code, output.stdout), (Some(0), format!("{TOPIC}: 21.5\n")));
}

#[test]
fn a_topic_that_is_refused_is_named_and_when_all_are_the_run_ends() {
    let fronts = Fronts::start();
    fronts.aws.deny_subscribe("thermometer", "secret/");
    let line = fronts.subscribe("secret/x").with("--client-id", "thermometer");
    let output = fronts.run(line.and(&["--topic", "secret/+/y"]));
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    let said: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(said.len(), 2, "{said:?}");
    for (line, filter) in said.iter().zip(["secret/x", "secret/+/y"]) {
        assert!(line.starts_with(&format!("refused: {filter}: ")) && line.contains("iot:Subscribe"), "{line}");
    }
}

#[test]
fn a_filter_that_cannot_be_one_is_wrong_input() {
    let fronts = Fronts::start();
    for filter in ["a/#/b", "a+", "", "a/b#"] {
        fronts.assert_usage(fronts.subscribe(filter), &["--topic", filter]);
    }
    fronts.assert_usage(fronts.subscribe("a").without("--topic"), &["--topic", "required"]);
    fronts.assert_usage(fronts.subscribe("a").with("--count", "0"), &["--count"]);
}

#[test]
fn a_first_connection_that_does_not_come_in_its_time_ends_the_run() {
    let fronts = Fronts::start();
    fronts.aws.link().refuse(true);
    let output = fronts.run(fronts.subscribe("a").with("--connect-within", "1"));
    super::assert_failed(&output, 3, &["no connection: "]);
    let output = fronts.run(fronts.subscribe("a").with("--connect-within", "1").and(&["--json"]));
    assert_eq!((output.code, output.stderr.as_str()), (Some(3), ""), "{output:?}");
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(value["stage"], "connection");
}

/// Messages wait for this one, line 1 and so on.
fn with_waiting(fronts: &Fronts, count: usize) -> CommandLine {
    let line = fronts.subscribe(TOPIC).with("--client-id", "thermometer").with("--session-expiry", "300");
    let process = fronts.subscribed(line.clone());
    process.signal("INT");
    assert_eq!(process.end().code, Some(0));
    let lines = fronts.clouds.write("lines", numbered(count).join("\n"));
    assert_well(&fronts.run(fronts.publish().lines(lines)));
    line
}

fn printed(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{TOPIC}: {line}\n")).collect()
}

#[test]
fn no_more_messages_are_taken_than_are_wanted() {
    let fronts = Fronts::start();
    let line = with_waiting(&fronts, 5);
    let lines = numbered(5);
    let output = fronts.run(line.clone().with("--count", "2"));
    assert_eq!((output.code, output.stdout), (Some(0), printed(&lines[..2])));
    let output = fronts.run(line.with("--count", "3"));
    assert_eq!((output.code, output.stdout), (Some(0), printed(&lines[2..])));
}

#[test]
fn a_message_that_cannot_be_printed_ends_the_run_and_comes_again() {
    let fronts = Fronts::start();
    let line = with_waiting(&fronts, 2);
    let (_, closed) = std::io::pipe().unwrap();
    let full = std::fs::File::create("/dev/full").unwrap();
    for (stdout, complaints) in [(Stdio::from(full), 1), (closed.into(), 0)] {
        let mut command = fronts.clouds.command(line.clone());
        command.stdout(stdout);
        let output = fronts.clouds.run_command(command);
        assert_eq!(output.code, Some(4), "{output:?}");
        assert_eq!(output.stderr.matches("cannot write the output").count(), complaints, "{output:?}");
        assert!(output.stderr.lines().count() <= complaints + 1, "{output:?}");
    }
    let output = fronts.run(line.with("--count", "2"));
    assert_eq!((output.code, output.stdout), (Some(0), printed(&numbered(2))));
}

#[test]
fn what_a_topic_has_kept_is_left_out_on_demand_with_mqtt_5() {
    let fronts = Fronts::start();
    assert_well(&fronts.run(fronts.publish().with("--message", "kept").and(&["--retain"])));
    let line = fronts.subscribe(TOPIC).with("--count", "1").with("--retain-handling", "never");
    let process = fronts.subscribed(line.clone().and(&["--no-local", "--retain-as-published", "--json"]));
    assert_well(&fronts.run(fronts.publish().with("--message", "new").and(&["--retain"])));
    let output = fronts.clouds.checked(process.end());
    let value: Value = serde_json::from_str(output.stdout.trim_end()).unwrap();
    assert_eq!((output.code, &value["payload"], &value["retain"]), (Some(0), &"new".into(), &true.into()));
    fronts.assert_usage(line.with("--mqtt", "3.1.1"), &["--topic", "MQTT 5"]);
}

#[test]
fn a_session_can_be_forgotten_at_its_goodbye() {
    let fronts = Fronts::start();
    let line = fronts.subscribe(TOPIC).with("--client-id", "thermometer").with("--session-expiry", "300");
    let line = line.with("--session-expiry-at-disconnect", "0");
    let process = fronts.subscribed(line.clone());
    process.signal("INT");
    assert_eq!(process.end().code, Some(0));
    assert_well(&fronts.run(fronts.publish().with("--message", "missed")));
    let process = fronts.subscribed(line.clone().with("--count", "1"));
    assert_well(&fronts.run(fronts.publish().with("--message", "heard")));
    assert_eq!(process.end().stdout, format!("{TOPIC}: heard\n"));
    let words = ["--session-expiry-at-disconnect", "MQTT 3.1.1"];
    fronts.assert_usage(line.clone().with("--mqtt", "3.1.1"), &words);
    fronts.assert_usage(line.with("--session-expiry", "0").with("--session-expiry-at-disconnect", "1"), &words[..1]);
}
