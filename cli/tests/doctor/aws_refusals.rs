//! What AWS refuses, and closes on, although the network is well.

use std::ffi::OsStr;

use thingpost_emulator::{AwsOptions, Break, Fault};

use super::{anonymous, assert_names, authorized, doctor, outcome, signing, verdict};
use crate::clouds::{ACCESS_KEY, ACCESS_KEY_ID, AWS, Clouds, TOKEN_SIGNATURE};
use crate::command::CommandLine;
use crate::process::Output;

fn signed(clouds: &Clouds, line: CommandLine, id: &str, secret: &str) -> Output {
    let variables = [("AWS_ACCESS_KEY_ID", OsStr::new(id)), ("AWS_SECRET_ACCESS_KEY", OsStr::new(secret))];
    clouds.run_in(line, &variables)
}

#[test]
fn a_certificate_that_is_inactive_or_unknown_is_named_without_publishing() {
    let clouds = Clouds::start();
    clouds.aws.deactivate(&clouds.certificate.fingerprint);
    let output = clouds.run(doctor(&clouds));
    assert_names(&output, "answer", &["closed without an answer", "registered", "is active"]);
    assert_eq!(outcome(&output, "tls"), Some("ok"), "{}", output.stdout);
    assert_eq!(outcome(&output, "clock"), Some("skip"), "{}", output.stdout);

    let unknown = super::certificates::Root::new("Some Root").sign("other", &[], super::certificates::GOOD);
    let line = doctor(&clouds)
        .with("--cert", clouds.write("other.crt", unknown.pem()))
        .with("--key", clouds.write("other.key", unknown.key_pem()));
    assert_names(&clouds.run(line), "answer", &["closed without an answer", "registered", "is active"]);
    assert!(clouds.aws.ledger().entries().is_empty());
}

#[test]
fn a_wrong_secret_and_an_unknown_key_are_told_apart_without_publishing() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let wrong = "wr0ng-s3cret-of-somebody";
    for (check, line) in [("publish", signing(&clouds).and(&["--publish"])), ("rehearsal", signing(&clouds))] {
        let output = signed(&clouds, line.clone(), ACCESS_KEY_ID, wrong);
        assert_names(&output, check, &["refused", "secret"]);
        assert!(!output.stdout.contains(wrong));
        let output = signed(&clouds, line, "AKIDOTHER", ACCESS_KEY);
        assert_names(&output, check, &["refused", "access key"]);
    }
}

#[test]
fn a_clock_that_is_off_is_named_to_whoever_signs_and_fails_where_the_signature_is_refused() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    clouds.aws.shift_clock_ms(20 * 60_000);
    let variables =
        [("AWS_ACCESS_KEY_ID", OsStr::new(ACCESS_KEY_ID)), ("AWS_SECRET_ACCESS_KEY", OsStr::new(ACCESS_KEY))];
    for line in [signing(&clouds), clouds.by_role_alias(CommandLine::new(&["doctor", "aws"]))] {
        let published = clouds.run_in(line.clone().and(&["--publish"]), &variables);
        let output = clouds.run_in(line, &variables);
        assert_eq!(outcome(&output, "clock"), Some("warn"), "{}", output.stdout);
        assert!(output.stdout.contains("set the clock: AWS takes signatures"), "{}", output.stdout);
        // Whether a clock can be done without is the matter of the signer.
        assert_eq!(output.code, published.code, "{}\n{}", output.stdout, published.stdout);
        assert!(verdict(&output).contains("clock"), "{}", output.stdout);
    }
}

#[test]
fn a_region_that_the_name_does_not_tell_is_found_without_publishing() {
    let host = "iot.example.com";
    let clouds = Clouds::start_with(|authority| AwsOptions {
        region: Some("eu-central-1".to_owned()),
        ..AwsOptions::new(authority, host)
    });
    clouds.add_access_key(None);
    let line = signing(&clouds).with("--endpoint", host);
    let output = signed(&clouds, line.clone().with("--region", "us-east-1"), ACCESS_KEY_ID, ACCESS_KEY);
    assert_names(&output, "rehearsal", &["region"]);
    let line = line.with("--region", "eu-central-1").and(&["--publish"]);
    let output = signed(&clouds, line, ACCESS_KEY_ID, ACCESS_KEY);
    assert_eq!(verdict(&output), "all is well: the message was delivered");
}

#[test]
fn an_authorizer_that_says_no_is_named() {
    let clouds = Clouds::start();
    clouds.add_authorizer(Some(TOKEN_SIGNATURE));
    let output = clouds.run(authorized(&clouds).and(&["--publish"]));
    assert_names(&output, "publish", &["refused", "authorizer", "signature"]);
    let line = anonymous(&clouds).with("--authorizer", "nobody").and(&["--publish"]);
    assert_names(&clouds.run(line), "publish", &["refused", "authorizer"]);
}

#[test]
fn a_policy_that_denies_the_topic_is_named_by_publishing() {
    let clouds = Clouds::start();
    clouds.aws.deny_topic_prefix("secret/");
    let line = doctor(&clouds).with("--topic", "secret/x");
    let output = clouds.run(line.clone());
    assert_eq!(output.code, Some(0), "nobody can see a policy from outside");
    assert!(
        output
            .stdout
            .contains("\nnot checked: whether the policy of the certificate allows iot:Publish on topic/secret/x\n")
    );
    let output = clouds.run(line.and(&["--publish"]));
    assert_names(&output, "publish", &["refused", "policy", "secret/x"]);
}

#[test]
fn a_control_plane_behind_another_name_is_named_by_publishing() {
    let clouds = Clouds::start();
    clouds.aws.pose_as_control_plane(true);
    let output = clouds.run(doctor(&clouds).and(&["--publish"]));
    assert_names(&output, "publish", &["the certificate was shown", "control plane", "iot:Data-ATS"]);
}

#[test]
fn a_credentials_provider_is_looked_at_like_the_endpoint_itself() {
    let clouds = Clouds::start();
    let line = clouds.by_role_alias(CommandLine::new(&["doctor", "aws"]));
    let output = clouds.run(line.clone().with("--credentials-endpoint", "nobody.invalid").with("--timeout", "60"));
    assert_names(&output, "provider", &["nobody.invalid", "check the spelling"]);
    assert_eq!(outcome(&output, "rehearsal"), Some("skip"), "{}", output.stdout);
    let output = clouds.run(line.clone().with("--credentials-endpoint", "b1-ats.iot.eu-central-1.amazonaws.com"));
    assert_names(&output, "endpoint", &["gives out no keys", "iot:CredentialProvider"]);
    let output = clouds.run(line.with("--role-alias", "other"));
    assert_names(&output, "rehearsal", &["role alias"]);
}

#[test]
fn an_answer_that_never_comes_is_not_taken_for_an_inactive_certificate() {
    let clouds = Clouds::start();
    clouds.faults().push(Fault::AtAccept(Break::Stall), 1);
    let output = clouds.run(doctor(&clouds).with("--timeout", "1"));
    assert_names(&output, "tls", &["nothing came within 1 s"]);
    assert!(verdict(&output).contains("firewall") && !verdict(&output).contains("active"), "{}", output.stdout);
    assert!(output.stdout.contains(AWS));
}
