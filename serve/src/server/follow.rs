//! A server whose files change while it runs.
//!
//! An operator edits the file, or a machine renews a certificate, and that is to be all. What they have written is taken up whole or not
//! at all, so a mistake leaves in place what there was, and says so once.

use std::error::Error as StdError;
use std::fmt;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;

use thingpost_host::{ExpiresSoon, ExpiryReminder, WatchedFiles};
use tokio::task::spawn_blocking;

use super::{Reloaded, Server};
use crate::config::{Config, ConfigError, Loaded, Loader};

/// Makes a configuration of the file as it is now.
type Read = Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// Notices that files of a server have changed, and has it take them up.
pub struct Follower {
    read: Read,
    state: State,
    /// Why what changed is not in use, as it was told last.
    told: Option<String>,
    reminder: ExpiryReminder,
}

#[derive(Default)]
struct State {
    loader: Loader,
    files: Option<(Vec<PathBuf>, WatchedFiles)>,
    /// What has changed since something was taken up last.
    changed: Vec<PathBuf>,
}

/// What came of looking at the files.
#[derive(Debug)]
#[non_exhaustive]
pub enum FollowEvent {
    /// The files have changed, and the server goes by them.
    Reloaded {
        /// Those that have changed.
        files: Vec<PathBuf>,
        /// What came of it.
        reloaded: Reloaded,
    },
    /// The files have changed, and cannot be used as they are: all stays as it is. Told once for each reason.
    Kept {
        /// Why.
        error: Box<dyn StdError + Send + Sync>,
    },
    /// None of the files has changed: told to those who asked.
    Unchanged,
    /// The certificate of a route ends soon: told at most once a day.
    ExpiresSoon(ExpiresSoon),
}

impl Follower {
    /// Follows the configuration that `read` reads, and all files that it names. Gives what to start with.
    ///
    /// # Errors
    ///
    /// The configuration cannot be read, or something that it names.
    pub fn new(
        read: impl Fn() -> Result<Config, ConfigError> + Send + Sync + 'static,
    ) -> Result<(Self, Loaded), ConfigError> {
        let mut state = State::default();
        let loaded = state.load(&read)?;
        Ok((Self { read: Arc::new(read), state, told: None, reminder: ExpiryReminder::default() }, loaded))
    }

    /// Looks at the files now. `is_asked` is for those who want to hear of it in any case. A look that is given up is lost for good, with
    /// what had changed: for those who end.
    pub async fn check(&mut self, server: &Server, is_asked: bool) -> Vec<FollowEvent> {
        let (mut state, read) = (std::mem::take(&mut self.state), Arc::clone(&self.read));
        let looked = spawn_blocking(move || {
            let loaded = state.note_changes().then(|| state.load(&*read));
            (state, loaded)
        });
        let loaded = match looked.await {
            Ok((state, loaded)) => {
                self.state = state;
                loaded
            }
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime is about to end.
            Err(_) => return Vec::new(),
        };
        let reloaded = match loaded {
            None => None,
            Some(Ok(loaded)) => Some(server.reload(loaded).await.map_err(Box::<dyn StdError + Send + Sync>::from)),
            Some(Err(error)) => Some(Err(Box::<dyn StdError + Send + Sync>::from(error))),
        };
        let mut events = Vec::new();
        match reloaded {
            None if is_asked => events.push(FollowEvent::Unchanged),
            None => {}
            Some(Ok(reloaded)) => {
                self.told = None;
                events.push(FollowEvent::Reloaded { files: std::mem::take(&mut self.state.changed), reloaded });
            }
            Some(Err(error)) => {
                let reason = error.to_string();
                if is_asked || self.told.as_ref() != Some(&reason) {
                    self.told = Some(reason);
                    events.push(FollowEvent::Kept { error });
                }
            }
        }
        let expiry = server.shared.transport.expires_soon().filter(|expiry| self.reminder.is_due(expiry));
        events.extend(expiry.map(FollowEvent::ExpiresSoon));
        events
    }
}

impl State {
    /// Whether something has changed that is not taken up.
    fn note_changes(&mut self) -> bool {
        let changed = self.files.as_mut().map(|(_, files)| files.changed()).unwrap_or_default();
        for file in changed {
            if !self.changed.contains(&file) {
                self.changed.push(file);
            }
        }
        !self.changed.is_empty()
    }

    fn load(&mut self, read: &dyn Fn() -> Result<Config, ConfigError>) -> Result<Loaded, ConfigError> {
        let mut config = read()?;
        let names = config.files();
        if self.files.as_ref().is_none_or(|(before, _)| *before != names) {
            // Looked at before they are loaded, and the file that names them once more after that: nothing is missed that is
            // replaced in between.
            self.files = Some((names.clone(), WatchedFiles::new(names)));
            config = read()?;
        }
        self.loader.load(config)
    }
}

impl fmt::Display for FollowEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reloaded { files, reloaded } => {
                f.write_str("taken up:")?;
                files.iter().try_for_each(|file| write!(f, " {}", file.display()))?;
                match &reloaded.after_restart[..] {
                    [] => Ok(()),
                    keys => write!(f, "; {} stays as it was until a restart", keys.join(", ")),
                }
            }
            Self::Kept { error } => write!(f, "what there was stays in use: {error}"),
            Self::Unchanged => f.write_str("none of the files has changed"),
            Self::ExpiresSoon(expiry) => write!(f, "the certificate of a route {expiry}; renew it"),
        }
    }
}
