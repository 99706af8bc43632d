//! Where the output goes: a terminal, a file, a pipe without a reader, a disk that is full.

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
fn a_record_that_cannot_be_written_is_named_and_no_success() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", numbered(10).join("\n"));
    let mut command = clouds.command(clouds.publish_aws().lines(lines).and(&["--json"]));
    command.stdout(File::create("/dev/full").unwrap());
    let output = clouds.run_command(command);
    assert_eq!(output.code, Some(4), "{output:?}");
    assert!(output.complaint().contains("cannot write the output from the record of line 1 on"), "{output:?}");
    assert_eq!(clouds.aws_accepted().len(), 10);

    let mut command = clouds.command(clouds.publish_aws());
    command.stdout(File::create("/dev/full").unwrap());
    assert_eq!(clouds.run_command(command).code, Some(0), "a person has the exit code");
}

#[test]
fn what_the_doctor_has_for_a_program_and_cannot_write_is_no_success_either() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().without("--topic").without("--message").of(&["doctor", "aws"]);
    for (line, code) in [(line.clone().and(&["--json"]), 4), (line, 0)] {
        let mut command = clouds.command(line);
        command.stdout(File::create("/dev/full").unwrap());
        let output = clouds.run_command(command);
        assert_eq!(output.code, Some(code), "{output:?}");
        assert!(output.complaint().contains("cannot write the output"), "{output:?}");
    }
}

/// Without a standard output, as after `>&-`.
fn without_output(line: CommandLine) -> std::process::Command {
    let mut shell = command("sh");
    shell.args(["-c", "exec \"$@\" >&-", "sh", THINGPOST]).args(line.into_arguments());
    shell
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_closed_takes_no_record() {
    let clouds = Clouds::start();
    let output = clouds.run_command(without_output(clouds.publish_aws().and(&["--json"])));
    assert_eq!(output.code, Some(4), "{output:?}");
    assert!(output.complaint().contains("standard output is closed"), "{output:?}");
    // A user who wants none says so.
    let mut command = clouds.command(clouds.publish_aws().and(&["--json"]));
    command.stdout(Stdio::null());
    assert_eq!(clouds.run_command(command).code, Some(0));
    assert_eq!(clouds.aws_accepted().len(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_subscribes_without_an_output_acknowledges_nothing() {
    let fronts = crate::mqtt::Fronts::start();
    let output = fronts.clouds.run_command(without_output(fronts.subscribe("a/b")));
    crate::clouds::assert_explained(&output, &["standard output is closed"]);
    assert!(fronts.aws.ledger().connects().is_empty());
}

/// The two ends of a pipe: ours, and one that does not block.
#[cfg(unix)]
fn never_blocking() -> (io::PipeReader, io::PipeWriter, io::PipeReader, io::PipeWriter) {
    let ((their_input, ours), (our_output, theirs)) = (io::pipe().unwrap(), io::pipe().unwrap());
    rustix::fs::fcntl_setfl(&their_input, rustix::fs::OFlags::NONBLOCK).unwrap();
    rustix::fs::fcntl_setfl(&theirs, rustix::fs::OFlags::NONBLOCK).unwrap();
    (their_input, ours, our_output, theirs)
}

#[cfg(unix)]
#[test]
fn files_that_do_not_block_are_waited_for() {
    use std::io::{Read, Write};
    let clouds = Clouds::start();
    let (input, mut ours, mut records, theirs) = never_blocking();
    let mut command = clouds.command(clouds.publish_aws().lines("-").and(&["--json"]));
    command.stdin(input).stdout(theirs);
    let process = clouds.start_command(command);
    let lines = numbered(2000);
    // Nothing is there at first, and the records are more than the pipe takes.
    let (first, rest) = lines.split_at(1000);
    for part in [first, rest] {
        ours.write_all((part.join("\n") + "\n").as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    drop(ours);
    let text = std::thread::spawn(move || {
        let mut text = String::new();
        records.read_to_string(&mut text).map(|_| text)
    });
    let output = clouds.checked(process.end());
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let text = text.join().unwrap().unwrap();
    assert_eq!(text.lines().count(), 2001);
    for line in text.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    assert_eq!(clouds.aws_accepted().len(), 2000);
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
