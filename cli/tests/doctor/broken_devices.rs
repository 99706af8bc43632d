//! What can be wrong with a device and its options before anything is sent.

use std::ffi::OsStr;
use std::fs;

use super::certificates::{FUTURE, PAST, Root};
use super::{assert_names, authorized, doctor, outcome, signing};
use crate::clouds::{ACCESS_KEY, Clouds, SESSION_TOKEN};

#[test]
fn files_that_do_not_belong_together_are_a_failing_line() {
    let clouds = Clouds::start();
    let other = Root::new("Some Root").sign("other", &[], PAST);
    let key = clouds.write("other.key", other.key_pem());
    for (line, words) in [
        (doctor(&clouds).with("--key", &key), &["does not belong to the certificate", "created together"][..]),
        (doctor(&clouds).with("--cert", clouds.path("missing")), &["cannot read", "missing", "check the path"]),
        (doctor(&clouds).with("--key", clouds.path("device.pem.crt")), &["no private key", "swapped"]),
        (doctor(&clouds).with("--ca", clouds.path("private.pem.key")), &["private.pem.key"]),
    ] {
        let output = clouds.run(line);
        assert_names(&output, "files", words);
        assert_eq!(outcome(&output, "tls"), Some("skip"), "{}", output.stdout);
    }
    clouds.assert_nothing_came();
}

#[test]
fn a_device_certificate_out_of_its_time_is_named_before_aws_refuses_it() {
    let clouds = Clouds::start();
    let root = Root::new("Some Root");
    for (years, word) in [(PAST, "expired"), (FUTURE, "becomes valid")] {
        let device = root.sign("thermometer", &[], years);
        let line = doctor(&clouds)
            .with("--cert", clouds.write("out.crt", device.pem()))
            .with("--key", clouds.write("out.key", device.key_pem()));
        let output = clouds.run(line);
        assert_names(&output, "files", &["the certificate", word, "days"]);
        assert_eq!(outcome(&output, "tls"), Some("ok"), "the rest is looked at all the same:\n{}", output.stdout);
    }
}

#[test]
fn wrong_usage_is_no_finding() {
    let clouds = Clouds::start();
    for (line, words) in [
        (doctor(&clouds).and(&["--sigv4"]), &["--cert and --sigv4"][..]),
        (doctor(&clouds).without("--cert").without("--key"), &["nothing says how the device shows who it is"]),
        (doctor(&clouds).with("--port", "0"), &["--port"]),
        (doctor(&clouds).without("--endpoint"), &["--endpoint"]),
        (signing(&clouds), &["access key"]),
    ] {
        clouds.assert_usage(line, words);
    }
}

#[test]
fn a_host_that_takes_no_messages_is_known_by_its_name() {
    let clouds = Clouds::start();
    for (host, words) in [
        ("iot.eu-central-1.amazonaws.com", "the control plane"),
        ("a1b2.credentials.iot.eu-central-1.amazonaws.com", "a credentials provider"),
        ("a1b2.jobs.iot.eu-central-1.amazonaws.com", "a jobs endpoint"),
    ] {
        let output = clouds.run(doctor(&clouds).with("--endpoint", host));
        assert_names(&output, "endpoint", &[words, "eu-central-1", "takes no messages", "iot:Data-ATS"]);
    }
}

#[test]
fn the_old_name_is_a_warning_and_the_cause_of_an_untrusted_root() {
    let clouds = Clouds::start();
    let root = Root::new("VeriSign");
    let host = "a1b2.iot.eu-central-1.amazonaws.com";
    let server = super::servers::tls(&root.sign("x", &[host], super::certificates::GOOD), b"");
    let output = clouds.run(super::doctor_at(&clouds, server).with("--endpoint", host));
    assert_eq!(outcome(&output, "endpoint"), Some("warn"), "{}", output.stdout);
    assert_names(&output, "tls", &["leads to no authority", "take the endpoint with -ats"]);
}

