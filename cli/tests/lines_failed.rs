//! Lines of which some are not delivered: the summary counts them, and `--failed` has exactly those, in their order.

use std::collections::HashSet;
use std::fs;

use serde_json::Value;
use thingpost_emulator::{Break, Disposition, Fault};

use crate::clouds::{Clouds, failed_lines, numbered};

fn forbidden() -> Fault {
    let body = br#"{"message":null,"traceId":"1"}"#.to_vec();
    Fault::Answer { status: 403, headers: Vec::new(), body }
}

/// Those lines, in their order, of which the cloud did not say to the client that it has them.
fn not_confirmed(clouds: &Clouds, lines: &[String]) -> Vec<String> {
    let entries = clouds.aws.ledger().entries();
    let confirmed: HashSet<&[u8]> = entries
        .iter()
        .filter(|entry| matches!(entry.disposition, Disposition::Accepted { .. }))
        .map(|entry| entry.payload.as_slice())
        .collect();
    lines.iter().filter(|line| !confirmed.contains(line.as_bytes())).cloned().collect()
}

#[test]
fn mixed_outcomes_are_counted_and_the_lines_that_were_not_delivered_are_kept_in_order() {
    let clouds = Clouds::start();
    clouds.faults().push(forbidden(), 5);
    clouds.faults().push(Fault::BeforeAcceptance(Break::Close), 3);
    clouds.faults().push(Fault::AfterAcceptance(Break::Reset), 2);
    let lines = numbered(400);
    let failed = clouds.write("failed", "from yesterday\n");
    let line = clouds.publish_aws().lines(clouds.write("lines", lines.join("\n"))).with("--failed", &failed);
    let output = clouds.run(line);

    assert_eq!(output.stdout, "390 delivered, 5 refused, 0 not sent, 5 unknown\n", "{output:?}");
    assert_eq!(output.code, Some(4), "unknown is the gravest");
    let reasons: Vec<&str> = output.stderr.lines().collect();
    // Before the first answer a closed connection means something else, and which comes first is not known.
    let (refused, closed): (Vec<&str>, Vec<&str>) =
        reasons.iter().filter(|reason| reason.contains(" x ")).partition(|reason| reason.contains("iot:Publish"));
    assert!(matches!(refused[..], [reason] if reason.starts_with("5 x ")), "{output:?}");
    assert!(!closed.is_empty() && closed.iter().all(|reason| reason.contains("closed before an answer")), "{output:?}");
    assert!(reasons.last().unwrap().starts_with("the last of those without an answer"), "{output:?}");
    let expected = not_confirmed(&clouds, &lines);
    assert_eq!(expected.len(), 10);
    assert_eq!(failed_lines(&failed), expected);
}

#[test]
fn what_failed_can_be_published_again_from_the_file() {
    let clouds = Clouds::start();
    clouds.faults().push(forbidden(), 7);
    let lines = numbered(50);
    let (first, second) = (clouds.path("failed"), clouds.path("failed again"));
    let line = clouds.publish_aws().lines(clouds.write("lines", lines.join("\n"))).with("--failed", &first);
    assert_eq!(clouds.run(line).code, Some(1));
    let output = clouds.run(clouds.publish_aws().lines(&first).with("--failed", &second));
    assert_eq!(output.stdout, "7 delivered, 0 refused, 0 not sent, 0 unknown\n");
    assert!(first.exists() && !second.exists());
    let (mut arrived, mut expected) = (clouds.aws_accepted(), lines);
    arrived.sort_unstable();
    expected.sort_unstable();
    assert_eq!(arrived, expected, "each exactly once");
}

#[test]
fn throttled_lines_are_sent_again_until_they_are_taken() {
    let clouds = Clouds::start();
    clouds.aws.throttle_next(20);
    let output = clouds.run(clouds.publish_aws().lines(clouds.write("lines", numbered(100).join("\n"))));
    assert_eq!(output.stdout, "100 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert_eq!(clouds.aws_accepted().len(), 100);
    assert_eq!(clouds.aws.ledger().entries().len(), 120);
}

#[test]
fn with_nobody_there_all_lines_are_kept() {
    let clouds = Clouds::start();
    let lines = numbered(40);
    let failed = clouds.path("failed");
    let line = clouds.publish_aws().lines(clouds.write("lines", lines.join("\r\n"))).with("--failed", &failed);
    let refused = "40 x connection refused";
    let output = clouds.run_until(&line.with("--connect-to", "::127.0.0.1:1"), &[refused]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(3), "0 delivered, 0 refused, 40 not sent, 0 unknown\n"));
    assert!(output.stderr.starts_with(refused), "{output:?}");
    assert!(output.stderr.contains("the last of those without an answer: not sent to"), "{output:?}");
    assert_eq!(failed_lines(&failed), lines);
}

#[test]
fn json_has_the_reason_of_every_line_and_nothing_on_standard_error() {
    let clouds = Clouds::start();
    clouds.aws.deny_topic_prefix("sensors/");
    let long = "x".repeat(2 * 1024 * 1024);
    let lines = clouds.write("lines", format!("a\n{long}\n\n"));
    let output = clouds.run(clouds.publish_aws().lines(lines).and(&["--json"]));
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""));
    let objects: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&objects[0]["line"], &objects[1]["line"]), (&1.into(), &2.into()), "in their order");
    assert_eq!((&objects[0]["outcome"], &objects[0]["status"]), (&"refused".into(), &403.into()));
    assert_eq!(objects[1]["outcome"], "not sent");
    assert!(objects[1]["explanation"].as_str().unwrap().contains("128 KB"));
    assert_eq!(objects[2]["summary"]["refused"], 1, "an empty line is no message");
}

