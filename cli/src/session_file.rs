//! A process that authenticates each time it is started is soon throttled. So what it has obtained can be left in a file for
//! the next one: a secret, which nobody else may read at any moment, and which two processes may want to write at once.
//!
//! A file that does not fit ends no run: all that is lost is one request. But a session is written only over a session, as
//! the path may be that of something which is hard to come by again.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::input_file::{InputFile, refuse_any_of};
use super::private_file;
use super::problem::{Problem, one_line};
use super::terminal::complain;

/// More than any session has.
const ENOUGH: u64 = 64 * 1024;

/// Where a session is kept.
pub struct SessionFile {
    /// Behind links: a link stays where it is.
    path: PathBuf,
    session: Option<String>,
    /// Whether something else is in it, which stays there.
    is_taken: bool,
}

impl SessionFile {
    /// Reads what is there. It must be none of the files that the run reads otherwise.
    pub fn open(path: &Path, inputs: &[InputFile]) -> Result<Self, Problem> {
        refuse_any_of(inputs, "--session-file", path)?;
        let cannot_keep = |error| Problem::new(format!("cannot keep a session in {}", path.display()), error);
        let (path, content) = private_file::read(path, ENOUGH).map_err(cannot_keep)?;
        hide(&path);
        let session = String::from_utf8(content).ok().filter(|text| text.is_empty() || is_session(text));
        let is_taken = session.is_none();
        if is_taken {
            complain_of(&path, "holds something else than a session, and is left as it is: give another file");
        }
        Ok(Self { path, session: session.filter(|text| !text.is_empty()), is_taken })
    }

    /// The session to start with.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Forgets the session, which is not for this device.
    pub fn reject(&mut self) {
        self.session = None;
        complain_of(&self.path, "holds a session of another device, endpoint or version, which is not used");
    }

    /// Keeps a session if it is a new one. Whatever keeps it from being kept, the messages are not touched by that.
    pub fn keep(&mut self, session: String) {
        if self.is_taken || self.session.as_ref() == Some(&session) {
            return;
        }
        if let Err(error) = private_file::write(&self.path, ".thingpost-session-", session.as_bytes()) {
            complain_of(&self.path, &format!("cannot be written: {error}"));
        }
        self.session = Some(session);
    }
}

/// Somebody may have made the file before us, and for all to read.
#[cfg(unix)]
fn hide(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let is_open = |metadata: fs::Metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0;
    if fs::metadata(path).is_ok_and(is_open)
        && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600))
    {
        complain_of(path, &format!("can be read by others, and that cannot be changed: {error}"));
    }
}

/// Who may read a file is not a matter of its mode here.
#[cfg(not(unix))]
fn hide(_: &Path) {}

fn complain_of(path: &Path, what: &str) {
    complain(one_line(&format!("thingpost: --session-file {} {what}", path.display())));
}

/// Whether this has the form of a session, be it of another device or of a later version.
fn is_session(text: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    ["version", "obtainedUnixMs"].iter().all(|name| value[name].is_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_by_its_form() {
        assert!(is_session(r#"{"version":2,"obtainedUnixMs":5,"more":[]}"#));
        for other in ["x", "{}", "[1]", r#"{"version":"2","obtainedUnixMs":5}"#, r#"{"version":1}"#] {
            assert!(!is_session(other), "{other}");
        }
    }
}