#[test]
fn a_port_that_does_not_go_with_the_way_to_authenticate_is_named() {
    let clouds = Clouds::start();
    let variables =
        [("AWS_ACCESS_KEY_ID", OsStr::new("AKIDEXAMPLE")), ("AWS_SECRET_ACCESS_KEY", OsStr::new(ACCESS_KEY))];
    let line = signing(&clouds).with("--port", "8443");
    let output = clouds.run_in(line, &variables);
    assert_names(&output, "endpoint", &["port 8443 with a signature", "--port 443"]);
    let output = clouds.run(authorized(&clouds).with("--port", "8443"));
    assert_names(&output, "endpoint", &["port 8443 with a custom authorizer", "--port 443"]);
}

#[test]
fn a_signature_for_another_region_is_named_without_asking_anybody() {
    let clouds = Clouds::start();
    let variables =
        [("AWS_ACCESS_KEY_ID", OsStr::new("AKIDEXAMPLE")), ("AWS_SECRET_ACCESS_KEY", OsStr::new(ACCESS_KEY))];
    let output = clouds.run_in(signing(&clouds).with("--region", "us-east-1"), &variables);
    assert_names(&output, "endpoint", &["for us-east-1", "is in eu-central-1", "--region eu-central-1"]);
    let output = clouds.run_in(signing(&clouds).with("--endpoint", "iot.example.com"), &variables);
    assert_eq!(outcome(&output, "request"), Some("FAIL"), "{}", output.stdout);
    assert!(output.stdout.contains("the region is not in the name of the endpoint"), "{}", output.stdout);
}

#[test]
fn a_temporary_key_without_its_session_token_is_named_without_asking_anybody() {
    let clouds = Clouds::start();
    let variables =
        [("AWS_ACCESS_KEY_ID", OsStr::new("ASIAEXAMPLE")), ("AWS_SECRET_ACCESS_KEY", OsStr::new(ACCESS_KEY))];
    let output = clouds.run_in(signing(&clouds), &variables);
    assert_names(&output, "files", &["ASIAEXAMPLE", "session token is missing", "AWS_SESSION_TOKEN"]);
    let left_over = [
        ("AWS_ACCESS_KEY_ID", OsStr::new("AKIAEXAMPLE")),
        ("AWS_SECRET_ACCESS_KEY", OsStr::new(ACCESS_KEY)),
        ("AWS_SESSION_TOKEN", OsStr::new(SESSION_TOKEN)),
    ];
    let output = clouds.run_in(signing(&clouds), &left_over);
    assert_eq!(outcome(&output, "files"), Some("warn"), "{}", output.stdout);
    assert!(output.stdout.contains("unset AWS_SESSION_TOKEN"), "{}", output.stdout);
}

#[test]
fn a_topic_that_cannot_be_published_to_is_named_and_not_tried() {
    let clouds = Clouds::start();
    for (topic, words) in [
        ("$SYS/broker", "reserved"),
        ("$aws/rules//x", "reserved"),
        ("sensors/#", "subscribing"),
        ("", "empty"),
        ("a/b/c/d/e/f/g/h/i", "7 slashes"),
        ("a\u{1b}[2Jb\nc", "control character"),
    ] {
        let output = clouds.run(doctor(&clouds).with("--topic", topic).and(&["--publish"]));
        assert_names(&output, "request", &[words, "--topic"]);
        assert_eq!(outcome(&output, "publish"), Some("skip"), "{}", output.stdout);
        assert!(!output.stdout.contains('\u{1b}'));
    }
    assert!(clouds.aws.ledger().entries().is_empty());
}

#[test]
fn a_folder_in_place_of_a_file_is_a_failing_line() {
    let clouds = Clouds::start();
    fs::create_dir(clouds.path("folder")).unwrap();
    let output = clouds.run(doctor(&clouds).with("--cert", clouds.path("folder")));
    assert_names(&output, "files", &["cannot read"]);
}
