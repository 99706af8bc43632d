//! `thingpost emulate`: what it writes, what it prints, and that what it prints works when it is pasted.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use thingpost_emulator::Chaos;

use crate::process::{Process, THINGPOST, command};

const FILES: [&str; 9] = [
    "ca.pem",
    "device.pem.crt",
    "private.pem.key",
    "device-secret.txt",
    "product-secret.txt",
    "device-token.txt",
    "iot-token.txt",
    "aws-credentials.txt",
    "authorizer-token.txt",
];

fn emulate(folder: &Path, more: &[&str]) -> Process {
    let mut process = command(THINGPOST);
    process.arg("emulate").arg("--dir").arg(folder).args(more);
    Process::start(process, Vec::new())
}

/// Starts it and waits until it is ready.
pub fn ready(folder: &Path, more: &[&str]) -> Process {
    let mut process = emulate(folder, more);
    process.wait_until("the emulator", |process| process.stdout().contains("Ctrl-C ends it."));
    process
}

/// The commands for HTTPS that it printed.
fn commands(process: &Process) -> Vec<String> {
    let text = process.stdout();
    let is_command = |part: &&str| part.contains("thingpost publish ") || part.contains("thingpost register ");
    text.split("\n\n").filter(is_command).filter(|part| !part.contains(" --mqtt ")).map(str::to_owned).collect()
}

/// Pastes a command into a shell, in another folder than the emulator's.
pub fn paste(printed: &str, folder: &Path) -> Process {
    paste_with(printed, folder, &[])
}

/// Pastes it into a shell with these variables.
pub fn paste_with(printed: &str, folder: &Path, variables: &[(&str, &str)]) -> Process {
    let quoted = format!("exec '{}' ", THINGPOST.replace('\'', r"'\''"));
    let (before, after) = printed.split_once("thingpost ").unwrap();
    let mut shell: Command = command("sh");
    shell.arg("-c").arg(format!("{before}{quoted}{after}")).current_dir("/").envs(variables.iter().copied());
    Process::start(shell, secrets(folder))
}

/// What is in the files and must show nowhere.
pub fn secrets(folder: &Path) -> Vec<String> {
    let key = fs::read_to_string(folder.join("private.pem.key")).unwrap();
    let secret = fs::read_to_string(folder.join("device-secret.txt")).unwrap();
    let body = key.lines().filter(|line| line.len() >= 20 && !line.contains(' ')).map(str::to_owned);
    let access_key = fs::read_to_string(folder.join("aws-credentials.txt")).unwrap();
    let access_key = access_key.rsplit_once("= ").unwrap().1.trim().to_owned();
    let product_secret = fs::read_to_string(folder.join("product-secret.txt")).unwrap();
    let tokens = ["authorizer-token.txt", "device-token.txt", "iot-token.txt"];
    let [authorizer, device, iot] = tokens.map(|name| fs::read_to_string(folder.join(name)).unwrap());
    let texts = [secret, product_secret, authorizer, device, iot].map(|text| text.trim().to_owned());
    body.chain(texts).chain([access_key]).collect()
}

#[track_caller]
fn assert_works(folder: &Path, more: &[&str]) {
    let mut process = ready(folder, more);
    let commands = commands(&process);
    assert_eq!(commands.len(), 7, "{}", process.stdout());
    for printed in &commands {
        let output = paste(printed, folder).end();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{printed}\n{output:?}");
    }
    process.wait_until("six messages", |process| process.stdout().matches("[accepted, id ").count() == 6);
    for cloud in ["AWS 8443", "AWS 443", "Aliyun"] {
        assert!(process.stdout().lines().any(|line| line.starts_with(cloud) && line.contains("21.5")), "{cloud}");
    }
    process.signal("INT");
    let output = process.end();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.assert_without(&secrets(folder));
}

#[test]
fn the_printed_commands_publish_and_what_arrives_shows() {
    let folder = TempDir::new().unwrap();
    assert_works(&folder.path().join("new/folder"), &[]);
}

#[test]
fn the_name_of_the_folder_may_have_what_a_shell_would_read() {
    let folder = TempDir::new().unwrap();
    for name in ["a b's \"x\" $HOME `id`", "-x", "é\\;&"] {
        assert_works(&folder.path().join(name), &[]);
    }
}

#[test]
fn the_commands_work_on_ipv6_too() {
    if TcpListener::bind("[::1]:0").is_err() {
        crate::process::skipped("this machine has no IPv6");
        return;
    }
    let folder = TempDir::new().unwrap();
    assert_works(folder.path(), &["--bind", "::1"]);
}

#[test]
fn the_device_that_registers_gets_a_secret_each_time_until_it_uses_one() {
    let folder = TempDir::new().unwrap();
    let process = ready(folder.path(), &[]);
    let printed = commands(&process).pop().unwrap();
    let register = || {
        let output = paste(&printed, folder.path()).end();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        fs::read_to_string(folder.path().join("registered-secret.txt")).unwrap()
    };
    assert_ne!(register(), register());
}

