//! Custom authorizers: a token that neither an option nor the output ever shows.

use std::ffi::OsStr;

use thingpost_emulator::{Device, Entry};

use crate::clouds::{AUTHORIZER, Clouds, TOKEN, TOKEN_SIGNATURE};
use crate::command::CommandLine;
use crate::process::Output;

fn publish(clouds: &Clouds) -> CommandLine {
    clouds.publish_aws_anonymously().with("--authorizer", AUTHORIZER).with("--token-name", "X-Token")
}

#[track_caller]
fn arrived(clouds: &Clouds, output: &Output) -> Entry {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let entry = clouds.aws.ledger().accepted().pop().unwrap();
    assert_eq!(entry.device, Some(Device::Authorizer { name: AUTHORIZER.to_owned() }));
    entry
}

#[test]
fn token_and_signature_come_from_files_or_variables() {
    let clouds = Clouds::start();
    clouds.add_authorizer(Some(TOKEN_SIGNATURE));
    let (token, signature) = (clouds.write("token", format!("{TOKEN}\n")), clouds.write("signature", TOKEN_SIGNATURE));
    let by_files = publish(&clouds).with("--token-file", token).with("--token-signature-file", signature);
    arrived(&clouds, &clouds.run(by_files.clone()));
    let variables = [
        ("THINGPOST_AUTHORIZER_TOKEN", OsStr::new(TOKEN)),
        ("THINGPOST_AUTHORIZER_SIGNATURE", OsStr::new(TOKEN_SIGNATURE)),
    ];
    arrived(&clouds, &clouds.run_in(publish(&clouds), &variables));
    let wrong = [("THINGPOST_AUTHORIZER_TOKEN", OsStr::new("x")), ("THINGPOST_AUTHORIZER_SIGNATURE", OsStr::new("x"))];
    arrived(&clouds, &clouds.run_in(by_files, &wrong));
}

#[test]
fn they_travel_in_headers_or_in_the_query() {
    let clouds = Clouds::start();
    clouds.add_authorizer(Some(TOKEN_SIGNATURE));
    let (token, signature) = (clouds.write("token", TOKEN), clouds.write("signature", TOKEN_SIGNATURE));
    let line = publish(&clouds).with("--token-file", token).with("--token-signature-file", signature);
    let entry = arrived(&clouds, &clouds.run(line.clone()));
    assert!(entry.header("x-token").is_some() && !entry.target.contains("X-Token"));
    let entry = arrived(&clouds, &clouds.run(line.and(&["--token-in-query"])));
    assert!(entry.header("x-token").is_none() && entry.target.contains("X-Token="));
}

#[test]
fn the_default_authorizer_needs_no_name_and_one_without_signing_no_signature() {
    let clouds = Clouds::start();
    clouds.add_authorizer(None);
    let line = publish(&clouds).without("--authorizer").and(&["--authorizer-default"]);
    let entry = arrived(&clouds, &clouds.run_with(line, "THINGPOST_AUTHORIZER_TOKEN", TOKEN));
    assert!(entry.header("x-amz-customauthorizer-name").is_none());
}

#[test]
fn a_token_that_is_not_taken_is_a_refusal() {
    let clouds = Clouds::start();
    clouds.add_authorizer(None);
    let output = clouds.run_with(publish(&clouds), "THINGPOST_AUTHORIZER_TOKEN", "expired");
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.only_complaint().contains("authorizer"), "{output:?}");
}

#[test]
fn a_token_without_its_name_and_a_name_without_its_token_are_explained() {
    let clouds = Clouds::start();
    let words = ["no authorizer token", "--token-file", "THINGPOST_AUTHORIZER_TOKEN"];
    clouds.assert_usage(publish(&clouds), &words);
    let output = clouds.run_with(publish(&clouds).without("--token-name"), "THINGPOST_AUTHORIZER_TOKEN", TOKEN);
    clouds.assert_wrong(&output, &["THINGPOST_AUTHORIZER_TOKEN is set", "--token-name"]);
    let line = |path| publish(&clouds).with("--token-file", path);
    clouds.assert_usage(line(clouds.path("missing")), &["authorizer token", "missing", "No such file"]);
    clouds.assert_usage(line(clouds.write("empty", "\n")), &["no authorizer token", "empty"]);
    let output = clouds.run_with(publish(&clouds), "THINGPOST_AUTHORIZER_TOKEN", "");
    clouds.assert_wrong(&output, &["the authorizer token is empty"]);
    let blank = clouds.write("blank", " \t\n");
    let output =
        clouds.run_with(publish(&clouds).with("--token-signature-file", &blank), "THINGPOST_AUTHORIZER_TOKEN", TOKEN);
    clouds.assert_wrong(&output, &["is empty"]);
    let output = clouds.run_with(publish(&clouds), "THINGPOST_AUTHORIZER_TOKEN", "a\nb");
    clouds.assert_wrong(&output, &["token"]);
}
