//! A device that is well, in each of the four ways to show who it is.

use std::ffi::OsStr;

use thingpost_emulator::{Device, Disposition};

use super::{anonymous, assert_healthy, authorized, doctor, outcome, signing, verdict};
use crate::clouds::{ACCESS_KEY, ACCESS_KEY_ID, AWS, AWS_TOPIC, Clouds, SESSION_TOKEN, TOKEN, TOKEN_SIGNATURE, to};
use crate::process::Output;

const CHECKS: [&str; 9] = ["files", "endpoint", "component", "request", "name", "tcp", "tls", "answer", "clock"];

/// That one message came, from this kind of device, and only after `--publish`.
#[track_caller]
fn assert_published(clouds: &Clouds, output: &Output, is_sender: impl Fn(&Device) -> bool) {
    assert_eq!(outcome(output, "publish"), Some("ok"), "{}", output.stdout);
    assert_eq!(verdict(output), "all is well: the message was delivered");
    let entries = clouds.aws.ledger().take();
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    assert_eq!((entry.topic.as_deref(), entry.qos), (Some("thingpost/doctor"), Some(0)));
    assert!(matches!(entry.disposition, Disposition::Accepted { .. }) && entry.device.as_ref().is_some_and(is_sender));
}

#[track_caller]
fn assert_nothing_published(clouds: &Clouds) {
    assert!(clouds.aws.ledger().entries().is_empty(), "the doctor publishes only when asked to");
}

fn is_certificate(device: &Device) -> bool {
    matches!(device, Device::Certificate { .. })
}

#[test]
fn a_certificate_on_8443_is_shown_and_nothing_is_published_unless_asked() {
    let clouds = Clouds::start();
    let output = clouds.run(doctor(&clouds));
    assert_healthy(&output, &CHECKS);
    assert_eq!(outcome(&output, "publish"), None);
    for words in [
        "certificate CN=thermometer, issued by CN=thingpost emulator",
        "a data endpoint of AWS, in eu-central-1",
        "TLS 1.3, ",
        "ALPN: none offered",
        "asked for a client certificate, and ours was sent",
        "POST https://a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com:8443/topics/thingpost%2Fdoctor?qos=0",
    ] {
        assert!(output.stdout.contains(words), "{words}:\n{}", output.stdout);
    }
    assert!(
        output.stdout.contains(
            "\nnot checked: whether the policy of the certificate allows iot:Publish on topic/thingpost/doctor\n"
        ),
        "{}",
        output.stdout
    );
    assert_nothing_published(&clouds);
    assert_published(&clouds, &clouds.run(doctor(&clouds).and(&["--publish"])), is_certificate);
}

#[test]
fn a_certificate_on_443_is_shown_by_the_alpn_protocol() {
    let clouds = Clouds::start();
    let line = doctor(&clouds).with("--port", "443").with("--connect-to", to(clouds.aws.addr_alpn()));
    let output = clouds.run(line.clone());
    assert_healthy(&output, &CHECKS);
    assert!(output.stdout.contains("ALPN: offered x-amzn-http-ca, chosen x-amzn-http-ca"), "{}", output.stdout);
    assert_nothing_published(&clouds);
    assert_published(&clouds, &clouds.run(line.and(&["--publish"])), is_certificate);
}

#[test]
fn an_access_key_is_named_and_the_canonical_request_is_shown_without_secrets() {
    let clouds = Clouds::start();
    clouds.add_access_key(Some(SESSION_TOKEN));
    let variables = [
        ("AWS_ACCESS_KEY_ID", OsStr::new(ACCESS_KEY_ID)),
        ("AWS_SECRET_ACCESS_KEY", OsStr::new(ACCESS_KEY)),
        ("AWS_SESSION_TOKEN", OsStr::new(SESSION_TOKEN)),
    ];
    let output = clouds.run_in(signing(&clouds).with("--topic", AWS_TOPIC), &variables);
    assert_healthy(&output, &CHECKS);
    for words in [
        "access key AKIDEXAMPLE, a temporary one, with its session token",
        "| /topics/sensors%252Fkitchen",
        "/eu-central-1/iotdata/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=hidden",
        "x-amz-security-token: hidden",
        "the signature is for eu-central-1",
    ] {
        assert!(output.stdout.contains(words), "{words}:\n{}", output.stdout);
    }
    assert_nothing_published(&clouds);
    let output = clouds.run_in(signing(&clouds).and(&["--publish"]), &variables);
    assert_published(&clouds, &output, |device| matches!(device, Device::AccessKey { .. }));
}

