//! One message for each line: that each arrives exactly once, and what is said in the end.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use thingpost_emulator::Disposition;

use crate::clouds::{Clouds, failed_lines, numbered, payloads};

#[test]
fn three_thousand_lines_arrive_exactly_once_over_several_connections() {
    let clouds = Clouds::start();
    let lines = numbered(3000);
    let failed = clouds.path("failed");
    let line = clouds.publish_aws().lines(clouds.write("lines", lines.join("\n"))).with("--failed", &failed);
    let output = clouds.run(line);
    assert_eq!(output.stdout, "3000 delivered, 0 refused, 0 not sent, 0 unknown\n");
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert!(!failed.exists(), "nothing failed");

    let entries = clouds.aws.ledger().entries();
    let (mut arrived, mut expected) = (payloads(&entries), lines);
    arrived.sort_unstable();
    expected.sort_unstable();
    assert_eq!(arrived, expected);
    // A connection carries one message at a time.
    let connections = clouds.aws.connections().mutual_tls.accepted;
    assert!((2..=64).contains(&connections), "{connections} connections");
}

#[test]
fn lines_go_no_faster_than_they_are_allowed_to() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", numbered(21).join("\n"));
    let begin = Instant::now();
    let output = clouds.run(clouds.publish_aws().lines(lines).with("--max-per-second", "50"));
    assert_eq!(output.stdout, "21 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    // Twenty of them waited for their turn.
    assert!(begin.elapsed() >= Duration::from_millis(20 * 20), "{:?}", begin.elapsed());
}

#[test]
fn aliyun_takes_many_lines_with_one_token() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", numbered(300).join("\n"));
    let output = clouds.run(clouds.publish_aliyun().lines(lines));
    assert_eq!(output.stdout, "300 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert_eq!(clouds.aliyun.ledger().accepted().len(), 300);
    assert_eq!(clouds.aliyun.authentications(), 1);
}

#[test]
fn a_token_that_expires_in_the_middle_is_replaced() {
    let clouds = Clouds::start();
    let mut process = clouds.start_piped(clouds.publish_aliyun().lines("-"));
    process.write(b"before\n");
    process.wait_until("the first line", |_| clouds.aliyun.ledger().accepted().len() == 1);
    clouds.aliyun.expire_tokens();
    process.write(b"after\n");
    let output = clouds.checked(process.end());
    assert_eq!(output.stdout, "2 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert_eq!(payloads(&clouds.aliyun.ledger().accepted()), ["before", "after"]);
}

#[test]
fn tokens_that_end_after_a_few_lines_cost_no_line_however_many_they_are() {
    let clouds = Clouds::start();
    clouds.aliyun.chaos("revoke-every=4".parse::<thingpost_emulator::Chaos>().unwrap());
    let mut lines = numbered(280);
    let line = clouds.publish_aliyun().lines(clouds.write("lines", lines.join("\n"))).with("--timeout", "600");
    let output = clouds.run(line);
    assert_eq!(output.stdout, "280 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    let mut arrived = payloads(&clouds.aliyun.ledger().accepted());
    arrived.sort_unstable();
    lines.sort_unstable();
    assert_eq!(arrived, lines, "each exactly once");
    assert!(clouds.aliyun.authentications() > 60, "{}", clouds.aliyun.authentications());
}

#[test]
fn json_has_an_object_for_each_line_with_its_exact_message_id_and_a_summary() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", "a\n\nb\nc\n");
    let output = clouds.run(clouds.publish_aliyun().lines(lines).and(&["--json"]));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let mut objects: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = objects.pop().unwrap();
    let expected = serde_json::json!({ "summary": { "delivered": 3, "refused": 0, "not_sent": 0, "unknown": 0 } });
    assert_eq!(summary, expected);

    let ids: HashMap<String, String> = clouds.aliyun.ledger().accepted().into_iter().map(id_of_payload).collect();
    for (object, (payload, number)) in objects.iter().zip([("a", 1), ("b", 3), ("c", 4)]) {
        assert_eq!((&object["outcome"], &object["line"]), (&"delivered".into(), &number.into()));
        assert_eq!(object["message_id"].as_str(), Some(ids[payload].as_str()));
    }
    assert_eq!(objects.len(), 3);
}

fn id_of_payload(entry: thingpost_emulator::Entry) -> (String, String) {
    match entry.disposition {
        Disposition::Accepted { id } => (String::from_utf8(entry.payload).unwrap(), id),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_lines_are_no_mistake() {
    let clouds = Clouds::start();
    let output = clouds.run(clouds.publish_aws().lines(clouds.write("lines", "\n\r\n\n")));
    assert_eq!(output.stdout, "0 delivered, 0 refused, 0 not sent, 0 unknown\n");
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    clouds.assert_nothing_came();
}

#[test]
fn a_line_of_five_megabytes_is_not_sent_and_is_kept() {
    let clouds = Clouds::start();
    let long = "x".repeat(5_000_000);
    let lines = clouds.write("lines", format!("first\n{long}\r\nlast\n"));
    let failed = clouds.path("failed");
    let output = clouds.run(clouds.publish_aws().lines(lines).with("--failed", &failed));
    assert_eq!(output.stdout, "2 delivered, 0 refused, 1 not sent, 0 unknown\n");
    assert_eq!(output.code, Some(3));
    assert!(output.complaint().contains("1 x the line is longer"), "{output:?}");
    assert!(failed_lines(&failed) == [long]);
    let mut arrived = clouds.aws_accepted();
    arrived.sort_unstable();
    assert_eq!(arrived, ["first", "last"]);
}

#[test]
fn a_line_just_beyond_the_limit_is_not_sent_and_the_longest_is() {
    let clouds = Clouds::start();
    let (longest, beyond) = ("y".repeat(131_072), "z".repeat(131_073));
    let lines = clouds.write("lines", format!("{beyond}\n{longest}\n"));
    let failed = clouds.path("failed");
    let output = clouds.run(clouds.publish_aws().lines(lines).with("--failed", &failed));
    assert_eq!((output.code, output.stdout.as_str()), (Some(3), "1 delivered, 0 refused, 1 not sent, 0 unknown\n"));
    assert!(output.complaint().contains("131072 bytes"), "{output:?}");
    assert!(failed_lines(&failed) == [beyond] && clouds.aws_accepted() == [longest]);
}

/// More than fits into one call of the component: the calls share connections and numbering.
#[test]
fn large_lines_are_published_in_several_calls() {
    let clouds = Clouds::start();
    let line = |number: usize| format!("{number}{}", "p".repeat(130_000));
    let lines: Vec<String> = (100..300).map(line).collect();
    let output = clouds.run(clouds.publish_aws().lines(clouds.write("lines", lines.join("\n"))));
    assert_eq!(output.stdout, "200 delivered, 0 refused, 0 not sent, 0 unknown\n", "{:?}", output.stderr);
    let mut arrived = clouds.aws_accepted();
    arrived.sort_unstable();
    assert!(arrived == lines);
}
