//! A process that authenticates each time it is started is soon throttled. So what it has obtained can be left in a file for
//! the next one: a secret, which nobody else may read at any moment, and which two processes may want to write at once.
//!
//! Processes that run at the same time share it as well. Before one of them authenticates it looks whether another has, and if
//! not, the others wait for it: where a new token ends the older ones, they would take it from each other for ever. Who
//! authenticates holds a lock, which goes with its process; and that is not waited for for long.
//!
//! The option is called `--session-file`, as the file is good for a session of the platform.
//!
//! A file that does not fit ends no run: all that is lost is one request. But a credential is written only over a credential, as
//! the path may be that of something which is hard to come by again.

use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use thingpost_host::runtime::SharedCredential;
use tokio::time::{Instant, sleep};

use super::input_file::{InputFile, refuse_any_of};
use super::lock::Lock;
use super::private_file;
use crate::error::{CliError, one_line};
use crate::terminal::complain;

/// More than any credential has.
const ENOUGH: u64 = 64 * 1024;

/// How long another process is waited for that authenticates. An authentication over a slow link takes less.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often is looked whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// Where a credential is kept. Clones share what is known of it.
#[derive(Clone)]
pub struct CredentialFile {
    /// Behind links: a link stays where it is.
    path: Arc<Path>,
    /// Whether something else is in it, which stays there.
    is_taken: bool,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// The credential that this process has, or had last.
    credential: Option<String>,
    /// Of another device, or of a later version.
    rejected: Option<String>,
    /// It is our turn to authenticate.
    turn: Option<Lock>,
}

impl CredentialFile {
    /// Reads what is there. It must be none of the files that the run reads otherwise.
    pub fn open(path: &Path, inputs: &[InputFile]) -> Result<Self, CliError> {
        refuse_any_of(inputs, "--session-file", path)?;
        let cannot_keep = |error| {
            let what = format!("--session-file: cannot keep a session in {}", path.display());
            CliError::new(what, format_args!("{error}; give another file"))
        };
        let (path, content) = private_file::read(path, ENOUGH).map_err(cannot_keep)?;
        hide(&path);
        let credential = credential_in(content);
        let is_taken = credential.is_none();
        if is_taken {
            complain_of(&path, "holds something else than a session, and is left as it is: give another file");
        }
        let known = Known { credential: credential.filter(|text| !text.is_empty()), ..Known::default() };
        Ok(Self { path: path.into(), is_taken, known: Arc::new(Mutex::new(known)) })
    }

    /// The credential to start with.
    pub fn credential(&self) -> Option<String> {
        self.known().credential.clone()
    }

    /// Forgets the credential, which is not for this device.
    pub fn reject(&self) {
        let mut known = self.known();
        known.rejected = known.credential.take();
        complain_of(&self.path, "holds a session of another device, endpoint or version, which is not used");
    }

    /// Keeps a credential if it is a new one, and one at all: it comes from the component. Whatever keeps it from being kept, the
    /// messages are not touched by that.
    pub fn keep(&self, credential: String) {
        let mut known = self.known();
        let fits = u64::try_from(credential.len()).is_ok_and(|length| length <= ENOUGH) && is_credential(&credential);
        if self.is_taken || !fits || known.credential.as_ref() == Some(&credential) {
            return;
        }
        if let Err(error) = private_file::write(&self.path, ".thingpost-session-", credential.as_bytes()) {
            complain_of(&self.path, &format!("cannot be written: {error}"));
        }
        known.credential = Some(credential);
    }

