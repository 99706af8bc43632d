//! The doctor against healthy devices and against every way to break one that the emulator and a few bad servers can play.
//! What it must name is the cause, in the check where it can first be seen, and in the last line of all.

mod agreement;
mod aliyun;
mod aws_refusals;
mod broken_devices;
mod broken_networks;
pub mod certificates;
mod healthy;
mod machine;
mod mqtt;
pub mod servers;

use std::net::SocketAddr;

use crate::clouds::{AUTHORIZER, AWS, Clouds, TOKEN, to};
use crate::command::CommandLine;
use crate::process::Output;

/// What it publishes if nothing else is given.
const PAYLOAD: &[u8] = br#"{"from":"thingpost doctor"}"#;

/// A healthy device with a certificate, port 8443.
pub fn doctor(clouds: &Clouds) -> CommandLine {
    clouds.aws(&["doctor", "aws"])
}

/// The device, sent to another server.
fn doctor_at(clouds: &Clouds, address: SocketAddr) -> CommandLine {
    doctor(clouds).with("--connect-to", to(address))
}

/// Port 443, without a way to show who the device is.
fn anonymous(clouds: &Clouds) -> CommandLine {
    CommandLine::new(&["doctor", "aws"])
        .with("--endpoint", AWS)
        .with("--ca", clouds.path("ca.pem"))
        .with("--connect-to", to(clouds.aws.addr_alpn()))
}

fn signing(clouds: &Clouds) -> CommandLine {
    anonymous(clouds).and(&["--sigv4"])
}

fn authorized(clouds: &Clouds) -> CommandLine {
    let token = clouds.write("token", TOKEN);
    anonymous(clouds).with("--authorizer", AUTHORIZER).with("--token-name", "X-Token").with("--token-file", token)
}

/// The outcome of a check: the first word of its first line.
fn outcome<'a>(output: &'a Output, check: &str) -> Option<&'a str> {
    let mut lines = output.stdout.lines().map(|line| line.split_whitespace());
    lines.find_map(|mut words| {
        let outcome = words.next().filter(|word| ["ok", "warn", "FAIL", "skip"].contains(word))?;
        (words.next() == Some(check)).then_some(outcome)
    })
}

fn verdict(output: &Output) -> &str {
    output.stdout.lines().last().unwrap_or_default()
}

/// That nothing fails, and nothing but these is skipped.
#[track_caller]
fn assert_healthy(output: &Output, checks: &[&str]) {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert!(verdict(output).starts_with("all is well"), "{}", output.stdout);
    for check in checks {
        assert_eq!(outcome(output, check), Some("ok"), "{check}:\n{}", output.stdout);
    }
    assert!(!output.stdout.contains("\nskip"), "{}", output.stdout);
}

/// That this check is the first to fail, and that the last line has all these words.
#[track_caller]
pub fn assert_names(output: &Output, check: &str, words: &[&str]) {
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""), "{output:?}");
    assert_eq!(outcome(output, check), Some("FAIL"), "{}", output.stdout);
    let verdict = verdict(output);
    assert!(verdict.starts_with(&format!("failed: {check}: ")), "{check}:\n{}", output.stdout);
    for word in words {
        assert!(verdict.contains(word), "{word:?} is not in: {verdict}\n{}", output.stdout);
    }
}
