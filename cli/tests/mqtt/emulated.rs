//! What `thingpost emulate` prints for MQTT works when it is pasted.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::emulate::{paste, ready, secrets};

#[test]
fn the_printed_commands_subscribe_and_publish() {
    let folder = TempDir::new().unwrap();
    let mut emulator = ready(folder.path(), &[]);
    let text = emulator.stdout();
    let commands: Vec<&str> = text.split("\n\n").filter(|part| part.starts_with("thingpost mqtt ")).collect();
    assert_eq!(commands.len(), 7, "{text}");
    let (subscribe, publications) = commands.split_first().unwrap();
    let mut subscriber = paste(subscribe, folder.path());
    subscriber.wait_until("the subscription", |process| process.stderr().contains("subscribed to sensors/#"));
    for publish in publications {
        let output = paste(publish, folder.path()).end();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{publish}\n{output:?}");
    }
    subscriber
        .wait_until("three messages", |process| process.stdout() == "sensors/kitchen/temperature: 21.5\n".repeat(3));
    subscriber.signal("INT");
    assert_eq!(subscriber.end().code, Some(0));
    emulator.wait_until("six messages", |process| process.stdout().matches("[accepted, MQTT, qos 1]").count() == 6);
    let register = text.split("\n\n").find(|part| part.starts_with("thingpost register aliyun --mqtt ")).unwrap();
    for _ in 0..2 {
        let output = paste(register, folder.path()).end();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    }
    let registered = fs::read_to_string(folder.path().join("registered-mqtt-secret.txt")).unwrap();
    emulator.signal("INT");
    let output = emulator.end();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.assert_without(&secrets(folder.path()));
    output.assert_without(&[registered.trim().to_owned()]);
}

#[test]
fn a_bad_day_is_bad_for_mqtt_too() {
    let folder = TempDir::new().unwrap();
    let mut emulator = ready(folder.path(), &["--chaos", "puback=0x87:100%"]);
    let text = emulator.stdout();
    let publish = text.split("\n\n").find(|part| part.starts_with("thingpost mqtt publish ")).unwrap();
    let output = paste(publish, folder.path()).end();
    assert_eq!(output.code, Some(1), "{output:?}");
    emulator.wait_until("the refusal", |process| process.stdout().contains("[refused, MQTT, qos 1]"));
}

/// The mosquitto that a process has started.
fn broker_of(parent: u32) -> u32 {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_it = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // `12 (mosquitto) S 11 ...`
        let parent_of = |rest: &str| rest.split_whitespace().nth(1).and_then(|parent| parent.parse().ok());
        stat.split_once(" (mosquitto) ").and_then(|(_, rest)| parent_of(rest)) == Some(parent)
    };
    processes.into_iter().find(is_it).expect("there is a broker")
}

#[test]
fn a_broker_that_ends_by_itself_is_not_passed_over_in_silence() {
    let folder = TempDir::new().unwrap();
    let mut emulator = ready(folder.path(), &[]);
    let broker = broker_of(emulator.id()).to_string();
    assert!(Command::new("kill").args(["-s", "KILL", &broker]).status().unwrap().success());
    emulator.wait_until("the complaint", |process| process.stderr().contains("mosquitto has ended by itself"));
    let text = emulator.stdout();
    let publish = text.split("\n\n").find(|part| part.starts_with("thingpost publish aws ")).unwrap();
    assert_eq!(paste(publish, folder.path()).end().code, Some(0));
    emulator.signal("INT");
    let output = emulator.end();
    assert_eq!((output.code, output.stderr.lines().count()), (Some(0), 1), "{output:?}");
}
