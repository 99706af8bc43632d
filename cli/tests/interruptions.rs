//! Ctrl-C in the middle: what was not sent is counted and kept, and what is on its way gets its outcome.

use std::collections::HashSet;
use std::process::{Child, Command, Stdio};

use thingpost_emulator::{Break, Disposition, Fault};

use crate::clouds::{Clouds, failed_lines, numbered};

/// Counts of a summary: delivered, refused, not sent, unknown.
fn counts(summary: &str) -> [usize; 4] {
    let numbers: Vec<usize> = summary.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().unwrap_or_else(|_| panic!("no summary: {summary}"))
}

#[test]
fn of_a_file_every_line_that_was_not_delivered_is_kept_also_those_not_yet_read() {
    for signal in ["INT", "TERM"] {
        let clouds = Clouds::start();
        // All but one that are under way at first: if nothing got through at all, the rest would not be sent.
        clouds.faults().push(Fault::BeforeAcceptance(Break::Stall), 31);
        let lines = numbered(20_000);
        let failed = clouds.path("failed");
        let line = clouds.publish_aws().lines(clouds.write("lines", lines.join("\n"))).with("--failed", &failed);
        let process = clouds.start_command(clouds.command(line.with("--timeout", "30")));
        clouds.wait_for_aws(32);
        process.signal(signal);
        let output = clouds.checked(process.end());

        let entries = clouds.aws.ledger().entries();
        let accepted: HashSet<&[u8]> = entries
            .iter()
            .filter(|entry| matches!(entry.disposition, Disposition::Accepted { .. }))
            .map(|entry| entry.payload.as_slice())
            .collect();
        let left: Vec<String> = lines.into_iter().filter(|line| !accepted.contains(line.as_bytes())).collect();
        let kept = failed_lines(&failed);
        let [delivered, refused, not_sent, unknown] = counts(&output.stdout);
        if signal == "INT" {
            assert!(kept == left, "{} lines are left and {} are kept", left.len(), kept.len());
            assert_eq!((delivered, refused, unknown), (accepted.len(), 0, 31), "{output:?}");
        } else {
            // There may have been no time to hear what became of those under way.
            let kept: HashSet<&String> = kept.iter().collect();
            assert!(left.iter().all(|line| kept.contains(line)), "{} are left, {} are kept", left.len(), kept.len());
            assert!(delivered <= accepted.len() && refused == 0 && unknown >= 31, "{output:?}");
        }
        assert_eq!(delivered + not_sent + unknown, 20_000);
        assert!(output.stderr.contains(&format!("{not_sent} x interrupted")), "{output:?}");
        assert_eq!(output.code, Some(4), "unknown is the gravest");
    }
}

#[test]
fn two_signals_at_once_still_leave_every_line_kept() {
    let clouds = Clouds::start();
    clouds.faults().push(Fault::BeforeAcceptance(Break::Stall), 32);
    let (lines, failed) = (numbered(100_000), clouds.path("failed"));
    let line = clouds.publish_aws().lines(clouds.write("lines", lines.join("\n"))).with("--failed", &failed);
    let process = clouds.start_command(clouds.command(line.with("--timeout", "600").and(&["--json"])));
    clouds.wait_for_aws(32);
    process.signal("TERM");
    process.signal("TERM");
    let output = clouds.checked(process.end());
    assert_eq!(output.code, Some(4), "{}", output.stderr);
    let accepted: HashSet<String> = clouds.aws_accepted().into_iter().collect();
    let kept: HashSet<String> = failed_lines(&failed).into_iter().collect();
    // What was on its way may have arrived, and is kept as well.
    assert!(lines.iter().all(|line| accepted.contains(line) || kept.contains(line)));
    assert_eq!(output.stdout.lines().count(), 100_001, "a record for each line, and the sum");
}

#[test]
fn a_terminated_run_keeps_all_lines_before_it_waits_and_does_not_wait_for_long() {
    let clouds = Clouds::start();
    clouds.faults().push(Fault::BeforeAcceptance(Break::Stall), 32);
    let (lines, failed) = (numbered(2000), clouds.path("failed"));
    let line = clouds.publish_aws().lines(clouds.write("lines", lines.join("\n"))).with("--failed", &failed);
    let mut process = clouds.start_command(clouds.command(line.with("--timeout", "600")));
    clouds.wait_for_aws(32);
    process.signal("TERM");
    process.wait_until("the hint", |process| process.stderr().contains("or for 5 s at most"));
    let kept: HashSet<String> = failed_lines(&failed).into_iter().collect();
    let accepted: HashSet<String> = clouds.aws_accepted().into_iter().collect();
    assert!(lines.iter().all(|line| accepted.contains(line) || kept.contains(line)));
    // There will never be an answer.
    let output = clouds.checked(process.end());
    assert_eq!(output.code, Some(4), "{output:?}");
    assert_eq!(failed_lines(&failed).into_iter().collect::<HashSet<_>>(), kept);
}

