//! Running the command with a deadline. A test that fails must leave no process behind, and a process that hangs must
//! show what it had said so far.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use thingpost_patience::patience;

const LOOK: Duration = Duration::from_millis(5);

/// The command under test.
pub const THINGPOST: &str = env!("CARGO_BIN_EXE_thingpost");

/// A command in the environment of these tests: nothing of the developer's own, backtraces on, compiled components kept
/// from one run to the next.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let is_of_developer = |prefix| name.to_string_lossy().starts_with(prefix);
        let of_developer = ["THINGPOST_", "AWS_", "SSL_CERT_"].into_iter().any(is_of_developer);
        if of_developer || name.to_string_lossy().to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command
        .env("RUST_BACKTRACE", "1")
        .env("HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("nobody"))
        .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-cache"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Says what a test skips on this machine, past the harness, which shows nothing of a test that passes. `cargo xtask test`
/// counts these lines.
pub fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}

/// A process that is killed when this is dropped.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Stream,
    stderr: Stream,
    secrets: Vec<String>,
}

/// What a process said, and how it ended.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts it. None of the secrets may show in its output, nor, unless the user put it there, in the list of
    /// processes.
    pub fn start(mut command: Command, secrets: Vec<String>) -> Self {
        let mut child = command.spawn().expect("the process starts");
        let process = Self {
            stdin: child.stdin.take(),
            stdout: Stream::of(child.stdout.take()),
            stderr: Stream::of(child.stderr.take()),
            child,
            secrets,
        };
        process.assert_no_secret_is_listed(&command);
        process
    }

    /// Writes to its standard input, which must be a pipe.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("standard input is a pipe that is not closed");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the process reads");
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to this process and no other.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid]).status();
        assert!(sent.expect("there is a shell").success());
    }

    /// Whether a signal has a handler by now. Where the system does not tell, it is taken to have one.
    pub fn catches(&self, signal: u32) -> bool {
        let Ok(status) = fs::read_to_string(format!("/proc/{}/status", self.child.id())) else { return true };
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        // Signal 1 is the lowest bit.
        caught.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask >> (signal - 1) & 1 == 1))
    }

    /// Waits until something holds, while it runs.
    pub fn wait_until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let begin = Instant::now();
        while !holds(self) {
            let ended = self.child.try_wait().expect("the child is ours");
            let in_vain = ended.is_some() && !holds(self);
            assert!(!in_vain && begin.elapsed() < patience(), "waited for {what}: {ended:?}\n{}", self.so_far());
            thread::sleep(LOOK);
        }
    }

    /// What it has printed so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has complained about so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Ends its standard input and waits for its end.
    pub fn end(mut self) -> Output {
        self.stdin = None;
        self.end_by_itself()
    }

    /// Waits for its end without closing its standard input.
    pub fn end_by_itself(mut self) -> Output {
        let status = self.status();
        self.stdout.finish();
        self.stderr.finish();
        let output = Output { code: status.code(), stdout: self.stdout.text(), stderr: self.stderr.text() };
        output.assert_without(&self.secrets);
        output
    }

    fn status(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return status;
            }
            assert!(begin.elapsed() < patience(), "the process does not end\n{}", self.so_far());
            thread::sleep(LOOK);
        }
    }

    fn so_far(&self) -> String {
        format!("stdout: {}\nstderr: {}", self.stdout(), self.stderr())
    }

    fn assert_no_secret_is_listed(&self, command: &Command) {
        let given: Vec<String> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        let Ok(listed) = fs::read(format!("/proc/{}/cmdline", self.child.id())) else { return };
        let listed = String::from_utf8_lossy(&listed);
        for secret in &self.secrets {
            let by_the_user = given.iter().any(|argument| argument.contains(secret.as_str()));
            assert!(by_the_user || !listed.contains(secret.as_str()), "a secret is in the list of processes");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Output {
    /// The one line on standard error, when that is all that was said.
    #[track_caller]
    pub fn only_complaint(&self) -> &str {
        assert_eq!(self.stdout, "", "{self:?}");
        self.complaint()
    }

    /// The one line on standard error.
    #[track_caller]
    pub fn complaint(&self) -> &str {
        let line = self.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!line.is_empty() && !line.contains(char::is_control), "not one line: {self:?}");
        line
    }

    /// That a terminal does not show what was meant for the ledger alone, and that nothing broke.
    pub fn assert_without(&self, secrets: &[String]) {
        for (name, text) in [("standard output", &self.stdout), ("standard error", &self.stderr)] {
            for secret in secrets {
                assert!(!text.contains(secret.as_str()), "a secret is on {name}");
            }
            for trace in ["panicked", "backtrace", "RUST_BACKTRACE"] {
                assert!(!text.contains(trace), "{self:?}");
            }
        }
        assert_ne!(self.code, Some(101), "{self:?}");
    }
}

/// A thread that reads a stream to its end, so that a full pipe never blocks the process.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: Option<Receiver<()>>,
}

impl Stream {
    fn of(stream: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::default());
        let ended = stream.map(|stream| {
            let (bytes, (sender, ended)) = (Arc::clone(&bytes), mpsc::channel());
            thread::spawn(move || {
                read_all(stream, &bytes);
                let _ = sender.send(());
            });
            ended
        });
        Self { bytes, ended }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// The process is gone, but it may have left another one that still holds the stream.
    fn finish(&mut self) {
        if let Some(ended) = self.ended.take() {
            let ended = ended.recv_timeout(patience());
            assert!(ended.is_ok(), "somebody whom the process has left behind holds its output: {}", self.text());
        }
    }
}

fn read_all(mut stream: impl Read, bytes: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        bytes.lock().unwrap().extend_from_slice(&buffer[..count]);
    }
}
