//! Other programs want certificates and keys in files. A process that is interrupted runs no destructors, so files that
//! are to be gone with it must be taken away by somebody who hears the interruption.

use std::path::Path;
use std::{fs, io, process, thread};

use tempfile::TempDir;

/// How shells report the end by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// A folder that goes when this is dropped, or when the process is interrupted.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub fn new() -> io::Result<Self> {
        let folder = TempDir::with_prefix("thingpost-bench-")?;
        let path = folder.path().to_owned();
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::spawn(move || {
            // Without signals there is nobody to hear.
            if tokio.block_on(interrupted()).is_ok() {
                let _ = fs::remove_dir_all(path);
                process::exit(INTERRUPTED);
            }
        });
        Ok(Self(folder))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

#[cfg(unix)]
async fn interrupted() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        heard = tokio::signal::ctrl_c() => heard,
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn interrupted() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
