//! A file for one run at a time. What is locked is not the file itself, which is replaced each time it is written, but an empty
//! one beside it, which goes away with the lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::input_file::identity;
use super::private_file::folder;

/// Held until this is dropped. The system ends it with the process, whatever kills that.
pub struct Lock {
    path: PathBuf,
    /// What is locked.
    _file: File,
}

impl Lock {
    /// Takes the lock of a file, which need not be there. None if another process has it.
    pub fn take(of: &Path) -> io::Result<Option<Self>> {
        let mut name = std::ffi::OsString::from(".");
        name.push(of.file_name().unwrap_or_default());
        name.push(".thingpost-lock");
        let path = folder(of).join(name);
        loop {
            let file = options().open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Its holder has taken the file away, perhaps after it was opened here: that one no other process would find.
            if is_at(&file, &path) {
                return Ok(Some(Self { path, _file: file }));
            }
        }
    }
}

/// Private, as what it is the lock of.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before the lock is gone. One that stays behind does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let ours = file.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    ours.is_some() && ours == identity(path)
}

/// A file that is open is not taken away.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    identity(path).is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn of_many_at_a_time_one_has_it_and_nothing_stays_behind() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("left");
        let (holders, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let Some(lock) = Lock::take(&path).unwrap() else { continue };
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        holders.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert!(taken.into_inner() > 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
