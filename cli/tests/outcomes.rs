//! Messages that do not arrive: the exit code says where they stand, and one line says what most likely is the matter.

use thingpost_emulator::{AnswerFault, Break, Fault};
use tokio::net::TcpSocket;

use crate::clouds::{Clouds, to};
use crate::command::{CommandLine, fixture};
use crate::process::Output;

/// Runs it, and checks the exit code, that there is one line, and that the line has all these words.
#[track_caller]
fn assert_fails(clouds: &Clouds, line: CommandLine, code: i32, words: &[&str]) {
    assert_is_failure(&clouds.run(line), code, words);
}

/// Runs a case of a network whose fault is temporary, so that the run ends with its time and no sooner.
#[track_caller]
fn assert_fails_in_time(clouds: &Clouds, line: &CommandLine, words: &[&str]) {
    assert_is_failure(&clouds.run_until(line, words), 3, words);
}

#[track_caller]
fn assert_is_failure(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.code, Some(code), "{output:?}");
    let complaint = output.only_complaint();
    for word in words {
        assert!(complaint.contains(word), "{word:?} is not in: {complaint}");
    }
}

/// The JSON object of a run that fails, which stands on standard output and alone.
#[track_caller]
fn json(clouds: &Clouds, line: CommandLine, code: i32) -> serde_json::Value {
    json_of(&clouds.run(line.and(&["--json"])), code)
}

#[track_caller]
fn json_of(output: &Output, code: i32) -> serde_json::Value {
    assert_eq!((output.code, output.stderr.as_str()), (Some(code), ""), "{output:?}");
    assert_eq!(output.stdout.lines().count(), 1, "{output:?}");
    serde_json::from_str(&output.stdout).unwrap()
}

/// An address without a listener, which can have none as long as this lives.
fn nobody() -> (TcpSocket, String) {
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = to(bound.local_addr().unwrap());
    (bound, address)
}

/// The C library reads a file of aliases before it asks for a name without dots. A pipe without a writer keeps it
/// there; where there is another library, this test has nothing to wait for.
#[test]
fn a_name_lookup_that_does_not_end_is_not_waited_for() {
    let clouds = Clouds::start();
    let pipe = clouds.path("aliases");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("there is mkfifo").success());
    let line = clouds.publish_aws().without("--connect-to").with("--connect-to", "::nowhere:").with("--timeout", "0.5");
    let output = clouds.run_with(line, "HOSTALIASES", &pipe);
    assert_eq!(output.code, Some(3), "{output:?}");
}

/// Both are attempts at one message. What the host saw of the first says nothing about the second.
#[test]
fn what_ended_an_earlier_attempt_is_not_given_as_the_reason_of_the_last() {
    let clouds = Clouds::start();
    let (aws, aliyun) = (clouds.aws.faults(), clouds.aliyun.faults());
    for (faults, line, fault, words) in [
        (aws, clouds.publish_aws().with("--qos", "1"), AnswerFault::Garbage, "not HTTP"),
        (aliyun, clouds.publish_aliyun(), AnswerFault::ShortBody, "broke off"),
    ] {
        faults.push(Fault::BeforeAcceptance(Break::Close), 1);
        faults.push(Fault::InAnswer(fault), 3);
        let output = clouds.run(line);
        assert_eq!(output.code, Some(4), "{output:?}");
        let complaint = output.only_complaint();
        assert!(complaint.contains(words) && complaint.contains(" attempts"), "{complaint}");
        assert!(!complaint.contains("closed without an answer"), "{complaint}");
        assert!(!complaint.contains("://"), "a link into the manual of a library: {complaint}");
    }
}

#[test]
fn an_answer_with_too_many_headers_is_called_that_and_the_port_is_not_blamed() {
    let clouds = Clouds::start();
    let headers = (0..150).map(|index| (format!("x-header-{index}"), "v".to_owned())).collect();
    clouds.faults().push(Fault::AnswerAfterAcceptance { status: 200, headers, body: b"{}".to_vec() }, 1);
    let output = clouds.run(clouds.publish_aws());
    assert_eq!(output.code, Some(4), "{output:?}");
    let complaint = output.only_complaint();
    assert!(complaint.contains("too many headers"), "{complaint}");
    assert!(!complaint.contains("not HTTP") && !complaint.contains("port"), "{complaint}");
}

#[test]
fn a_denial_by_the_policy_is_a_refusal_that_names_the_missing_permission() {
    let clouds = Clouds::start();
    clouds.aws.deny_topic_prefix("secret/");
    let line = clouds.publish_aws().with("--topic", "secret/door");
    assert_fails(
        &clouds,
        line.clone(),
        1,
        &["refused: ", "iot:Publish on ", "topic/secret/door", "status 403", "trace id"],
    );
    let value = json(&clouds, line, 1);
    assert_eq!((&value["outcome"], &value["cause"]), (&"refused".into(), &"forbidden".into()));
    assert_eq!((&value["status"], &value["retry"]), (&403.into(), &"never".into()));
}

#[test]
fn the_answer_tells_programs_how_wrong_the_clock_is() {
    let clouds = Clouds::start();
    clouds.aws.deny_topic_prefix("secret/");
    for (ahead_ms, expected) in [(-3_600_000, 3_590_000..3_610_000), (7_200_000, -7_210_000..-7_190_000)] {
        clouds.aws.shift_clock_ms(ahead_ms);
        let value = json(&clouds, clouds.publish_aws().with("--topic", "secret/door"), 1);
        let told = value["clock_ahead_ms"].as_i64().unwrap();
        assert!(expected.contains(&told), "{told}");
    }
    let value = json(&clouds, clouds.publish_aws().with("--connect-to", "::127.0.0.1:1").with("--timeout", "0.2"), 3);
    assert!(value["clock_ahead_ms"].is_null());
}

