//! Files that change while a process runs, and certificates that end.
//!
//! A certificate is replaced by replacing a file, and its owner expects that to be all. Notifications of the file system are no way to
//! learn of it: Kubernetes relinks a folder two links away from the file, network file systems do not notify, and tools write
//! a certificate first and its key later. So the contents are looked at again and again, and what cannot be used, which half
//! of a pair is, leaves in place what there was.

mod expiry;
mod watched_files;

use std::error::Error as StdError;
use std::fmt;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::transport::{Transport, WorkloadConfig};

pub use crate::x509::validity::ExpiresSoon;
pub use expiry::ExpiryReminder;
pub use watched_files::WatchedFiles;

/// How often files are looked at. Reading three of them takes some 50 us, and an old certificate is commonly good for hours
/// after the new one is there; Kubernetes itself takes up to a minute to bring it.
pub const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// Anything that says in one line why there is no new configuration.
type BoxError = Box<dyn StdError + Send + Sync>;

/// Makes a configuration of what the files hold now.
type Load = Arc<dyn Fn() -> Result<WorkloadConfig, BoxError> + Send + Sync>;

/// Has a [`Transport`] follow its files: when one of them has another content, the configuration is loaded again and put in the
/// place of the one that there is.
///
/// ```no_run
/// # use thingpost_host::{Identity, Route, RouteTable, Transport, TrustRoots, WorkloadConfig};
/// use thingpost_host::{Pool, Reloader, WatchedFiles};
///
/// # type Error = Box<dyn std::error::Error + Send + Sync>;
/// # async fn follow(roots: TrustRoots) -> Result<(), Error> {
/// let load = move || -> Result<WorkloadConfig, Error> {
///     let device = Identity::from_pem_files("tls.crt".as_ref(), "tls.key".as_ref())?;
///     let route = Route::new("iot.example.com", roots.clone()).identity(device);
///     Ok(WorkloadConfig::new("thermometer", RouteTable::new(vec![route])?))
/// };
/// // Looked at before they are loaded, so that nothing is missed that is replaced in between.
/// let files = WatchedFiles::new(["tls.crt", "tls.key"]);
/// let transport = Transport::new(Pool::default(), load()?);
/// let reloader = Reloader::new(transport, files, load);
/// tokio::spawn(reloader.run(|event| eprintln!("{event}")));
/// # Ok(())
/// # }
/// # let _ = follow;
/// ```
#[derive(Clone)]
pub struct Reloader {
    transport: Transport,
    files: WatchedFiles,
    load: Load,
    interval: Duration,
    /// What has changed since something was taken up last.
    changed: Vec<PathBuf>,
    /// Why what changed could not be used, as it was told last. None while all is taken up.
    told: Option<String>,
    reminder: ExpiryReminder,
}

/// What came of looking at the files.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReloadEvent {
    /// The files have changed, and the transport has a new configuration.
    Reloaded {
        /// All that have changed since the configuration before this one, each once.
        files: Vec<PathBuf>,
    },
    /// The files have changed, and cannot be used as they are: the configuration that there was stays. Told once for each reason;
    /// it is tried again each time, as the other half of a pair may come.
    Kept {
        /// Why.
        error: BoxError,
    },
    /// The certificate of an identity ends soon: told at most once a day.
    ExpiresSoon(ExpiresSoon),
}

impl Reloader {
    /// Watches `files` for `load` to read again, from the content on that they had when `files` was made: make it before the configuration
    /// is loaded that `transport` has, as what is replaced between the two would never be noticed otherwise. Looks every
    /// [10 seconds](POLL_INTERVAL).
    pub fn new(
        transport: Transport,
        files: WatchedFiles,
        load: impl Fn() -> Result<WorkloadConfig, BoxError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            transport,
            files,
            load: Arc::new(load),
            interval: POLL_INTERVAL,
            changed: Vec::new(),
            told: None,
            reminder: ExpiryReminder::default(),
        }
    }

    /// Sets how often the files are looked at.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Looks at the files now: for those who learn from elsewhere that there is something new, by a signal for instance.
    pub async fn check(&mut self) -> Vec<ReloadEvent> {
        let (mut files, load, mut changed) = (self.files.clone(), Arc::clone(&self.load), self.changed.clone());
        let looked = spawn_blocking(move || {
            for file in files.changed() {
                if !changed.contains(&file) {
                    changed.push(file);
                }
            }
            let loaded = (!changed.is_empty()).then(|| load());
            (files, changed, loaded)
        });
        let (files, changed, loaded) = match looked.await {
            Ok(looked) => looked,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime is about to end.
            Err(_) => return Vec::new(),
        };
        self.files = files;
        let mut events = Vec::new();
        match loaded {
            None => {}
            Some(Ok(config)) => {
                self.transport.reconfigure(config);
                self.told = None;
                self.changed.clear();
                events.push(ReloadEvent::Reloaded { files: changed });
            }
            Some(Err(error)) => {
                self.changed = changed;
                let reason = error.to_string();
                if self.told.as_ref() != Some(&reason) {
                    self.told = Some(reason);
                    events.push(ReloadEvent::Kept { error });
                }
            }
        }
        events
            .extend(self.transport.expires_soon().filter(|it| self.reminder.is_due(it)).map(ReloadEvent::ExpiresSoon));
        events
    }

    /// Looks at the files for ever, and tells `on_event` what came of it. To end it, drop it, or abort its task.
    pub async fn run(mut self, mut on_event: impl FnMut(ReloadEvent)) {
        loop {
            self.check().await.into_iter().for_each(&mut on_event);
            sleep(self.interval).await;
        }
    }
}

impl fmt::Debug for Reloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloader")
            .field("files", &self.files)
            .field("interval", &self.interval)
            .field("changed", &self.changed)
            .field("told", &self.told)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ReloadEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reloaded { files } => {
                f.write_str("taken up:")?;
                files.iter().try_for_each(|file| write!(f, " {}", file.display()))
            }
            Self::Kept { error } => write!(f, "what there was stays in use: {error}"),
            Self::ExpiresSoon(expiry) => write!(f, "the certificate of the device {expiry}; renew it"),
        }
    }
}
