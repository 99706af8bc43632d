//! Messages that have no outcome when a run ends, and the next run.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Fronts, assert_well};
use crate::clouds::numbered;

#[test]
fn what_has_no_outcome_is_kept_for_the_next_run_which_sends_it_first() {
    let fronts = Fronts::start();
    let (left, failed) = (fronts.clouds.path("left"), fronts.clouds.path("failed"));
    let line = fronts.publish().lines("-").with("--unfinished", &left).with("--timeout", "6");
    let mut process = fronts.clouds.start_piped(line.clone().with("--failed", &failed).with("--client-id", "first"));
    process.write(b"line 1\n");
    fronts.wait_for(1);
    process.wait_until("the acknowledgement", |_| fronts.aws.ledger().acknowledged().len() == 1);
    fronts.aws.link().swallow_pubacks(1);
    process.write(b"line 2\n");
    fronts.wait_for(2);
    fronts.aws.link().refuse(true);
    fronts.aws.link().cut();
    process.wait_until("the loss", |process| process.stderr().contains("connection lost: "));
    process.write(b"line 3\n");
    let output = fronts.clouds.checked(process.end());
    assert_eq!((output.code, output.stdout.as_str()), (Some(4), "1 delivered, 0 refused, 1 not sent, 1 unknown\n"));
    assert!(output.stderr.contains("2 messages wait in") && output.stderr.contains("for the next run"), "{output:?}");
    assert!(!failed.exists(), "they would be sent twice");
    assert_eq!(fs::metadata(&left).unwrap().permissions().mode() & 0o777, 0o600);

    fronts.aws.link().heal();
    let output = fronts.clouds.run_on(line, b"line 4\n");
    assert_well(&output);
    assert_eq!(output.stdout, "3 delivered, 0 refused, 0 not sent, 0 unknown\n");
    assert!(!left.exists());
    let mut arrived = fronts.arrived();
    let duplicates: Vec<bool> = fronts.aws.ledger().all_publishes().iter().map(|message| message.dup).collect();
    assert_eq!(duplicates, [false, false, true, false, false]);
    arrived.dedup();
    assert_eq!(arrived, numbered(4));
}

#[test]
fn a_single_message_is_kept_when_there_is_no_first_connection() {
    let fronts = Fronts::start();
    let left = fronts.clouds.path("left");
    let line = fronts.publish().with("--unfinished", &left).with("--timeout", "1");
    fronts.aws.link().refuse(true);
    for (message, kept) in [("one", "1 message waits"), ("two", "2 messages wait")] {
        let output = fronts.run(line.clone().with("--message", message));
        assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{output:?}");
        assert!(output.stderr.starts_with("not sent: ") && output.stderr.contains(kept), "{output:?}");
    }
    fronts.aws.link().heal();
    assert_well(&fronts.run(line.with("--timeout", "30").with("--message", "three")));
    assert_eq!(fronts.arrived(), ["one", "two", "three"]);
    assert!(!left.exists());
}

#[test]
fn lines_for_which_there_was_never_a_connection_are_kept_for_the_next_run() {
    let lines = numbered(500);
    for source in ["a file", "a pipe"] {
        let fronts = Fronts::start();
        fronts.aws.link().refuse(true);
        let left = fronts.clouds.path("left");
        let line = fronts.publish().with("--unfinished", &left).with("--timeout", "1");
        let (line, input) = match source {
            "a file" => (line.lines(fronts.clouds.write("lines", lines.join("\n"))), String::new()),
            _ => (line.lines("-"), lines.join("\n")),
        };
        let output = fronts.clouds.run_on(line.and(&["--json"]), input.as_bytes());
        assert_eq!(output.code, Some(3), "{source}: {output:?}");
        assert!(output.stderr.contains("500 messages wait in"), "{source}: {output:?}");
        assert_eq!(output.stdout.matches("\"stage\":\"connection\"").count(), 500, "{source}: why is in each");

        fronts.aws.link().heal();
        let output = fronts.clouds.run_on(fronts.publish().lines("-").with("--unfinished", &left), b"last");
        assert_well(&output);
        let mut arrived = fronts.arrived();
        assert_eq!(arrived.pop().as_deref(), Some("last"));
        assert!(arrived == lines, "{source}");
        assert!(!left.exists());
    }
}

#[test]
fn a_terminated_run_keeps_its_messages_before_it_waits_for_anybody() {
    let fronts = Fronts::start();
    fronts.aws.link().swallow_pubacks(usize::MAX);
    let left = fronts.clouds.path("left");
    let line = fronts.publish().lines("-").with("--unfinished", &left).with("--timeout", "600");
    let mut process = fronts.clouds.start_piped(line);
    process.write((numbered(50).join("\n") + "\n").as_bytes());
    fronts.wait_for(20);
    // The rest waits for the acknowledgements of these.
    process.signal("TERM");
    process.wait_until("the hint", |process| process.stderr().contains("or for 5 s at most"));
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(&left).unwrap()).unwrap();
    assert_eq!(kept["unfinished"].as_array().map(Vec::len), Some(50), "before the goodbye");
    let output = fronts.clouds.checked(process.end_by_itself());
    assert_eq!(output.code, Some(4), "{output:?}");
    assert!(output.stderr.contains("50 messages wait in"), "{output:?}");
    assert!(output.stdout.starts_with("0 delivered, 0 refused, "), "{output:?}");
}

