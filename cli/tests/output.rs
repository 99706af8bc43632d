//! Where the output goes: a terminal, a file, a pipe that nobody reads, a disk that is full.

use std::fs::File;
use std::io;
use std::process::Stdio;

use crate::clouds::{Clouds, numbered};
use crate::command::CommandLine;
use crate::process::{Process, THINGPOST, command};

/// A pipe whose reader is gone, as after `| head -0`.
fn closed() -> Stdio {
    let (_, writer) = io::pipe().unwrap();
    writer.into()
}

#[test]
fn a_closed_pipe_changes_neither_the_delivery_nor_the_exit_code() {
    let clouds = Clouds::start();
    clouds.aws.deny_topic_prefix("secret/");
    let lines = clouds.write("lines", numbered(100).join("\n"));
    for (line, code) in [
        (clouds.publish_aws(), 0),
        (clouds.publish_aws().and(&["--json"]), 0),
        (clouds.publish_aws().with("--topic", "secret/x"), 1),
        (clouds.publish_aws().with("--topic", "a/#"), 2),
        (clouds.publish_aws().with("--port", "0"), 2),
        (clouds.publish_aws().lines(&lines), 0),
        (clouds.publish_aws().lines(&lines).and(&["--json"]), 0),
        (CommandLine::new(&["help"]), 0),
        (CommandLine::new(&[]), 2),
        (CommandLine::new(&["demo"]), 0),
    ] {
        for both in [false, true] {
            let mut command = clouds.command(line.clone());
            command.stdout(closed());
            if both {
                command.stderr(closed());
            }
            let output = clouds.run_command(command);
            assert_eq!(output.code, Some(code), "{:?}: {output:?}", line.clone().into_arguments());
            assert!(code != 0 || output.stderr.is_empty(), "{output:?}");
        }
    }
    assert_eq!(clouds.aws_accepted().len(), 2 * (2 + 2 * 100));
}

#[test]
fn an_emulator_whose_reader_is_gone_goes_on() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut emulator = command(THINGPOST);
    emulator.arg("emulate").arg("--dir").arg(folder.path()).stdout(closed());
    let mut process = Process::start(emulator, Vec::new());
    let last = folder.path().join("aws-credentials.txt");
    process.wait_until("the files", |_| std::fs::read_to_string(&last).is_ok_and(|secret| secret.ends_with('\n')));
    process.wait_until("somebody who listens to signals", |process| process.catches(2));
    process.signal("INT");
    let output = process.end();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
}

#[test]
fn a_full_disk_under_the_output_is_said_once_and_the_exit_code_still_tells_of_the_messages() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", numbered(10).join("\n"));
    let mut command = clouds.command(clouds.publish_aws().lines(lines).and(&["--json"]));
    command.stdout(File::create("/dev/full").unwrap());
    let output = clouds.run_command(command);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.complaint().contains("cannot write the output"), "{output:?}");
}

#[test]
fn no_progress_shows_where_there_is_no_terminal() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", numbered(1000).join("\n"));
    let output = clouds.run(clouds.publish_aws().lines(lines));
    assert_eq!(output.stderr, "");
    assert!(!output.stdout.contains(['\r', '\x1b']), "{output:?}");
}

#[test]
fn progress_shows_on_a_terminal_and_goes_away_before_the_summary() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", numbered(3000).join("\n"));
    let words = clouds.publish_aws().lines(lines).into_arguments();
    let quoted = |word: &std::ffi::OsString| format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''"));
    let typed = format!("exec '{THINGPOST}' {}", words.iter().map(quoted).collect::<Vec<_>>().join(" "));
    let mut terminal = command("script");
    terminal.args(["--quiet", "--return", "--command", &typed, "/dev/null"]).env("TERM", "xterm");
    if std::process::Command::new("script").arg("--version").output().is_err() {
        crate::process::skipped("this machine has no `script` to make a terminal with");
        return;
    }
    let output = clouds.run_command(terminal);
    assert_eq!(output.code, Some(0), "{output:?}");
    let (progress, summary) = output.stdout.rsplit_once('\r').unwrap();
    assert!(progress.contains(" % ") && progress.contains(" left"), "{output:?}");
    assert!(output.stdout.contains("3000 delivered, 0 refused, 0 not sent, 0 unknown"), "{output:?}");
    assert_eq!(summary, "\n", "the summary is the last line");
}
