//! One message for each line, over one connection.

use serde_json::Value;

use super::{Fronts, TOPIC, assert_well, texts};
use crate::clouds::{failed_lines, numbered};

#[test]
fn every_line_has_its_outcome_and_they_arrive_in_their_order() {
    let fronts = Fronts::start();
    let lines = numbered(3000);
    let file = fronts.clouds.write("lines", lines.join("\n"));
    let output = fronts.run(fronts.publish().lines(file).and(&["--json"]));
    assert_well(&output);
    assert!(fronts.arrived() == lines, "over one connection nothing overtakes");
    let values: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, outcomes) = values.split_last().unwrap();
    assert_eq!(summary["summary"]["delivered"], 3000);
    let mut numbers: Vec<u64> = outcomes.iter().map(|outcome| outcome["line"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=3000));
    assert!(outcomes.iter().all(|it| it["outcome"] == "delivered" && it["topic"] == TOPIC && it["attempts"] == 1));
}

#[test]
fn without_json_there_is_the_sum() {
    let fronts = Fronts::start();
    let output = fronts.clouds.run_on(fronts.publish().lines("-").with("--qos", "0"), b"a\r\n\nb\n");
    assert_well(&output);
    assert_eq!(output.stdout, "2 delivered, 0 refused, 0 not sent, 0 unknown\n");
    fronts.wait_for(2);
    assert_eq!(fronts.arrived(), ["a", "b"]);
}

#[test]
fn a_line_of_a_slow_pipe_goes_at_once() {
    let fronts = Fronts::start();
    let mut process = fronts.clouds.start_piped(fronts.publish().lines("-"));
    for (number, line) in (1..).zip([b"first\n".as_slice(), b"second\n"]) {
        process.write(line);
        fronts.wait_for(number);
    }
    assert_well(&fronts.clouds.checked(process.end()));
    assert_eq!(fronts.arrived(), ["first", "second"]);
}

#[test]
fn while_a_pipe_is_silent_the_connection_is_looked_after() {
    let fronts = Fronts::start();
    let mut process = fronts.clouds.start_piped(fronts.publish().lines("-").with("--keep-alive", "6"));
    process.write(b"first\n");
    process.wait_until("the acknowledgement", |_| fronts.aws.ledger().acknowledged().len() == 1);
    // Only who asks notices it: there is nothing to be sent.
    fronts.aws.link().half_open();
    process.wait_until("the loss", |process| process.stderr().contains("connection lost: "));
    fronts.aws.link().heal();
    process.write(b"second\n");
    fronts.wait_for(2);
    let output = fronts.clouds.checked(process.end());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(fronts.arrived(), ["first", "second"]);
}

#[test]
fn a_pipe_that_was_silent_for_longer_than_the_timeout_still_gets_its_answers() {
    let fronts = Fronts::start();
    let line = fronts.publish().lines("-").with("--timeout", "20").with("--interval", "20.5");
    let output = fronts.clouds.run_on(line, b"line 1\nline 2\n");
    assert_well(&output);
    let mut process = fronts.clouds.start_piped(fronts.publish().lines("-").with("--timeout", "20"));
    process.write(b"line 3\n");
    fronts.wait_for(3);
    std::thread::sleep(std::time::Duration::from_millis(20_500));
    process.write(b"line 4");
    assert_well(&fronts.clouds.checked(process.end()));
    assert_eq!(fronts.arrived(), numbered(4));
}

#[test]
fn lines_that_are_refused_are_counted_and_kept() {
    let fronts = Fronts::start();
    fronts.aws.deny_publish("thermometer", TOPIC);
    let failed = fronts.clouds.path("failed");
    let line = fronts.publish().lines("-").with("--client-id", "thermometer").with("--failed", &failed);
    let output = fronts.clouds.run_on(line.clone(), b"a\n\xff\nb\n");
    assert_eq!(output.code, Some(1), "{output:?}");
    assert_eq!(output.stdout, "0 delivered, 3 refused, 0 not sent, 0 unknown\n");
    assert!(output.stderr.contains("3 x ") && output.stderr.contains("iot:Publish"), "{output:?}");
    assert_eq!(std::fs::read(&failed).unwrap(), b"a\n\xff\nb\n");

    fronts.aws.allow_all("thermometer");
    assert_well(&fronts.run(line.lines(failed.clone()).with("--failed", fronts.clouds.path("again"))));
    assert_eq!(fronts.aws.ledger().payloads(TOPIC), [&b"a"[..], b"\xff", b"b"]);
}

#[test]
fn a_line_that_is_too_large_keeps_nothing_else_from_being_sent() {
    let fronts = Fronts::start();
    let [large, endless] = [200, 300].map(|kilobytes: usize| "x".repeat(kilobytes * 1024));
    let failed = fronts.clouds.path("failed");
    let line = fronts.publish().lines("-").with("--failed", &failed);
    let output = fronts.clouds.run_on(line, format!("a\n{large}\n{endless}\nb\n").as_bytes());
    assert_eq!((output.code, output.stdout.as_str()), (Some(3), "2 delivered, 0 refused, 2 not sent, 0 unknown\n"));
    assert_eq!(texts(fronts.aws.ledger().payloads(TOPIC)), ["a", "b"]);
    let mut kept = failed_lines(&failed);
    kept.sort_by_key(String::len);
    assert!(kept == [large, endless]);
}

#[test]
fn a_source_that_breaks_in_the_middle_is_reported_after_what_it_gave_was_answered() {
    use std::io::Write;
    let fronts = Fronts::start();
    let (mut ours, stdin) = crate::lines_sources::socket();
    let mut command = fronts.clouds.command(fronts.publish().lines("-"));
    command.stdin(stdin);
    let process = fronts.clouds.start_command(command);
    ours.write_all(b"a\nb\n").unwrap();
    fronts.wait_for(2);
    drop(ours);
    let output = fronts.clouds.checked(process.end());
    assert_eq!(output.stdout, "2 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert!(output.complaint().contains("could not be read to the end"), "{output:?}");
    assert_eq!(output.code, Some(3), "the rest was not sent");
}
