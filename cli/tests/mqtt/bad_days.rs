//! Whole days on which a broker refuses, delays and breaks off: nothing is lost, nothing arrives twice without a mark, and the
//! command says of each line what the broker has of it. How long it takes is no matter here: a machine may be slow.

use std::collections::HashMap;

use serde_json::Value;
use thingpost_emulator::{MqttEnd, MqttFate, MqttPublish};

use super::{Fronts, TOPIC, ends};
use crate::clouds::numbered;
use crate::process::Output;

/// Sends so many lines on such a day, with all the time in the world.
fn publish(fronts: &Fronts, chaos: &str, lines: usize) -> Output {
    fronts.aws.chaos(chaos.parse().unwrap());
    let file = fronts.clouds.write("lines", numbered(lines).join("\n"));
    let line = fronts.publish().lines(file).with("--timeout", "600").with("--drain-per-second", "0");
    fronts.run(line.and(&["--json"]))
}

/// That each line was delivered, and has arrived; what arrived before came again as a duplicate. Returns what was sent.
#[track_caller]
fn assert_delivered(fronts: &Fronts, output: &Output, lines: usize) -> Vec<MqttPublish> {
    assert_eq!(output.code, Some(0), "{output:?}");
    let values: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, outcomes) = values.split_last().unwrap();
    assert_eq!(summary["summary"]["delivered"], lines, "{summary}");
    assert_eq!(outcomes.len(), lines);
    let sent = fronts.aws.ledger().publishes(TOPIC);
    let mut taken: HashMap<Vec<u8>, Vec<&MqttPublish>> = HashMap::new();
    for publish in sent.iter().filter(|publish| publish.fate == MqttFate::Forwarded) {
        taken.entry(publish.payload.clone()).or_default().push(publish);
    }
    for line in numbered(lines) {
        let taken = taken.remove(line.as_bytes()).unwrap_or_default();
        let (first, again) = taken.split_first().unwrap_or_else(|| panic!("{line:?} was lost"));
        assert!(again.iter().all(|publish| publish.dup), "{line:?} came twice without a mark");
        assert!(again.iter().chain([first]).any(|publish| publish.acknowledged), "{line:?} was never acknowledged");
    }
    assert!(taken.is_empty(), "these nobody has sent: {taken:?}");
    // As often as the command says, each line was sent.
    for outcome in outcomes {
        let line = format!("line {}", outcome["line"]);
        let times = sent.iter().filter(|publish| publish.payload == line.as_bytes()).count() as u64;
        // What was written last before a connection broke may have arrived nowhere.
        assert!(outcome["attempts"].as_u64() >= Some(times), "{outcome}: {times}");
    }
    sent
}

fn count(publishes: &[MqttPublish], fate: MqttFate) -> usize {
    publishes.iter().filter(|publish| publish.fate == fate).count()
}

#[test]
fn what_the_broker_refuses_for_now_is_delivered_and_is_no_duplicate() {
    let fronts = Fronts::start();
    let output = publish(&fronts, "puback=0x97:30%,puback=0x80:5%,seed=7", 200);
    let sent = assert_delivered(&fronts, &output, 200);
    assert!(count(&sent, MqttFate::Refused) > 20, "{}", count(&sent, MqttFate::Refused));
    assert_eq!(count(&sent, MqttFate::Forwarded), 200, "each once");
    assert!(sent.iter().all(|publish| !publish.dup), "what was answered is sent as a new message");
    assert_eq!(fronts.aws.ledger().counts().connects, 1);
}

#[test]
fn an_acknowledgement_that_is_late_is_waited_for() {
    let fronts = Fronts::start();
    // Longer than the five seconds after which a connection that says nothing is dead.
    let output = publish(&fronts, "late-puback=7s", 5);
    assert_delivered(&fronts, &output, 5);
}

#[test]
fn a_quota_makes_it_slower_and_refuses_nothing_for_good() {
    let fronts = Fronts::start();
    let output = publish(&fronts, "quota=25/s", 100);
    let sent = assert_delivered(&fronts, &output, 100);
    assert_eq!(count(&sent, MqttFate::Forwarded), 100, "each once");
}

#[test]
fn a_broker_that_says_goodbye_when_its_quota_is_used_up_gets_the_rest_over_the_next_connection() {
    let fronts = Fronts::start();
    let output = publish(&fronts, "quota=50/h,quota-disconnect", 120);
    assert_delivered(&fronts, &output, 120);
    let goodbyes =
        ends(&fronts.aws.ledger()).into_iter().filter(|end| *end == MqttEnd::ServerDisconnect { reason: 0x97 });
    assert!(goodbyes.count() >= 2);
    assert!(output.stderr.contains("quota exceeded"), "{output:?}");
}

#[test]
fn a_connection_that_is_reset_again_and_again_loses_nothing() {
    let fronts = Fronts::start();
    // Of this seed it is the messages 32, 40 and 50, the first before it was taken and the others after that.
    let output = publish(&fronts, "reset-before=2%,reset-after=2%,seed=185", 60);
    let sent = assert_delivered(&fronts, &output, 60);
    let resets = ends(&fronts.aws.ledger()).into_iter().filter(|end| *end == MqttEnd::Fault);
    assert_eq!(resets.count(), 3);
    assert!(count(&sent, MqttFate::Forwarded) >= 62, "what was taken and not acknowledged went again");
}
