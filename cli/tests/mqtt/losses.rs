//! A connection that is lost, and comes back or does not.

use std::collections::HashSet;

use super::{Fronts, TOPIC};
use crate::clouds::{failed_lines, numbered};

const ONE_LOSS: [&str; 2] = ["connection lost: ", "connected again"];

/// That a loss was said in one line, with the next attempt, and the return in another.
#[track_caller]
fn assert_losses_are_said(stderr: &str, losses: usize) {
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 2 * losses, "{stderr}");
    for pair in lines.chunks(2) {
        assert!(pair[0].starts_with(ONE_LOSS[0]) && pair[0].contains("; next attempt in "), "{stderr}");
        assert_eq!(pair[1], ONE_LOSS[1]);
    }
}

/// Without what came again: a lost acknowledgement cannot be told from a lost message.
fn once(mut arrived: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    arrived.retain(|line| seen.insert(line.clone()));
    arrived
}

#[test]
fn a_connection_that_is_cut_comes_back_and_no_line_is_lost() {
    let fronts = Fronts::start();
    let mut process = fronts.clouds.start_piped(fronts.publish().lines("-"));
    process.write(b"line 1\nline 2\n");
    fronts.wait_for(2);
    fronts.aws.link().cut();
    process.wait_until("the loss", |process| process.stderr().contains(ONE_LOSS[0]));
    process.write(b"line 3\nline 4\n");
    process.wait_until("the return", |process| process.stderr().contains(ONE_LOSS[1]));
    process.write(b"line 5\n");
    let output = fronts.clouds.checked(process.end());
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "5 delivered, 0 refused, 0 not sent, 0 unknown\n"));
    assert_losses_are_said(&output.stderr, 1);
    assert_eq!(once(fronts.arrived()), numbered(5));
}

#[test]
fn a_broker_that_is_started_again_gets_what_came_meanwhile() {
    let mut fronts = Fronts::start();
    fronts.aws.link().refuse_without_broker(true);
    let mut process = fronts.clouds.start_piped(fronts.publish().lines("-").and(&["--json"]));
    process.write(b"line 1\n");
    fronts.wait_for(1);
    let Fronts { broker, clouds, .. } = &mut fronts;
    clouds.block_on(broker.stop()).unwrap();
    process.wait_until("the loss", |process| process.stderr().contains(ONE_LOSS[0]));
    process.write(b"line 2\nline 3\n");
    clouds.block_on(broker.start_again()).unwrap();
    process.wait_until("the return", |process| process.stderr().contains(ONE_LOSS[1]));
    let output = fronts.clouds.checked(process.end());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(once(fronts.arrived()), numbered(3));
    assert_eq!(output.stdout.matches("\"outcome\":\"delivered\"").count(), 3);
}

#[test]
fn the_lines_of_a_file_wait_in_the_file_so_that_no_queue_overflows() {
    let fronts = Fronts::start();
    let lines = numbered(2000);
    let file = fronts.clouds.write("lines", lines.join("\n"));
    fronts.aws.link().close_at_publish(500, thingpost_emulator::PublishMoment::AfterForwarding);
    let output = fronts.run(fronts.publish().lines(file).with("--queue", "5").with("--drain-per-second", "0"));
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "2000 delivered, 0 refused, 0 not sent, 0 unknown\n"));
    assert_losses_are_said(&output.stderr, 1);
    let arrived = fronts.arrived();
    assert!(arrived.len() > 2000, "what was not acknowledged went again");
    assert!(once(arrived) == lines);
}

#[test]
fn of_a_pipe_the_queue_decides_what_is_kept() {
    for (options, left) in [(&["--queue", "2"][..], [1, 2]), (&["--queue", "2", "--drop", "oldest"], [3, 4])] {
        let fronts = Fronts::start();
        let failed = fronts.clouds.path("failed");
        let line = fronts.publish().lines("-").with("--failed", &failed).and(options);
        let mut process = fronts.clouds.start_piped(line.and(&["--json"]));
        process.write(b"line 0\n");
        process.wait_until("the outcome", |process| process.stdout().contains("\"line\":1"));
        fronts.aws.link().refuse(true);
        fronts.aws.link().cut();
        process.wait_until("the loss", |process| process.stderr().contains(ONE_LOSS[0]));
        process.write(b"line 1\nline 2\nline 3\nline 4\n");
        process.wait_until("what was dropped", |process| process.stdout().matches("queue-full").count() == 2);
        fronts.aws.link().refuse(false);
        let output = fronts.clouds.checked(process.end());
        assert_eq!(output.code, Some(3), "{output:?}");
        assert!(output.stdout.contains("{\"delivered\":3,\"not_sent\":2,\"refused\":0,\"unknown\":0}"), "{output:?}");
        assert_eq!(failed_lines(&failed).len(), 2);
        let line = |number: &i32| format!("line {number}");
        let arrived: Vec<String> = [0].iter().chain(&left).map(line).collect();
        assert_eq!(fronts.arrived(), arrived, "{output:?}");
    }
}