    /// What another process has left meanwhile.
    fn of_another(&self) -> Option<String> {
        let (_, content) = private_file::read(&self.path, ENOUGH).ok()?;
        let text = credential_in(content).filter(|text| !text.is_empty());
        let mut known = self.known();
        if text.is_none() || text == known.credential || text == known.rejected {
            return None;
        }
        known.credential.clone_from(&text);
        text
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait_for_turn(&self) -> Option<String> {
        let begin = Instant::now();
        loop {
            let other = self.of_another();
            if other.is_some() || self.is_taken || self.known().turn.is_some() {
                return other;
            }
            match Lock::take(&self.path) {
                Ok(Some(lock)) => {
                    // Its holder has just left something.
                    let other = self.of_another();
                    if other.is_none() {
                        self.known().turn = Some(lock);
                    }
                    return other;
                }
                Ok(None) if begin.elapsed() < PATIENCE => sleep(LOOK).await,
                // Where nothing can be locked, each goes its own way.
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

impl SharedCredential for CredentialFile {
    fn take_turn(&self) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>> {
        Box::pin(self.wait_for_turn())
    }

    fn obtained(&self, credential: Option<String>) {
        if let Some(credential) = credential {
            self.keep(credential);
        }
        self.known().turn = None;
    }
}

/// The credential in a file, or nothing in an empty one. None if it is something else.
fn credential_in(content: Vec<u8>) -> Option<String> {
    String::from_utf8(content).ok().filter(|text| text.is_empty() || is_credential(text))
}

/// The file may have been made before us, and for all to read.
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

/// The mode of a file says nothing here of its readers.
#[cfg(not(unix))]
fn hide(_: &Path) {}

fn complain_of(path: &Path, what: &str) {
    complain(one_line(&format!("thingpost: --session-file {} {what}", path.display())));
}

/// Whether this has the form of a credential, be it of another device or of a later version.
fn is_credential(text: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    ["version", "obtainedUnixMs"].iter().all(|name| value[name].is_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"version":1,"obtainedUnixMs":1}"#;
    const SECOND: &str = r#"{"version":1,"obtainedUnixMs":2}"#;

    #[tokio::test(start_paused = true)]
    async fn one_process_authenticates_and_the_others_get_what_came_of_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let open = || CredentialFile::open(&folder.path().join("session"), &[]).unwrap();
        let (one, other) = (open(), open());
        assert_eq!(one.take_turn().await, None);
        assert_eq!(one.take_turn().await, None, "an attempt that failed is not the end of the turn");
        let (got, ()) = tokio::join!(other.take_turn(), async {
            sleep(PATIENCE / 2).await;
            one.obtained(Some(FIRST.to_owned()));
        });
        assert_eq!(got.as_deref(), Some(FIRST));
        // That one is rejected, by both at the same time.
        assert_eq!(other.take_turn().await, None);
        let (got, ()) = tokio::join!(one.take_turn(), async { other.obtained(Some(SECOND.to_owned())) });
        assert_eq!(got.as_deref(), Some(SECOND));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_beyond_patience_nor_after_they_have_failed() {
        let folder = tempfile::TempDir::new().unwrap();
        let open = || CredentialFile::open(&folder.path().join("session"), &[]).unwrap();
        let (one, other) = (open(), open());
        assert_eq!(one.take_turn().await, None);
        let begin = Instant::now();
        assert_eq!(other.take_turn().await, None);
        assert!((PATIENCE..PATIENCE + LOOK * 2).contains(&begin.elapsed()));
        one.obtained(None);
        let begin = Instant::now();
        assert_eq!(other.take_turn().await, None);
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }

    #[test]
    fn what_a_component_hands_out_is_kept_only_if_it_is_a_credential() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = CredentialFile::open(&folder.path().join("session"), &[]).unwrap();
        file.keep(FIRST.to_owned());
        let long = format!(r#"{{"version":1,"obtainedUnixMs":1,"more":"{}"}}"#, "x".repeat(70_000));
        for other in ["#!/bin/sh", "", "{}", long.as_str()] {
            file.keep(other.to_owned());
            assert_eq!(fs::read_to_string(folder.path().join("session")).unwrap(), FIRST);
        }
    }

    #[test]
    fn a_credential_is_known_by_its_form() {
        assert!(is_credential(r#"{"version":2,"obtainedUnixMs":5,"more":[]}"#));
        for other in ["x", "{}", "[1]", r#"{"version":"2","obtainedUnixMs":5}"#, r#"{"version":1}"#] {
            assert!(!is_credential(other), "{other}");
        }
    }
}