#[test]
fn a_run_that_sends_nothing_leaves_the_file_of_an_earlier_one_as_it_is() {
    let clouds = Clouds::start();
    let (old, new) = (clouds.write("failed", "from yesterday\n"), clouds.path("new"));
    let lines = clouds.write("lines", "a\n");
    for failed in [&old, &new] {
        let line = clouds.publish_aws().lines(&lines).with("--failed", failed).with("--topic", "a/#");
        clouds.assert_usage(line, &["not sent", "for subscribing"]);
    }
    assert_eq!(failed_lines(&old), ["from yesterday"]);
    assert!(!new.exists());
}

#[test]
fn a_file_of_an_earlier_run_does_not_stay_behind_when_all_is_delivered() {
    let clouds = Clouds::start();
    for lines in ["a\n", ""] {
        let failed = clouds.write("failed", "from yesterday\n");
        let line = clouds.publish_aws().lines(clouds.write("lines", lines)).with("--failed", &failed);
        assert_eq!(clouds.run(line).code, Some(0));
        assert!(!failed.exists());
    }
}

#[test]
fn failed_lines_may_go_to_a_device_which_is_left_where_it_is() {
    let clouds = Clouds::start();
    let output = clouds.run(clouds.publish_aws().lines(clouds.write("lines", "a\n")).with("--failed", "/dev/null"));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(fs::metadata("/dev/null").is_ok_and(|metadata| !metadata.is_file()));
}

#[test]
fn when_failed_lines_cannot_be_kept_that_is_said_at_once_and_in_the_end_which_they_are() {
    let clouds = Clouds::start();
    clouds.aws.deny_topic_prefix("sensors/");
    let lines = clouds.write("lines", numbered(2000).join("\n"));
    let output = clouds.run(clouds.publish_aws().lines(lines).with("--failed", "/dev/full"));
    assert_eq!(output.code, Some(1), "{output:?}");
    assert_eq!(output.stdout, "0 delivered, 2000 refused, 0 not sent, 0 unknown\n", "{output:?}");
    let said: Vec<&str> = output.stderr.lines().collect();
    assert!(said[0].contains("cannot write failed lines to /dev/full") && said[0].contains("all the same"), "{said:?}");
    assert!(said.last().unwrap().ends_with("it lacks lines 1-2000, not delivered"), "{said:?}");
    assert_eq!(clouds.aws.ledger().entries().len(), 2000, "the others may be delivered");
}

#[test]
fn lines_that_nobody_took_for_all_the_time_of_a_message_share_one_fate_and_are_kept() {
    let clouds = Clouds::start();
    let (lines, failed) = (numbered(100_000), clouds.path("failed"));
    let line = clouds.publish_aws().with("--connect-to", "::127.0.0.1:1").with("--timeout", "10").and(&["--json"]);
    let line = line.with("--failed", &failed);
    // Of a file, and of a pipe.
    for source in [clouds.write("lines", lines.join("\n")).as_os_str(), "-".as_ref()] {
        let input = if source == "-" { lines.join("\n") } else { String::new() };
        let output = clouds.run_on(line.clone().lines(source), input.as_bytes());
        assert_eq!(output.code, Some(3), "{}", output.stderr);
        assert!(failed_lines(&failed) == lines);
        let records: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (summary, records) = records.split_last().unwrap();
        assert_eq!(summary["summary"]["not_sent"], 100_000);
        assert!(records.iter().map(|it| it["line"].as_u64().unwrap()).eq(1..=100_000));
        assert!(records.iter().all(|it| it["cause"] == "transport/connection-refused" && it["outcome"] == "not sent"));
    }
}

#[cfg(unix)]
#[test]
fn failed_lines_go_behind_a_link_and_the_link_stays() {
    let clouds = Clouds::start();
    let (behind, link) = (clouds.write("behind", "old\n"), clouds.path("link"));
    std::os::unix::fs::symlink(&behind, &link).unwrap();
    let line = clouds.publish_aws().lines(clouds.write("lines", "a\n")).with("--failed", &link);
    clouds.faults().push(forbidden(), 1);
    assert_eq!(clouds.run(line.clone()).code, Some(1));
    assert_eq!((failed_lines(&behind), fs::read_link(&link).unwrap()), (vec!["a".to_owned()], behind.clone()));
    assert_eq!(clouds.run(line).code, Some(0));
    assert!(!behind.exists() && fs::symlink_metadata(&link).is_ok());
}

#[cfg(unix)]
#[test]
fn failed_lines_may_go_to_whoever_reads_a_named_pipe_and_nobody_is_waited_for() {
    let clouds = Clouds::start();
    let pipe = clouds.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let lines = clouds.write("lines", "a\nb\n");
    let line = clouds.publish_aws().lines(&lines).with("--failed", &pipe);
    clouds.assert_usage(line.clone(), &["failed lines", "pipe", "nobody reads"]);
    clouds.aws.deny_topic_prefix("sensors/");
    let reader = std::process::Command::new("cat").arg(&pipe).stdout(std::process::Stdio::piped()).spawn().unwrap();
    // The reader may not be there yet.
    let output = std::iter::repeat_with(|| clouds.run(line.clone())).find(|output| output.code != Some(2)).unwrap();
    assert_eq!(output.code, Some(1), "{output:?}");
    assert_eq!(reader.wait_with_output().unwrap().stdout, b"a\nb\n");
    assert!(pipe.exists());
}