#[test]
fn a_queue_that_is_off_refuses_at_once() {
    let fronts = Fronts::start();
    let mut process = fronts.clouds.start_piped(fronts.publish().lines("-").with("--queue", "off").and(&["--json"]));
    process.write(b"line 0\n");
    process.wait_until("the outcome", |process| process.stdout().contains("\"line\":1"));
    fronts.aws.link().refuse(true);
    fronts.aws.link().cut();
    process.wait_until("the loss", |process| process.stderr().contains(ONE_LOSS[0]));
    process.write(b"line 1\n");
    process.wait_until("the refusal", |process| process.stdout().contains("\"cause\":\"not-connected\""));
    let output = fronts.clouds.checked(process.end());
    assert_eq!(output.code, Some(3), "{output:?}");
}

#[test]
fn a_broker_that_stays_away_is_given_up_and_every_message_has_an_outcome() {
    let fronts = Fronts::start();
    fronts.aws.link().swallow_pubacks(2);
    let failed = fronts.clouds.path("failed");
    let line = fronts.publish().lines("-").with("--failed", &failed).with("--timeout", "6");
    let mut process = fronts.clouds.start_piped(line);
    process.write(b"line 1\nline 2\n");
    fronts.wait_for(2);
    fronts.aws.link().refuse(true);
    fronts.aws.link().cut();
    process.wait_until("the loss", |process| process.stderr().contains(ONE_LOSS[0]));
    process.write(b"line 3\n");
    let output = fronts.clouds.checked(process.end());
    assert_eq!((output.code, output.stdout.as_str()), (Some(4), "0 delivered, 0 refused, 1 not sent, 2 unknown\n"));
    assert_eq!(failed_lines(&failed), numbered(3));
}

#[test]
fn the_rest_of_a_file_is_not_sent_when_the_connection_does_not_come_back() {
    let fronts = Fronts::start();
    let lines = numbered(1000);
    let failed = fronts.clouds.path("failed");
    let file = fronts.clouds.write("lines", lines.join("\n"));
    let line =
        fronts.publish().lines(file).with("--interval", "0.01").with("--failed", &failed).with("--timeout", "6.5");
    let process = fronts.start_process(line);
    fronts.wait_for(20);
    fronts.aws.link().refuse(true);
    fronts.aws.link().cut();
    let output = fronts.clouds.checked(process.end());
    assert!(matches!(output.code, Some(3 | 4)), "{output:?}");
    assert!(output.stderr.contains("the connection did not come back in 6.5 s"), "{output:?}");
    let kept = failed_lines(&failed);
    assert_eq!(fronts.aws.ledger().acknowledged().len() + kept.len(), 1000);
    assert_eq!(kept.last(), lines.last());
}

#[test]
fn a_feed_waits_for_its_first_connection_as_for_any_other() {
    let fronts = Fronts::start();
    fronts.aws.link().refuse(true);
    // Its time is long over when the broker comes.
    let line = fronts.publish().lines("-").with("--timeout", "0.5");
    let mut process = fronts.clouds.start_piped(line);
    process.write(b"line 1\nline 2\n");
    process.wait_until("the reason", |process| process.stderr().contains("no connection yet: "));
    fronts.aws.link().refuse(false);
    fronts.wait_for(2);
    process.write(b"line 3\n");
    let output = fronts.clouds.checked(process.end());
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "3 delivered, 0 refused, 0 not sent, 0 unknown\n"));
    assert_eq!(fronts.arrived(), numbered(3));
    assert!(output.stderr.ends_with("\nconnected\n"), "{output:?}");
}

#[test]
fn a_feed_that_is_to_be_connected_within_a_time_ends_after_it_and_keeps_its_lines() {
    let fronts = Fronts::start();
    fronts.aws.link().refuse(true);
    let failed = fronts.clouds.path("failed");
    let line = fronts.publish().lines("-").with("--connect-within", "1").with("--failed", &failed);
    let mut process = fronts.clouds.start_piped(line);
    process.write(b"line 1\nline 2\n");
    let output = fronts.clouds.checked(process.end_by_itself());
    assert_eq!((output.code, output.stdout.as_str()), (Some(3), "0 delivered, 0 refused, 2 not sent, 0 unknown\n"));
    assert_eq!(failed_lines(&failed), numbered(2));
}

#[test]
fn a_client_with_the_same_id_is_named() {
    let fronts = Fronts::start();
    let line = || fronts.subscribe(TOPIC).with("--client-id", "thermometer");
    let mut first = fronts.subscribed(line());
    let second = fronts.subscribed(line());
    first.wait_until("the loss", |process| process.stderr().contains(ONE_LOSS[0]));
    let lost = first.stderr().lines().find(|line| line.starts_with(ONE_LOSS[0])).unwrap().to_owned();
    assert!(lost.contains("thermometer") && lost.contains("give each client its own"), "{lost}");
    for process in [first, second] {
        process.signal("INT");
        assert_eq!(process.end().code, Some(0));
    }
}
