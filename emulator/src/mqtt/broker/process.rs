//! A test that is killed runs no destructors, and its broker would stay on the machine for good. Linux can tie a child
//! to its parent, but only by code that runs between fork and exec, which is not safe Rust. So a second child watches:
//! it waits for a pipe to close, which happens however the test ends, and then kills and cleans up.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// Debian puts it where only root's PATH looks.
const FOLDERS_BESIDE_PATH: &[&str] = &["/usr/sbin", "/usr/local/sbin"];

/// Its parameters are the number of the process and the folder.
const WATCH: &str = r#"read -r _; kill -9 "$1"; rm -rf "$2""#;

/// Where mosquitto is.
pub(super) fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let beside = FOLDERS_BESIDE_PATH.iter().map(PathBuf::from);
    env::split_paths(&path).chain(beside).map(|folder| folder.join("mosquitto")).find(|file| file.is_file())
}

/// Writes the file of passwords, which mosquitto takes as hashes only. `mosquitto_passwd` makes them, in place: on its command line a
/// password would stand in the list of processes.
pub(super) fn write_passwords(path: &Path, users: &[(&str, &str)]) -> io::Result<()> {
    let lines: String = users.iter().map(|(name, password)| format!("{name}:{password}\n")).collect();
    std::fs::write(path, lines)?;
    match Command::new("mosquitto_passwd").arg("-U").arg(path).stdin(Stdio::null()).output()? {
        output if output.status.success() => Ok(()),
        output => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

/// A process of mosquitto and the one that watches it.
pub(super) struct Running {
    broker: Child,
    watch: Child,
}

impl Running {
    pub(super) fn start(binary: &Path, config: &Path, folder: &Path) -> io::Result<Self> {
        // Both in groups of their own: a Ctrl-C is meant for the test, which may still want something of its broker.
        let mut broker = Command::new(binary)
            .arg("-c")
            .arg(config)
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let watch = Command::new("sh")
            .args(["-c", WATCH, "watch", &broker.id().to_string()])
            .arg(folder)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match watch {
            Ok(watch) => Ok(Self { broker, watch }),
            Err(error) => {
                end(&mut broker);
                Err(error)
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.broker.id()
    }

    /// Whether the process is gone. One that cannot be asked about is.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.broker.try_wait(), Ok(None))
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.broker.kill()
    }

    pub(super) fn terminate(&self) -> io::Result<()> {
        // One that was paused would never hear of it.
        self.signal(Signal::TERM)?;
        self.signal(Signal::CONT)
    }

    pub(super) fn pause(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    pub(super) fn resume(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Whether a pause has begun.
    pub(super) fn is_at_rest(&self) -> io::Result<bool> {
        // Without NOWAIT this would be told only once, and a second pause would wait for good.
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.pid()?), options)?.is_some_and(|status| status.stopped()))
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(self.pid()?, signal)?)
    }

    /// It stays the process's own until this child has been waited for.
    fn pid(&self) -> io::Result<Pid> {
        let id = i32::try_from(self.broker.id()).map_err(io::Error::other)?;
        Pid::from_raw(id).ok_or_else(|| io::Error::other("a process without a number"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The watch first: once the broker has been waited for, its number may be another process's.
        end(&mut self.watch);
        end(&mut self.broker);
    }
}

/// Kills a child and waits for it, which does not take long: nothing can refuse.
fn end(child: &mut Child) {
    let _ended_already = child.kill();
    let _cannot_be_waited_for = child.wait();
}
