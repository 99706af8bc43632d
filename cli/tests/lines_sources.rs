//! Where lines come from: files, pipes that are slow, sources that break in the middle.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use crate::clouds::{Clouds, payloads};

const TWO: &str = "2 delivered, 0 refused, 0 not sent, 0 unknown\n";

#[test]
fn a_line_of_a_slow_pipe_is_published_before_the_next_one_is_written() {
    let clouds = Clouds::start();
    let mut process = clouds.start_piped(clouds.publish_aws().lines("-"));
    process.write(b"first\n");
    clouds.wait_for_aws(1);
    assert_eq!(process.stdout(), "");
    process.write(b"sec");
    process.write(b"ond\n");
    clouds.wait_for_aws(2);
    let output = clouds.checked(process.end());
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), TWO, ""));
    assert_eq!(clouds.aws_accepted(), ["first", "second"]);
}

#[test]
fn line_ends_are_not_part_of_the_message_and_the_last_one_may_be_missing() {
    let clouds = Clouds::start();
    for (input, messages) in [
        (&b"a\r\nb\r\n"[..], &[&b"a"[..], b"b"][..]),
        (b"a\nb", &[b"a", b"b"]),
        (b"\n\na\n\r\n\nb\n\n", &[b"a", b"b"]),
        (b" a \nb\r", &[b" a ", b"b\r"]),
        (b"\xe4\n\xff\xfe\x00\n", &[b"\xe4", b"\xff\xfe\x00"]),
    ] {
        for source in [clouds.write("lines", input).as_os_str(), "-".as_ref()] {
            clouds.aws.ledger().clear();
            let output = clouds.run_on(clouds.publish_aws().lines(source), if source == "-" { input } else { b"" });
            assert_eq!((output.code, output.stdout.as_str()), (Some(0), TWO), "{output:?}");
            let mut arrived: Vec<_> = clouds.aws.ledger().accepted().into_iter().map(|entry| entry.payload).collect();
            arrived.sort_unstable();
            assert_eq!(arrived, messages);
        }
    }
}

#[test]
fn a_failed_line_keeps_its_bytes() {
    let clouds = Clouds::start();
    clouds.aws.deny_topic_prefix("sensors/");
    let failed = clouds.path("failed");
    let line = clouds.publish_aws().lines("-").with("--failed", &failed);
    let output = clouds.run_on(line, b"\xff\x00\xe4\r\n\nlast");
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), "0 delivered, 2 refused, 0 not sent, 0 unknown\n"));
    assert_eq!(std::fs::read(failed).unwrap(), b"\xff\x00\xe4\nlast\n");
}

/// A socket for standard input, and its other end.
pub fn socket() -> (TcpStream, Stdio) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let ours = listener.accept().unwrap().0;
    // What is never read here lets the close be a reset, which the reader over there sees as an error.
    theirs.write_all(b"unread").unwrap();
    (ours, Stdio::from(OwnedFd::from(theirs)))
}

#[test]
fn a_source_that_breaks_in_the_middle_is_reported_after_what_it_gave_has_been_published() {
    let clouds = Clouds::start();
    let (mut ours, stdin) = socket();
    ours.peek(&mut [0; 6]).unwrap();
    let mut command = clouds.command(clouds.publish_aws().lines("-"));
    command.stdin(stdin);
    let process = clouds.start_command(command);
    ours.write_all(b"a\nb\n").unwrap();
    clouds.wait_for_aws(2);
    drop(ours);
    let output = clouds.checked(process.end());
    assert_eq!(output.stdout, TWO, "{output:?}");
    assert!(output.complaint().contains("could not be read to the end"), "{output:?}");
    assert_eq!(output.code, Some(3), "the rest was not sent");
    assert_eq!(payloads(&clouds.aws.ledger().accepted()).len(), 2);
}

#[test]
fn a_source_that_breaks_at_once_is_wrong_input() {
    let clouds = Clouds::start();
    let (ours, stdin) = socket();
    ours.peek(&mut [0; 6]).unwrap();
    drop(ours);
    let mut command = clouds.command(clouds.publish_aws().lines("-"));
    command.stdin(stdin);
    clouds.assert_wrong(&clouds.run_command(command), &["could not be read"]);
}

#[test]
fn a_named_pipe_is_a_source_too() {
    let clouds = Clouds::start();
    let pipe = clouds.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("there is mkfifo").success());
    let process = clouds.start_command(clouds.command(clouds.publish_aws().lines(&pipe)));
    // Opening waits for the other side, and so must not be done where a failing test could not be ended.
    let writer = std::thread::spawn(move || std::fs::write(pipe, "a\nb\n").unwrap());
    let output = clouds.checked(process.end());
    writer.join().unwrap();
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), TWO), "{output:?}");
}

#[test]
fn nothing_is_read_from_standard_input_for_a_single_message() {
    let clouds = Clouds::start();
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"for somebody else").unwrap();
    drop(writer);
    let mut command = clouds.command(clouds.publish_aws());
    command.stdin(reader.try_clone().unwrap());
    assert_eq!(clouds.run_command(command).code, Some(0));
    let mut left = String::new();
    reader.read_to_string(&mut left).unwrap();
    assert_eq!(left, "for somebody else");
}
