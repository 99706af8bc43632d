//! What a broker does with a session, a queue or a takeover is hard to write down and easy to get wrong, and a broker
//! of our own would share our mistakes with the client. So a real one does it: mosquitto, started for one test and gone
//! with it.
//!
//! It listens on a Unix socket in a folder of its own, so that there is no port that two tests could fight for and
//! no other process could connect to.

mod config;
mod error;
mod process;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

pub use config::BrokerOptions;
pub use error::BrokerError;
use process::Running;

/// How long mosquitto may take to start, to stop when asked to, or to be gone after a kill. It takes a few
/// milliseconds; under `nice` on a machine that is busy with something else it takes longer.
const DEADLINE: Duration = Duration::from_secs(300);

/// How often is looked whether something has happened that is not announced.
const TICK: Duration = Duration::from_millis(3);

const SOCKET: &str = "mqtt.sock";
const LOG: &str = "mosquitto.log";
const CONFIG: &str = "mosquitto.conf";

/// A mosquitto of its own, with a folder of its own. Dropping it kills the process and removes the folder, and so does
/// the end of the process that has started it, however it ends.
pub struct Broker {
    // Before the folder: fields are dropped in their order, and a process must not write to a folder that is going.
    running: Option<Running>,
    binary: PathBuf,
    socket: PathBuf,
    folder: TempDir,
}

impl Broker {
    /// Whether there is a mosquitto to start on this machine.
    pub fn is_installed() -> bool {
        process::find().is_some()
    }

    /// Starts a broker whose sessions survive whatever happens to it. Returns when it accepts connections.
    ///
    /// # Errors
    /// When mosquitto is not installed or does not start.
    pub async fn start() -> Result<Self, BrokerError> {
        Self::start_with(BrokerOptions::default()).await
    }

    /// As [`Broker::start`], with something different.
    ///
    /// # Errors
    /// When mosquitto is not installed or does not start.
    pub async fn start_with(options: BrokerOptions) -> Result<Self, BrokerError> {
        let binary = process::find().ok_or(BrokerError::NotInstalled)?;
        let folder = tempfile::Builder::new().prefix("broker-").tempdir().map_err(BrokerError::Folder)?;
        let socket = folder.path().join(SOCKET);
        let text = config::text(&options, folder.path(), &socket, &folder.path().join(LOG));
        fs::write(folder.path().join(CONFIG), text).map_err(BrokerError::Folder)?;
        if !options.users.is_empty() {
            process::write_passwords(&folder.path().join(config::PASSWORDS), options.users)
                .map_err(BrokerError::Start)?;
        }
        let mut broker = Self { running: None, binary, socket, folder };
        broker.start_again().await?;
        Ok(broker)
    }

    /// The Unix socket that it listens on. It stays the same for as long as the broker lives.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The number of the process, while there is one.
    pub fn process_id(&self) -> Option<u32> {
        self.running.as_ref().map(Running::id)
    }

    /// Whether it does not run: it was killed or stopped, or has ended by itself, which is not announced.
    pub fn has_ended(&mut self) -> bool {
        self.running.as_mut().is_none_or(Running::has_ended)
    }

    /// What it has logged so far. For the message of a test that failed.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder.path().join(LOG)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Starts it again after [`Broker::kill`] or [`Broker::stop`], with the sessions and messages that it has saved,
    /// and returns when it accepts connections. Nothing happens if it still runs.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_again(&mut self) -> Result<(), BrokerError> {
        if self.running.is_some() {
            return Ok(());
        }
        // A killed broker leaves its socket, and to connect to that one is refused just as to one that is not ready.
        match fs::remove_file(&self.socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(BrokerError::Folder(error)),
            _ => {}
        }
        let running = Running::start(&self.binary, &self.folder.path().join(CONFIG), self.folder.path());
        let running = self.running.insert(running.map_err(BrokerError::Start)?);
        let deadline = Instant::now() + DEADLINE;
        loop {
            if UnixStream::connect(&self.socket).await.is_ok() {
                return Ok(());
            }
            let ended = running.has_ended();
            if ended || Instant::now() >= deadline {
                self.running = None;
                let log = self.log();
                return Err(if ended { BrokerError::Ended { log } } else { BrokerError::TooSlow { log } });
            }
            sleep(TICK).await;
        }
    }

    /// Stops it in order and starts it again.
    ///
    /// # Errors
    /// When it does not stop or does not start.
    pub async fn restart(&mut self) -> Result<(), BrokerError> {
        self.stop().await?;
        self.start_again().await
    }

    /// Kills it, as a power failure would, and returns when it is gone. What it has not saved is lost. Nothing happens
    /// if it does not run.
    ///
    /// # Errors
    /// When it is not gone in time.
    pub async fn kill(&mut self) -> Result<(), BrokerError> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        running.kill().map_err(BrokerError::Signal)?;
        self.wait_for_the_end().await
    }

    /// Asks it to stop, which makes it save everything, and returns when it is gone. Nothing happens if it does not
    /// run.
    ///
    /// # Errors
    /// When it is not gone in time.
    pub async fn stop(&mut self) -> Result<(), BrokerError> {
        let Some(running) = &self.running else {
            return Ok(());
        };
        running.terminate().map_err(BrokerError::Signal)?;
        // mosquitto hears the signal before it is ready to act on it, and then goes on: so it is told again.
        let deadline = Instant::now() + DEADLINE / 2;
        while self.running.as_mut().is_some_and(|running| !running.has_ended()) && Instant::now() < deadline {
            sleep(TICK).await;
            if let Some(running) = &self.running {
                running.terminate().map_err(BrokerError::Signal)?;
            }
        }
        self.wait_for_the_end().await
    }

    /// Lets it go silent without a connection being closed: it does not run until [`Broker::resume`], and is not told.
    /// New connections are still accepted by the kernel. Returns when it has come to rest.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn pause(&self) -> Result<(), BrokerError> {
        let running = self.running.as_ref().ok_or(BrokerError::NotRunning)?;
        running.pause().map_err(BrokerError::Signal)?;
        let deadline = Instant::now() + DEADLINE;
        while !running.is_at_rest().map_err(BrokerError::Signal)? {
            if Instant::now() >= deadline {
                return Err(BrokerError::TooSlow { log: self.log() });
            }
            sleep(TICK).await;
        }
        Ok(())
    }

    /// Ends a pause.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<(), BrokerError> {
        let running = self.running.as_ref().ok_or(BrokerError::NotRunning)?;
        running.resume().map_err(BrokerError::Signal)
    }

    async fn wait_for_the_end(&mut self) -> Result<(), BrokerError> {
        let deadline = Instant::now() + DEADLINE;
        while let Some(running) = &mut self.running {
            if running.has_ended() {
                self.running = None;
            } else if Instant::now() >= deadline {
                return Err(BrokerError::TooSlow { log: self.log() });
            } else {
                sleep(TICK).await;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("socket", &self.socket)
            .field("process_id", &self.process_id())
            .finish_non_exhaustive()
    }
}
