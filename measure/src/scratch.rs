//! Other programs want certificates and keys in files. A process that is interrupted runs no destructors, so files that
//! are to be gone with it must be taken away by a listener for the interruption.

use std::path::Path;
use std::time::Duration;
use std::{fs, io, process, thread};

use tempfile::TempDir;

/// How shells report the end by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// A folder that goes when this is dropped, or when the process is interrupted.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// Makes the folder, and removes it when the run is interrupted. The signal is listened for before the folder is
    /// there, by a thread that does nothing else: at no moment is the folder left, and none is too busy to end at once.
    pub fn new() -> io::Result<Self> {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let interruption = tokio.block_on(async { Interruption::listen() })?;
        let folder = TempDir::with_prefix("thingpost-bench-")?;
        let path = folder.path().to_owned();
        thread::spawn(move || {
            // Without signals there is nothing to listen for.
            if tokio.block_on(interruption.heard()).is_ok() {
                remove(&path);
                process::exit(INTERRUPTED);
            }
        });
        Ok(Self(folder))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// What measures goes on meanwhile, and so do the server and the scripts, which may just be writing something. What
/// comes into a folder while it is being removed keeps it there; once it is gone nothing comes any more.
fn remove(folder: &Path) {
    for _ in 0..1000 {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => thread::sleep(Duration::from_millis(5)),
            _ => return,
        }
    }
}

#[cfg(unix)]
struct Interruption([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Interruption {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]))
    }

    async fn heard(self) -> io::Result<()> {
        let [mut interrupt, mut terminate, mut hang_up] = self.0;
        tokio::select! {
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
            _ = hang_up.recv() => Ok(()),
        }
    }
}

#[cfg(not(unix))]
struct Interruption;

#[cfg(not(unix))]
impl Interruption {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn heard(self) -> io::Result<()> {
        tokio::signal::ctrl_c().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_while_somebody_writes_to_it() {
        let folder = TempDir::new().unwrap().keep();
        let writer = thread::spawn({
            let folder = folder.clone();
            move || (0..).take_while(|number: &u32| fs::write(folder.join(number.to_string()), "").is_ok()).count()
        });
        remove(&folder);
        assert!(!folder.exists());
        writer.join().unwrap();
    }
}