#[test]
fn what_waits_for_long_is_in_the_file_when_a_run_is_killed_without_a_word() {
    let fronts = Fronts::start();
    let left = fronts.clouds.path("left");
    let line = fronts.publish().lines("-").with("--unfinished", &left);
    let mut process = fronts.clouds.start_piped(line.clone());
    process.write(b"line 1\n");
    process.wait_until("the acknowledgement", |_| fronts.aws.ledger().acknowledged().len() == 1);
    fronts.aws.link().refuse(true);
    fronts.aws.link().cut();
    process.wait_until("the loss", |process| process.stderr().contains("connection lost: "));
    process.write(b"line 2\nline 3\n");
    process.wait_until("the file", |_| {
        let kept = fs::read(&left).unwrap_or_default();
        let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap_or_default();
        kept["unfinished"].as_array().is_some_and(|kept| kept.len() == 2)
    });
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    fronts.aws.link().heal();

    let mut process = fronts.clouds.start_piped(line);
    process.write(b"line 4\n");
    // Delivered, and so no more in the file, while the run goes on.
    process.wait_until("the end of the file", |_| !left.exists());
    assert_eq!(fronts.clouds.checked(process.end()).code, Some(0));
    assert_eq!(fronts.arrived(), numbered(4));
}

#[test]
fn a_file_that_is_something_else_or_read_otherwise_is_refused() {
    let fronts = Fronts::start();
    let other = fronts.clouds.write("other", "mine");
    let line = || fronts.publish().without("--message").with("--file", &other);
    fronts.assert_usage(fronts.publish().with("--unfinished", &other), &["--unfinished", "other", "give another file"]);
    fronts.assert_usage(line().with("--unfinished", &other), &["--unfinished and --file", "give another file"]);
    let key = fronts.clouds.path("private.pem.key");
    fronts.assert_usage(fronts.publish().with("--unfinished", key), &["--unfinished and --key"]);
    let nowhere = fronts.clouds.path("missing/left");
    fronts.assert_usage(
        fronts.publish().with("--unfinished", nowhere),
        &["--unfinished", "missing/left", "No such file"],
    );
    assert_eq!(fs::read_to_string(other).unwrap(), "mine");
}

#[test]
fn what_another_device_has_left_is_named() {
    let fronts = Fronts::start();
    let left = fronts.clouds.path("left");
    fronts.aws.link().refuse(true);
    assert_eq!(fronts.run(fronts.publish().with("--unfinished", &left).with("--timeout", "1")).code, Some(3));
    fronts.assert_usage(fronts.publish_aliyun().with("--unfinished", &left), &["--unfinished", "left", "this device"]);
    assert!(left.exists());
}

#[test]
fn what_only_a_run_with_other_options_can_send_stays_in_the_file() {
    let fronts = Fronts::start();
    let left = fronts.clouds.path("left");
    let line = |text| fronts.publish().with("--unfinished", &left).with("--message", text);
    let of_version_5 = |text| line(text).with("--mqtt", "5").with("--content-type", "text/plain");
    fronts.aws.link().refuse(true);
    for line in [line("one"), of_version_5("two"), line("three")] {
        assert_eq!(fronts.run(line.with("--timeout", "1")).code, Some(3));
    }
    fronts.aws.link().heal();
    let output = fronts.run(line("four").with("--mqtt", "3.1.1"));
    assert_eq!(fronts.arrived(), ["one", "three", "four"], "{output:?}");
    assert!(output.stderr.contains("1 message stays in") && output.stderr.contains("1 message waits in"), "{output:?}");
    assert_ne!(output.code, Some(0), "{output:?}");
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(&left).unwrap()).unwrap();
    assert_eq!(kept["unfinished"].as_array().map(Vec::len), Some(1), "{kept}");

    assert_well(&fronts.run(of_version_5("five")));
    assert_eq!(fronts.arrived(), ["one", "three", "four", "two", "five"]);
    assert!(!left.exists());
}

#[test]
fn a_second_run_leaves_the_file_of_the_first_alone() {
    let fronts = Fronts::start();
    let left = fronts.clouds.path("left");
    let line = fronts.publish().with("--unfinished", &left);
    let mut first = fronts.clouds.start_piped(line.clone().lines("-").with("--timeout", "6"));
    first.write(b"line 1\n");
    fronts.wait_for(1);
    fronts.assert_usage(line.clone(), &["--unfinished: another run uses", "left"]);
    fronts.aws.link().refuse(true);
    fronts.aws.link().cut();
    first.wait_until("the loss", |process| process.stderr().contains("connection lost: "));
    first.write(b"line 2\n");
    assert_eq!(fronts.clouds.checked(first.end()).code, Some(3));
    assert!(left.exists());
    fronts.aws.link().heal();
    assert_well(&fronts.run(line));
    assert_eq!(fronts.arrived(), ["line 1", "line 2", "21.5"]);
    let names = fs::read_dir(left.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().contains("left")).count(), 0);
}