/// Nothing that is to be published has been sent by then, but the platform has said what it thinks of this device.
#[test]
fn a_wrong_device_secret_is_a_refusal_that_names_the_secret() {
    let clouds = Clouds::start();
    let wrong = clouds.write("wrong.txt", "another-secret");
    let line = clouds.publish_aliyun().with("--device-secret-file", wrong);
    assert_fails(&clouds, line.clone(), 1, &["refused: ", "authenticating", "device secret", "20000"]);
    let value = json(&clouds, line, 1);
    assert_eq!((&value["cause"], &value["stage"]), (&"unauthenticated".into(), &"authentication".into()));
    assert_eq!(value["retry"], "never");
    assert!(clouds.aliyun.ledger().entries().is_empty());
}

#[test]
fn a_topic_of_another_device_is_found_before_aliyun_is_asked() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun().with("--topic", "/a1B2c3D4e5F/other/user/update");
    assert_fails(&clouds, line, 2, &["not sent: ", "not one of this device", "full topic"]);
    assert_eq!(clouds.aliyun.connections().accepted, 0);
}

#[test]
fn a_port_that_does_not_look_at_the_certificate_is_a_refusal_that_names_the_certificate() {
    let clouds = Clouds::start();
    // 8443 offers no ALPN, and is led to the port that wants one.
    let line = clouds.publish_aws().with("--connect-to", to(clouds.aws.addr_alpn()));
    assert_fails(&clouds, line, 1, &["refused: ", "no client certificate has arrived", "Missing Authentication Token"]);
}

#[test]
fn nothing_is_sent_where_nobody_listens() {
    let clouds = Clouds::start();
    let (_bound, nobody) = nobody();
    for line in [clouds.publish_aws(), clouds.publish_aliyun()] {
        let line = line.with("--connect-to", &nobody);
        assert_fails_in_time(&clouds, &line, &["not sent: ", "refused", "check the port", "127.0.0.1"]);
        let cause = "transport/connection-refused";
        assert_eq!(json_of(&clouds.run_until(&line.and(&["--json"]), &[cause]), 3)["cause"], cause);
    }
    clouds.assert_nothing_came();
}

#[test]
fn nothing_is_sent_to_a_server_that_the_system_does_not_trust() {
    let clouds = Clouds::start();
    for line in [clouds.publish_aws(), clouds.publish_aliyun()] {
        assert_fails_in_time(&clouds, &line.without("--ca"), &["not sent: ", "not trusted", "trust roots"]);
    }
    assert!(clouds.aws.ledger().entries().is_empty() && clouds.aliyun.ledger().entries().is_empty());
}

#[test]
fn nothing_is_sent_to_a_server_with_another_name() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun().with("--endpoint", "other.example");
    assert_fails_in_time(&clouds, &line, &["not sent: ", "and not for other.example", "use the host name that"]);
    // AWS looks at the name first, and ends the handshake.
    let line = clouds.publish_aws().with("--endpoint", "other.example");
    assert_fails_in_time(&clouds, &line, &["not sent: ", "TLS handshake", "other.example"]);
    assert!(clouds.aws.ledger().entries().is_empty() && clouds.aliyun.ledger().entries().is_empty());
}

#[test]
fn nothing_is_sent_to_a_name_that_does_not_resolve() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().with("--endpoint", "nowhere.invalid").without("--connect-to");
    assert_fails_in_time(&clouds, &line, &["not sent: ", "nowhere.invalid", "spelling"]);
}

#[test]
fn a_connection_that_is_closed_without_an_answer_leaves_the_fate_unknown_and_points_at_the_certificate() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().with("--cert", fixture("rsa.cert.pem")).with("--key", fixture("rsa-pkcs1.key.pem"));
    assert_fails(&clouds, line.clone(), 4, &["unknown: ", "inactive or not registered"]);
    assert_eq!(json(&clouds, line, 4)["outcome"], "unknown");
}

#[test]
fn an_answer_that_does_not_come_in_time_leaves_the_fate_unknown() {
    let clouds = Clouds::start();
    for fault in [Fault::AfterAcceptance(Break::Stall), Fault::InAnswer(AnswerFault::Garbage)] {
        clouds.faults().push(fault, 1);
        assert_fails(&clouds, clouds.publish_aws().with("--timeout", "5"), 4, &["unknown: "]);
    }
    assert_eq!(clouds.aws_accepted().len(), 2, "sent once each");
}

#[test]
fn at_least_once_sends_again_after_a_lost_answer() {
    let clouds = Clouds::start();
    clouds.faults().push(Fault::AfterAcceptance(Break::Reset), 1);
    let output = clouds.run(clouds.publish_aws().with("--qos", "1"));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("2 attempts"), "{output:?}");
    assert_eq!(clouds.aws_accepted(), ["21.5", "21.5"]);
}

#[test]
fn a_server_cannot_put_control_characters_on_the_terminal() {
    let clouds = Clouds::start();
    let body = "{\"message\":\"\\u001b[2J\\nforged line\",\"traceId\":\"\\r\\u2028x\"}";
    clouds.faults().push(Fault::Answer { status: 403, headers: Vec::new(), body: body.into() }, 1);
    let output = clouds.run(clouds.publish_aws());
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(!output.only_complaint().contains('\u{2028}'), "{output:?}");
}
