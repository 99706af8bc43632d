//! No connection, or none to a broker: each with its likely reason.

use super::{Fronts, assert_failed};
use crate::clouds::to;

#[test]
fn a_certificate_that_is_not_known_is_explained() {
    let fronts = Fronts::start();
    fronts.aws.deactivate(&fronts.clouds.certificate.fingerprint);
    assert_failed(&fronts.run(fronts.publish()), 3, &["not sent: ", "certificate is inactive or not registered"]);
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
    assert_failed(&fronts.run(line), 3, &["not sent: ", "8883"]);
    let line = fronts.publish_anonymously().with("--authorizer", "nobody").with("--port", "8443");
    assert_failed(&fronts.run(line), 3, &["443", "`mqtt`"]);
}

#[test]
fn a_server_that_is_not_trusted_or_not_there_is_named() {
    let fronts = Fronts::start();
    let other = thingpost_emulator::Authority::new();
    let line = fronts.publish().with("--ca", fronts.clouds.write("other.pem", other.ca_pem()));
    assert_failed(&fronts.run(line), 3, &["not sent: ", "certificate", "8883"]);
    let line = fronts.publish().with("--connect-to", "::127.0.0.1:1");
    assert_failed(&fronts.run(line), 3, &["connection refused", "port 443"]);
}

#[test]
fn a_broker_that_says_nothing_is_given_up_after_the_timeout() {
    let fronts = Fronts::start();
    fronts.aws.link().silence_after_handshake(1);
    let begin = std::time::Instant::now();
    assert_failed(&fronts.run(fronts.publish().with("--timeout", "1")), 3, &["not sent: "]);
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}

#[test]
fn a_topic_that_is_denied_is_refused_and_the_permission_named() {
    let fronts = Fronts::start();
    fronts.aws.deny_publish("thermometer", "sensors/");
    let line = fronts.publish().with("--client-id", "thermometer");
    assert_failed(&fronts.run(line.clone()), 1, &["refused: ", "iot:Publish", "topic/sensors/kitchen"]);
    let output = fronts.run(line.and(&["--json"]));
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""), "{output:?}");
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&value["outcome"], &value["cause"]), (&"refused".into(), &"forbidden".into()));
    assert_eq!((&value["attempts"], &value["status"]), (&1.into(), &135.into()));
}

#[test]
fn a_device_of_aliyun_that_signs_wrong_is_told_what_to_look_at() {
    let fronts = Fronts::start();
    let line = fronts.publish_aliyun().with("--device-secret-file", fronts.clouds.write("wrong", "not-the-secret"));
    assert_failed(&fronts.run(line), 3, &["not sent: ", "secret"]);
}

#[test]
fn of_lines_none_is_read_when_there_is_no_first_connection() {
    let fronts = Fronts::start();
    fronts.aws.link().refuse(true);
    let failed = fronts.clouds.write("failed", "of an earlier run\n");
    let line = fronts.publish().lines(fronts.clouds.write("lines", "a\nb\n")).with("--failed", &failed);
    assert_failed(&fronts.run(line.clone()), 3, &["not sent: "]);
    assert_eq!(std::fs::read_to_string(failed).unwrap(), "of an earlier run\n");
    let new = fronts.clouds.path("new");
    assert_failed(&fronts.run(line.with("--failed", &new).and(&["--qos", "0"])), 3, &["not sent: "]);
    assert!(!new.exists());
}
