//! Why something cannot be kept, or found again.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thingpost_host::file_hint;

/// The reason why a store cannot be used, or does not take a value.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be opened or made.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is a database of another program.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a later version of this program.
    Newer {
        /// The file.
        path: PathBuf,
        /// The format that it has.
        version: i64,
    },
    /// The file is damaged, or no database at all.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says of it.
        error: rusqlite::Error,
    },
    /// There is no room for the value.
    Full,
    /// A key or a value is too long, or too many are wanted at once.
    TooLarge(&'static str),
    /// The value that was to be incremented is no number, or would be too large a one.
    NotANumber,
    /// SQLite fails.
    Failed(rusqlite::Error),
    /// The thread of the database is gone.
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Failed(error),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => {
                write!(f, "the store {} cannot be opened: {error}; {}", path.display(), file_hint(path, error))
            }
            Self::Foreign { path } => {
                write!(f, "{} is a database of another program; give a file of its own to the store", path.display())
            }
            Self::Newer { path, version } => write!(
                f,
                "the store {} has format {version}, of a later version of this program; use that version, or move the file away",
                path.display()
            ),
            Self::Damaged { path, error } => write!(
                f,
                "the store {} is damaged, or no store: {error}; move it away, and a new one is made (tokens in it are fetched anew)",
                path.display()
            ),
            Self::Full => f.write_str("the store or its disk is full; raise store.max_bytes, or make room"),
            Self::TooLarge(what) => f.write_str(what),
            Self::NotANumber => f.write_str("the value is no number, or would be too large a one"),
            Self::Failed(error) => write!(f, "the store fails: {error}"),
            Self::Closed => f.write_str("the store is closed"),
        }
    }
}

impl std::error::Error for StoreError {}
