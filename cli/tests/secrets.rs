//! Every run of every test proves that no secret shows in what the command prints. Here: in what the system shows of
//! the process, and in runs that are made to fail near the secrets.

use std::fs;

use thingpost_emulator::{Break, Fault};

use crate::clouds::{Clouds, SECRET};
use crate::process::{Process, command};

#[test]
fn a_secret_from_a_file_or_a_variable_is_not_in_the_list_of_processes() {
    let clouds = Clouds::start();
    for by_variable in [false, true] {
        clouds.aliyun.faults().push(Fault::AfterAcceptance(Break::Stall), 1);
        let mut line = clouds.publish_aliyun().with("--timeout", "600");
        if by_variable {
            line = line.without("--device-secret-file");
        }
        let mut command = clouds.command(line);
        if by_variable {
            command.env("THINGPOST_DEVICE_SECRET", SECRET);
        }
        let before = clouds.aliyun.ledger().entries().len();
        let mut process = clouds.start_command(command);
        process.wait_until("the message", |_| clouds.aliyun.ledger().entries().len() > before);
        let listed = fs::read(format!("/proc/{}/cmdline", process.id())).unwrap();
        let listed = String::from_utf8_lossy(&listed).into_owned();
        assert!(listed.contains("--product-key"), "the right process: {listed}");
        for secret in clouds.secrets() {
            assert!(!listed.contains(&secret));
        }
    }
}

#[test]
fn the_checks_for_secrets_know_the_secrets() {
    let clouds = Clouds::start();
    let before = clouds.secrets();
    assert!(before.iter().any(|secret| secret == SECRET));
    let key = fs::read_to_string(clouds.path("private.pem.key")).unwrap();
    assert!(key.lines().filter(|line| !line.starts_with('-')).any(|line| before.iter().any(|secret| secret == line)));
    assert_eq!(clouds.run(clouds.publish_aliyun()).code, Some(0));
    assert_eq!(clouds.secrets().len(), before.len() + 1, "and now the token");
}

fn say(text: &str, stream: &str) {
    let mut shell = command("sh");
    shell.args(["-c", &format!("echo '{text}' {stream}")]);
    Process::start(shell, vec!["hush hush".to_owned()]).end();
}

#[test]
#[should_panic(expected = "a secret is on standard error")]
fn a_run_that_shows_a_secret_fails_its_test() {
    say("it is hush hush, but known", ">&2");
}

#[test]
#[should_panic(expected = "stack backtrace")]
fn a_run_that_shows_a_backtrace_fails_its_test() {
    say("stack backtrace:", "");
}

#[test]
fn no_result_code_brings_the_secret_or_the_token_into_the_output() {
    let clouds = Clouds::start();
    for option in [None, Some("--json")] {
        let line = option.map_or(clouds.publish_aliyun(), |option| clouds.publish_aliyun().and(&[option]));
        // Each code once instead of a token and once instead of a receipt. The runs themselves check the output.
        for code in [10000, 10001, 20000, 20001, 20002, 20003, 20004, 30001, 40000] {
            clouds.aliyun.next_code(code);
            clouds.run(line.clone().with("--timeout", "0.3"));
            clouds.aliyun.next_authentication_code(code);
            clouds.run(line.clone().with("--timeout", "0.3"));
        }
    }
}