#[test]
fn a_custom_authorizer_is_named_and_its_token_is_hidden_in_headers_and_in_the_query() {
    let clouds = Clouds::start();
    clouds.add_authorizer(Some(TOKEN_SIGNATURE));
    let signature = clouds.write("signature", TOKEN_SIGNATURE);
    let line = authorized(&clouds).with("--token-signature-file", signature);
    for (line, words) in [
        (line.clone(), "x-token: hidden"),
        (line.clone().and(&["--token-in-query"]), "&X-Token=hidden&x-amz-customauthorizer-signature=hidden"),
    ] {
        let output = clouds.run(line.and(&["--publish"]));
        assert_healthy(&output, &CHECKS);
        assert!(output.stdout.contains(words), "{}", output.stdout);
        assert!(output.stdout.contains("custom authorizer gatekeeper, a token named X-Token, with its signature"));
        assert!(!output.stdout.contains(TOKEN));
        assert_published(&clouds, &output, |device| matches!(device, Device::Authorizer { .. }));
    }
}

#[test]
fn a_role_alias_has_its_credentials_provider_looked_at_in_one_line() {
    let clouds = Clouds::start();
    let line = clouds.by_role_alias(crate::command::CommandLine::new(&["doctor", "aws"]));
    let output = clouds.run(line.clone());
    assert_healthy(&output, &CHECKS);
    assert_healthy(&output, &["provider"]);
    assert_healthy(&output, &["rehearsal"]);
    assert_eq!(clouds.aws.credentials_issued(), 1, "that a key is given out is seen by asking for one");
    let provider: Vec<_> = output.stdout.lines().filter(|line| line.starts_with("ok    provider")).collect();
    assert_eq!(provider.len(), 1);
    assert!(provider[0].contains("ours was sent") && provider[0].contains(clouds.aws.credentials_server_name()));
    assert_nothing_published(&clouds);
    let output = clouds.run(line.and(&["--publish"]));
    assert_published(&clouds, &output, |device| matches!(device, Device::AccessKey { .. }));
    assert_eq!(clouds.aws.credentials_issued(), 2);
}

#[test]
fn the_environment_is_healthy_for_whoever_has_no_files_at_all() {
    let clouds = Clouds::start();
    clouds.add_authorizer(None);
    let line = anonymous(&clouds).and(&["--authorizer-default"]);
    let output = clouds.run(line.clone());
    // AWS asks an authorizer about messages alone, so that it would let this one in is nowhere to be seen.
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(verdict(&output).starts_with("nothing failed, but whether it would publish is not known"), "{output:?}");
    assert!(output.stdout.contains("\nnot checked: whether the authorizer takes the token"), "{}", output.stdout);
    let output = clouds.run(line.and(&["--publish"]));
    super::assert_names(&output, "publish", &["no authorizer was found"]);
    assert!(output.stdout.contains("the default authorizer of the endpoint, no token, unsigned"), "{}", output.stdout);
}

#[test]
fn json_is_one_object_with_all_checks_in_their_order() {
    let clouds = Clouds::start();
    let output = clouds.run(doctor(&clouds).and(&["--json", "--publish"]));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(output.stdout.lines().count(), 1);
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(value["not_checked"], serde_json::json!([]));
    let names: Vec<_> =
        value["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(names, [&CHECKS[..], &["publish"]].concat());
    assert!(value["checks"].as_array().unwrap().iter().all(|check| check["outcome"] == "passed"));
    assert_eq!(value["outcome"], "passed");

    clouds.aws.deactivate(&clouds.certificate.fingerprint);
    let output = clouds.run(doctor(&clouds).and(&["--json"]));
    assert_eq!(output.code, Some(1));
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(value["outcome"], "failed");
    let answer = value["checks"].as_array().unwrap().iter().find(|check| check["check"] == "answer").unwrap();
    assert_eq!(answer["outcome"], "failed");
    assert!(answer["next_step"].as_str().unwrap().contains("is active"));
}

#[test]
fn the_endpoint_is_looked_at_as_it_was_typed_and_the_name_is_said_to_be_replaced() {
    let clouds = Clouds::start();
    let output = clouds.run(doctor(&clouds).with("--endpoint", format!("https://{AWS}/")));
    assert_healthy(&output, &CHECKS);
    let address = clouds.aws.addr_mutual_tls();
    assert!(output.stdout.contains(&format!("--connect-to takes {address} for {AWS}:8443")), "{}", output.stdout);
    assert!(output.stdout.contains(&format!("connected to {address} in ")), "{}", output.stdout);
}
