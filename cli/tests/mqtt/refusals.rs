//! No connection, or none to a broker: each with its likely reason.

use serde_json::Value;

use super::{Fronts, assert_failed};
use crate::clouds::{AWS, failed_lines, numbered, to};
use crate::command::CommandLine;
use crate::doctor::{certificates, servers};

/// Of what is temporary, so that a run ends with its time and no sooner.
#[track_caller]
fn assert_not_sent(fronts: &Fronts, line: &CommandLine, words: &[&str]) {
    assert_failed(&fronts.clouds.run_until(line, words), 3, words);
}

#[test]
fn a_certificate_that_is_not_known_is_explained() {
    let fronts = Fronts::start();
    fronts.aws.deactivate(&fronts.clouds.certificate.fingerprint);
    assert_not_sent(&fronts, &fronts.publish(), &["not sent: ", "certificate is inactive or not registered"]);
}

#[test]
fn a_client_id_that_may_not_connect_is_named() {
    let fronts = Fronts::start();
    fronts.aws.deny_connect("stranger");
    for version in ["5", "3.1.1"] {
        let line = fronts.publish().with("--client-id", "stranger").with("--mqtt", version);
        assert_failed(&fronts.run(line), 3, &["iot:Connect", "client/stranger", "not authorized"]);
    }
}

#[test]
fn a_port_without_the_alpn_that_it_needs_is_explained() {
    let fronts = Fronts::start();
    // 8883 by its number, and in truth the port that wants ALPN.
    let line = fronts.publish().with("--connect-to", to(fronts.aws.addr_alpn()));
    assert_not_sent(&fronts, &line, &["not sent: ", "8883"]);
    let line = fronts.publish_anonymously().with("--authorizer", "nobody").with("--port", "8443");
    assert_not_sent(&fronts, &line, &["443", "`mqtt`"]);
}

#[test]
fn a_server_that_is_not_trusted_or_not_there_is_named() {
    let fronts = Fronts::start();
    let other = thingpost_emulator::Authority::new();
    let line = fronts.publish().with("--ca", fronts.clouds.write("other.pem", other.ca_pem()));
    assert_not_sent(&fronts, &line, &["not sent: ", "certificate", "8883"]);
    let line = fronts.publish().with("--connect-to", "::127.0.0.1:1");
    assert_not_sent(&fronts, &line, &["connection refused", "port 443"]);
}

#[test]
fn a_broker_that_says_nothing_is_given_up_after_the_timeout() {
    let fronts = Fronts::start();
    fronts.aws.link().silence_after_handshake(1);
    assert_failed(&fronts.run(fronts.publish().with("--timeout", "1")), 3, &["not sent: "]);
}

#[test]
fn a_topic_that_is_denied_is_refused_and_the_permission_named() {
    let fronts = Fronts::start();
    fronts.aws.deny_publish("thermometer", "sensors/");
    let line = fronts.publish().with("--client-id", "thermometer");
    assert_failed(&fronts.run(line.clone()), 1, &["refused: ", "iot:Publish", "topic/sensors/kitchen"]);
    let output = fronts.run(line.and(&["--json"]));
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""), "{output:?}");
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&value["outcome"], &value["cause"]), (&"refused".into(), &"forbidden".into()));
    assert_eq!((&value["attempts"], &value["status"]), (&1.into(), &135.into()));
}

#[test]
fn a_broker_without_mqtt_5_is_named_with_the_option_that_helps() {
    let fronts = Fronts::start();
    let root = certificates::Root::new("an old broker's");
    let certificate = root.sign("broker", &[AWS], certificates::GOOD);
    // Each in the form of 3.1.1: "unacceptable protocol version", and that all is well.
    for connack in [b"\x20\x02\x00\x01", b"\x20\x02\x00\x00"] {
        let address = servers::tls(&certificate, connack);
        let line = fronts.publish().with("--ca", fronts.clouds.write("old.pem", root.pem()));
        let output = fronts.run(line.with("--connect-to", to(address)).with("--timeout", "10"));
        assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{output:?}");
        assert!(output.stderr.contains("MQTT 5") && output.stderr.contains("give --mqtt 3.1.1"), "{output:?}");
    }
}

#[test]
fn a_device_of_aliyun_that_signs_wrong_is_told_what_to_look_at() {
    let fronts = Fronts::start();
    let line = fronts.publish_aliyun().with("--device-secret-file", fronts.clouds.write("wrong", "not-the-secret"));
    assert_failed(&fronts.run(line), 3, &["not sent: ", "secret"]);
}

#[test]
fn when_there_is_no_first_connection_all_lines_are_counted_and_kept() {
    let fronts = Fronts::start();
    fronts.aws.link().refuse(true);
    let failed = fronts.clouds.write("failed", "of an earlier run\n");
    let lines = numbered(1000);
    let file = fronts.clouds.write("lines", lines.join("\n"));
    let line = fronts.publish().lines(file).with("--failed", &failed).with("--timeout", "1");
    let output = fronts.run(line.clone());
    assert_eq!((output.code, output.stdout.as_str()), (Some(3), "0 delivered, 0 refused, 1000 not sent, 0 unknown\n"));
    assert!(output.stderr.starts_with("1000 x "), "{output:?}");
    assert_eq!(failed_lines(&failed), lines);

    let output = fronts.run(line.lines(fronts.clouds.write("lines", "a\nb\n")).and(&["--json"]));
    assert_eq!((output.code, output.stderr.as_str()), (Some(3), ""), "{output:?}");
    let values: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(values[0]["line"] == 1 && values[1]["stage"] == "connection", "{values:?}");
    assert_eq!(values[2]["summary"]["not_sent"], 2);
    assert_eq!(failed_lines(&failed), ["a", "b"]);
}

#[test]
fn without_lines_a_first_connection_that_fails_leaves_what_failed_before() {
    let fronts = Fronts::start();
    fronts.aws.link().refuse(true);
    let (old, new) = (fronts.clouds.write("failed", "of an earlier run\n"), fronts.clouds.path("new"));
    for failed in [&old, &new] {
        let line =
            fronts.publish().lines(fronts.clouds.write("lines", "\n")).with("--failed", failed).with("--timeout", "1");
        assert_failed(&fronts.run(line), 3, &["not sent: "]);
    }
    assert_eq!(failed_lines(&old), ["of an earlier run"]);
    assert!(!new.exists());
}
