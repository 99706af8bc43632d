//! A program of others that a test starts. It has processes of its own (jco), does not hear a signal that it should (wasmtime,
//! SIGTERM), or leaves something behind when it does (jco, SIGINT). So each has a group of processes to itself, and the group is killed
//! as soon as the test is gone, however that ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use thingpost_patience::within;
use tokio::sync::mpsc::{self, UnboundedReceiver};

/// Starts what its parameters say and waits for a pipe to close, which happens when the test lets go of it or is gone.
/// The end of the program is the end of its output, so the shell must not hold that.
const WATCH: &str = r#""$@" </dev/null & exec >/dev/null 2>&1; read -r _; kill -KILL 0"#;

/// A program that runs until this is dropped.
pub struct Running {
    watch: Child,
    life: Option<ChildStdin>,
    said: Arc<Mutex<String>>,
    lines: UnboundedReceiver<String>,
    reader: Option<JoinHandle<()>>,
}

/// Where `cargo xtask hosts` has put a program. None where it is not, which is said past the harness: that shows nothing of a test
/// that passes.
pub fn installed(program: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/hosts/bin").join(program);
    if file.is_file() {
        return Some(file);
    }
    let test = thread::current().name().unwrap_or_default().to_owned();
    // Standard error may be closed.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: {test}: {program} is not installed: `cargo xtask hosts` says why, or installs it"
    );
    None
}

/// A command that [`Running::start`] takes.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", WATCH, "watch"]).arg(program);
    command
}

impl Running {
    /// Waits for the line that says that it is ready. What it has said instead, if it ends before that.
    pub async fn start<T>(mut command: Command, ready: impl Fn(&str) -> Option<T>) -> Result<(Self, T), String> {
        let (output, stdout) = std::io::pipe().unwrap();
        let stderr = stdout.try_clone().unwrap();
        let command = command.process_group(0).stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        let mut watch = command.spawn().unwrap();
        // It would hold the other end of the pipe.
        command.stdout(Stdio::null()).stderr(Stdio::null());

        let (sender, lines) = mpsc::unbounded_channel();
        let said = Arc::new(Mutex::new(String::new()));
        let keep = Arc::clone(&said);
        let reader = thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                keep.lock().unwrap().push_str(&format!("{line}\n"));
                // The receiver is gone with the test.
                let _ = sender.send(line);
            }
        });
        let life = watch.stdin.take();
        let mut running = Self { watch, life, said, lines, reader: Some(reader) };
        match running.wait_for(ready).await {
            Some(found) => Ok((running, found)),
            None => Err(running.said()),
        }
    }

    /// The first line from here on in which something is found. None when the program has ended.
    pub async fn wait_for<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        within(async {
            while let Some(line) = self.lines.recv().await {
                if let Some(found) = find(&line) {
                    return Some(found);
                }
            }
            None
        })
        .await
    }

    /// All that it has said so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.life.take());
        // Of children of this process, and there is nothing to be done about an error.
        let _ = self.watch.wait();
        // The pipe ends with the last process that holds it, and so all are gone then, and use no folder any more.
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        if thread::panicking() {
            eprintln!("the host has said:\n{}", self.said());
        }
    }
}

/// The address behind some words of a line.
pub fn address_behind(words: &str) -> impl Fn(&str) -> Option<String> {
    move |line| {
        let (_, rest) = line.split_once(words)?;
        let end = rest.find(|byte: char| !byte.is_ascii_digit() && byte != '.' && byte != ':').unwrap_or(rest.len());
        Some(rest[..end].to_owned())
    }
}

/// A port that was free a moment ago, for programs that cannot say which they have got. Another may take it before they do, and then
/// they have to be started anew.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