#[test]
fn lines_that_were_kept_for_the_worst_are_taken_out_again_when_their_answers_come() {
    let clouds = Clouds::start();
    // Answers that take a while, and one that never comes.
    let delay = std::time::Duration::from_millis(20);
    clouds.faults().push(Fault::InAnswer(thingpost_emulator::AnswerFault::SlowBytes { delay }), 31);
    clouds.faults().push(Fault::AfterAcceptance(Break::Close), 1);
    let (lines, failed) = (numbered(5000), clouds.path("failed"));
    let line = clouds.publish_aws().lines(clouds.write("lines", lines.join("\n"))).with("--failed", &failed);
    let process = clouds.start_command(clouds.command(line));
    clouds.wait_for_aws(32);
    process.signal("INT");
    let output = clouds.checked(process.end());
    let [delivered, refused, not_sent, unknown] = counts(&output.stdout);
    assert_eq!((refused, unknown, output.code), (0, 1, Some(4)), "{output:?}");
    assert_eq!(delivered + not_sent + unknown, 5000);
    let kept = failed_lines(&failed);
    assert_eq!(kept.len(), not_sent + unknown);
    let accepted: HashSet<String> = clouds.aws_accepted().into_iter().collect();
    assert_eq!(kept.iter().filter(|line| accepted.contains(*line)).count(), 1, "the one without an answer");
    let mut ordered = kept.clone();
    ordered.sort_by_key(|line| line["line ".len()..].parse::<u64>().unwrap());
    assert!(kept == ordered);
}

#[test]
fn of_a_pipe_the_lines_that_were_taken_out_of_it_are_kept_and_its_end_is_not_waited_for() {
    let clouds = Clouds::start();
    clouds.faults().push(Fault::AfterAcceptance(Break::Stall), 1);
    let failed = clouds.path("failed");
    let line = clouds.publish_aws().lines("-").with("--failed", &failed).with("--timeout", "8");
    let mut process = clouds.start_piped(line);
    process.write(b"line 1\n");
    clouds.wait_for_aws(1);
    let rest = numbered(2000);
    process.write(rest[1..].join("\n").as_bytes());
    process.signal("INT");
    let output = clouds.checked(process.end_by_itself());
    let [delivered, refused, not_sent, unknown] = counts(&output.stdout);
    assert_eq!((delivered, refused, unknown), (0, 0, 1), "{output:?}");
    assert!(not_sent >= 1, "{output:?}");
    let kept = failed_lines(&failed);
    // The pipe holds on to what the process had no room for.
    assert_eq!(kept, rest[..=not_sent]);
    assert_eq!(output.code, Some(4));
    assert_eq!(clouds.aws.ledger().entries().len(), 1, "nothing more was sent");
}

/// A process that writes lines for as long as anybody reads them.
struct Endless(Child);

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_pipe_without_end_is_no_reason_to_go_on() {
    let clouds = Clouds::start();
    let mut endless = Endless(Command::new("yes").arg("line").stdout(Stdio::piped()).spawn().unwrap());
    let failed = clouds.path("failed");
    let mut command = clouds.command(clouds.publish_aws().lines("-").with("--failed", &failed));
    command.stdin(endless.0.stdout.take().unwrap());
    let process = clouds.start_command(command);
    clouds.wait_for_aws(300);
    process.signal("INT");
    let output = clouds.checked(process.end());
    let [delivered, refused, not_sent, unknown] = counts(&output.stdout);
    assert_eq!((refused, unknown, output.code), (0, 0, Some(3)), "{output:?}");
    assert_eq!(delivered, clouds.aws_accepted().len());
    let kept = failed_lines(&failed);
    assert!(kept.len() == not_sent && kept.iter().all(|line| line == "line"), "{} of {not_sent}", kept.len());
    let after = format!("there was more to be read after line {}", delivered + not_sent);
    assert!(output.stderr.contains(&after), "{output:?}");
}