#[test]
fn a_relative_folder_is_printed_so_that_it_is_found_from_anywhere() {
    let parent = TempDir::new().unwrap();
    let mut process = command(THINGPOST);
    process.arg("emulate").current_dir(parent.path());
    let mut process = Process::start(process, Vec::new());
    process.wait_until("the emulator", |process| process.stdout().contains("Ctrl-C ends it."));
    let folder = parent.path().join("thingpost-emulator");
    let output = paste(&commands(&process)[0], &folder).end();
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn the_files_are_for_their_owner_only() {
    let folder = TempDir::new().unwrap();
    let _running = ready(folder.path(), &[]);
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort_unstable();
    let mut expected = FILES;
    expected.sort_unstable();
    assert_eq!(names, expected);
    for name in FILES {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_second_run_replaces_its_own_files_and_makes_them_private_again() {
    let folder = TempDir::new().unwrap();
    drop(ready(folder.path(), &[]));
    let path = folder.path().join("private.pem.key");
    let first = fs::read(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let process = ready(folder.path(), &[]);
    assert_ne!(fs::read(&path).unwrap(), first);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(paste(&commands(&process)[0], folder.path()).end().code, Some(0));
}

#[test]
fn files_that_it_did_not_make_are_left_alone_and_named() {
    for name in FILES {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(name);
        for content in [&b"-----BEGIN CERTIFICATE-----\n"[..], b"", b"\xff"] {
            fs::write(&path, content).unwrap();
            let output = emulate(folder.path(), &[]).end();
            assert_eq!(output.code, Some(2), "{output:?}");
            let complaint = output.only_complaint();
            assert!(complaint.contains(path.to_str().unwrap()) && complaint.contains("--dir"), "{complaint}");
            assert_eq!(fs::read(&path).unwrap(), content);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file was written");
        }
    }
}

#[test]
fn a_folder_or_an_address_that_cannot_be_used_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for (path, bind, word) in [
        (file.join("x"), "127.0.0.1", "file/x"),
        (file, "127.0.0.1", "/file"),
        (folder.path().into(), "192.0.2.1", "192.0.2.1"),
    ] {
        let output = emulate(&path, &["--bind", bind]).end();
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.only_complaint().contains(word), "{output:?}");
    }
    let output = emulate(folder.path(), &["--bind", "localhost"]).end();
    assert_eq!(output.code, Some(2));
    assert!(output.only_complaint().contains("--bind"), "{output:?}");
}

#[test]
fn refusals_show_as_well() {
    let folder = TempDir::new().unwrap();
    let mut process = ready(folder.path(), &[]);
    let misled = commands(&process)[3].replace("--region eu-central-1", "--region eu-central-9");
    assert_eq!(paste(&misled, folder.path()).end().code, Some(1));
    process.wait_until("the refusal", |process| process.stdout().contains("[refused, status 403 ForbiddenException]"));
}

#[test]
fn a_bad_day_is_bad_for_both_clouds_and_shows() {
    let folder = TempDir::new().unwrap();
    let mut process = ready(folder.path(), &["--chaos", "400=100%,page=40KB,seed=7"]);
    assert!(process.stdout().contains("Chaos: 400=100%,page=40KB,seed=7. "), "{}", process.stdout());
    for printed in &commands(&process)[..3] {
        assert_ne!(paste(printed, folder.path()).end().code, Some(0), "{printed}");
    }
    // The device of Aliyun has got no token.
    process.wait_until("two messages", |process| process.stdout().matches("[refused, status 400 ").count() == 2);
    assert!(!process.stdout().contains("[accepted"), "{}", process.stdout());
}

#[test]
fn a_bad_spec_is_answered_in_one_line_with_what_was_meant() {
    let folder = TempDir::new().unwrap();
    for (spec, words) in [
        ("503=10", &["503=10 should be STATUS=SHARE", "503=10%"][..]),
        ("retry-aftr=2", &["there is no retry-aftr=2", "retry-after was meant", "late-puback"]),
        ("quota-silent", &["quota-silent does nothing by itself", "quota=100/s,quota-silent"]),
        ("", &["--chaos", "503=10%"]),
    ] {
        let output = emulate(folder.path(), &["--chaos", spec]).end();
        assert_eq!(output.code, Some(2), "{output:?}");
        let complaint = output.only_complaint();
        for word in words.iter().chain(&["--chaos"]) {
            assert!(complaint.contains(word), "{spec}: {complaint}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no file was written");
    }
}

#[test]
fn the_help_says_what_a_bad_day_can_have() {
    let mut help = command(THINGPOST);
    help.args(["emulate", "--help"]);
    let output = Process::start(help, Vec::new()).end();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    for item in Chaos::items() {
        assert!(output.stdout.contains(&format!("  {} ", item.form())), "{}\n{}", item.form(), output.stdout);
    }
}
