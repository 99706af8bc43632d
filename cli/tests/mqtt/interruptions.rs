//! Ctrl-C: once for "no more", twice for "now".

use super::Fronts;
use crate::clouds::failed_lines;

/// More than are sent before a test that was just told so gets to interrupt.
const COUNT: usize = 200_000;

#[test]
fn what_was_sent_gets_its_outcome_and_the_rest_of_the_file_is_kept() {
    let fronts = Fronts::start();
    let failed = fronts.clouds.path("failed");
    let lines = crate::clouds::numbered(COUNT);
    let file = fronts.clouds.write("lines", lines.join("\n"));
    let process = fronts.start_process(fronts.publish().lines(file).with("--failed", &failed));
    fronts.wait_for(50);
    process.signal("INT");
    let output = fronts.clouds.checked(process.end());
    assert_eq!(output.code, Some(3), "{output:?}");
    let delivered = fronts.arrived().len();
    assert_eq!(output.stdout, format!("{delivered} delivered, 0 refused, {} not sent, 0 unknown\n", COUNT - delivered));
    assert!(output.stderr.contains(" x interrupted"), "{output:?}");
    assert!(failed_lines(&failed) == lines[delivered..]);
}

#[test]
fn a_pipe_is_not_waited_for() {
    let fronts = Fronts::start();
    let mut process = fronts.clouds.start_piped(fronts.publish().lines("-"));
    process.write(b"a\nb\n");
    fronts.wait_for(2);
    process.signal("TERM");
    let output = fronts.clouds.checked(process.end_by_itself());
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "2 delivered, 0 refused, 0 not sent, 0 unknown\n"));
}

#[test]
fn a_second_one_does_not_wait_for_answers() {
    let fronts = Fronts::start();
    fronts.aws.link().swallow_pubacks(1);
    let process_line = fronts.publish().with("--timeout", "86400");
    let mut process = fronts.start_process(process_line);
    fronts.wait_for(1);
    process.signal("INT");
    process.wait_until("the hint", |process| process.stderr().contains("again to leave them"));
    process.signal("INT");
    let output = fronts.clouds.checked(process.end());
    assert_eq!((output.code, output.stdout.as_str()), (Some(4), ""), "{output:?}");
    assert!(output.stderr.lines().last().unwrap().starts_with("unknown: "), "{output:?}");
}

#[test]
fn the_first_connection_is_given_up_at_once() {
    let fronts = Fronts::start();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let line = fronts.publish().with("--connect-to", crate::clouds::to(silent.local_addr().unwrap()));
    let process = fronts.start_process(line);
    let _connection = silent.accept().unwrap();
    process.signal("INT");
    let output = process.end();
    assert_eq!(output.code, Some(3), "{output:?}");
    assert_eq!(output.only_complaint(), "not sent: interrupted before there was a connection");
}

#[test]
fn copies_that_are_not_sent_any_more_are_counted() {
    for json in [false, true] {
        let fronts = Fronts::start();
        let line = fronts.publish().with("--count", "1000").with("--interval", "0.2");
        let process = fronts.start_process(if json { line.and(&["--json"]) } else { line });
        fronts.wait_for(2);
        process.signal("INT");
        let output = fronts.clouds.checked(process.end());
        let delivered = fronts.arrived().len();
        let not_sent = 1000 - delivered;
        let last = output.stdout.lines().last().unwrap();
        assert_eq!((output.code, output.stdout.lines().count()), (Some(3), delivered + 1), "{output:?}");
        if json {
            let summary: serde_json::Value = serde_json::from_str(last).unwrap();
            assert_eq!(summary["summary"]["not_sent"], not_sent, "{output:?}");
        } else {
            assert_eq!(last, format!("{delivered} delivered, 0 refused, {not_sent} not sent, 0 unknown"));
            assert!(output.stderr.ends_with(&format!("{not_sent} x interrupted\n")), "{output:?}");
        }
    }
}

#[test]
fn a_copy_that_is_answered_after_an_interruption_is_spoken_of_as_before_it() {
    for json in [false, true] {
        let fronts = Fronts::start();
        fronts.aws.link().swallow_pubacks(1);
        let line = fronts.publish().with("--count", "1000").with("--interval", "86400").with("--timeout", "86400");
        let mut process = fronts.start_process(if json { line.and(&["--json"]) } else { line });
        fronts.wait_for(1);
        process.signal("INT");
        process.wait_until("the hint", |process| process.stderr().contains("again to leave them"));
        // Sent again on the next connection, where it is acknowledged.
        fronts.aws.link().cut();
        let output = fronts.clouds.checked(process.end());
        assert_eq!(output.code, Some(3), "{output:?}");
        let lines: Vec<&str> = output.stdout.lines().collect();
        if json {
            let records: Vec<serde_json::Value> =
                lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!((records.len(), &records[0]["outcome"]), (2, &"delivered".into()), "{output:?}");
            assert_eq!(records[1]["summary"]["delivered"], 1, "{output:?}");
            assert_eq!(records[1]["summary"]["not_sent"], 999, "{output:?}");
        } else {
            assert_eq!(lines.len(), 2, "{output:?}");
            assert!(lines[0].starts_with("delivered to "), "{output:?}");
            assert_eq!(lines[1], "1 delivered, 0 refused, 999 not sent, 0 unknown");
        }
    }
}

#[test]
fn lines_for_which_there_was_no_connection_yet_are_kept() {
    let fronts = Fronts::start();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (failed, file) = (fronts.clouds.path("failed"), fronts.clouds.write("lines", "a\nb\n"));
    let line = fronts.publish().lines(file).with("--failed", &failed);
    let to = crate::clouds::to(silent.local_addr().unwrap());
    let process = fronts.start_process(line.with("--connect-to", to));
    let _connection = silent.accept().unwrap();
    process.signal("INT");
    let output = process.end();
    assert_eq!((output.code, output.stdout.as_str()), (Some(3), "0 delivered, 0 refused, 2 not sent, 0 unknown\n"));
    assert_eq!(output.stderr, "2 x interrupted before there was a connection\n");
    assert_eq!(failed_lines(&failed), ["a", "b"]);
}