#[test]
fn nor_is_one_of_empty_lines() {
    let clouds = Clouds::start();
    let mut endless =
        Endless(Command::new("sh").args(["-c", "echo line; exec yes ''"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut command = clouds.command(clouds.publish_aws().lines("-"));
    command.stdin(endless.0.stdout.take().unwrap());
    let process = clouds.start_command(command);
    clouds.wait_for_aws(1);
    process.signal("INT");
    let output = clouds.checked(process.end());
    assert_eq!((output.code, counts(&output.stdout)), (Some(0), [1, 0, 0, 0]), "{output:?}");
}

#[test]
fn an_interrupted_pipe_that_was_published_to_its_last_line_is_delivered() {
    let clouds = Clouds::start();
    let failed = clouds.path("failed");
    let mut process = clouds.start_piped(clouds.publish_aws().lines("-").with("--failed", &failed));
    process.write(b"a\nb\n");
    clouds.wait_for_aws(2);
    process.signal("INT");
    let output = clouds.checked(process.end_by_itself());
    assert_eq!(output.stdout, "2 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert_eq!(output.code, Some(0));
    assert!(!failed.exists());
}

#[test]
fn a_second_interruption_does_not_wait_for_answers() {
    let clouds = Clouds::start();
    clouds.faults().push(Fault::AfterAcceptance(Break::Stall), 1);
    let failed = clouds.path("failed");
    let line = clouds.publish_aws().lines("-").with("--failed", &failed).with("--timeout", "86400");
    let mut process = clouds.start_piped(line.and(&["--json"]));
    process.write(b"a\n");
    clouds.wait_for_aws(1);
    process.signal("INT");
    process.wait_until("the hint", |process| process.stderr().contains("again to leave them"));
    process.signal("INT");
    let output = clouds.checked(process.end_by_itself());
    assert_eq!(output.code, Some(4), "{output:?}");
    let summary = output.stdout.lines().last().unwrap();
    assert!(summary.starts_with("{\"summary\":") && summary.contains("\"unknown\":1"), "{output:?}");
    assert_eq!(failed_lines(&failed), ["a"]);
}

#[test]
fn a_question_is_given_up_at_once() {
    let clouds = Clouds::start();
    // A server that accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let line = clouds.aws(&["shadow", "get"]).with("--thing", "thermometer");
    let line = line.with("--connect-to", crate::clouds::to(silent.local_addr().unwrap()));
    let process = clouds.start_command(clouds.command(line));
    let _connection = silent.accept().unwrap();
    process.signal("INT");
    let output = process.end();
    assert_eq!(output.code, Some(3), "{output:?}");
    assert_eq!(output.only_complaint(), "not sent: interrupted before it was sent");
}

/// The server takes the connection and says nothing, so that no request is ever written.
#[test]
fn a_message_that_never_had_a_connection_was_not_sent() {
    let clouds = Clouds::start();
    for json in [false, true] {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let line = clouds.publish_aws().with("--connect-to", crate::clouds::to(silent.local_addr().unwrap()));
        let process = clouds.start_command(clouds.command(if json { line.and(&["--json"]) } else { line }));
        let _connection = silent.accept().unwrap();
        process.signal("INT");
        let output = process.end();
        assert_eq!(output.code, Some(3), "{output:?}");
        match json {
            true => assert!(output.stdout.contains("\"outcome\":\"not sent\""), "{output:?}"),
            false => assert_eq!(output.only_complaint(), "not sent: interrupted before it was sent"),
        }
    }
}

#[test]
fn lines_of_which_none_had_a_connection_were_not_sent() {
    let clouds = Clouds::start();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (lines, failed) = (numbered(3), clouds.path("failed"));
    let line = clouds.publish_aws().lines(clouds.write("lines", lines.join("\n"))).with("--failed", &failed);
    let line = line.with("--connect-to", crate::clouds::to(silent.local_addr().unwrap()));
    let mut process = clouds.start_command(clouds.command(line));
    let _connection = silent.accept().unwrap();
    process.signal("INT");
    process.wait_until("the hint", |process| process.stderr().contains("again to leave them"));
    process.signal("INT");
    let output = process.end();
    assert_eq!((output.code, counts(&output.stdout)), (Some(3), [0, 0, 3, 0]), "{output:?}");
    assert!(output.stderr.contains("3 x interrupted before anything was sent"), "{output:?}");
    assert_eq!(failed_lines(&failed), lines);
}

#[test]
fn a_message_that_was_written_is_unknown() {
    let clouds = Clouds::start();
    clouds.faults().push(Fault::AfterAcceptance(Break::Stall), 1);
    let process = clouds.start_command(clouds.command(clouds.publish_aws()));
    clouds.wait_for_aws(1);
    process.signal("INT");
    let output = process.end();
    assert_eq!(output.code, Some(4), "{output:?}");
    assert_eq!(output.only_complaint(), "unknown: interrupted while it was on its way");
}
