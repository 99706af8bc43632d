//! A file of SQLite that is looked after: who may read it, whose it is, and which version of a program has written it.
//!
//! SQLite blocks, and a disk that is busy holds up a write for seconds. So the connection has a thread of its own, and those who want
//! something of it wait in a queue that is bounded.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::error::StoreError;

/// What is kept in a file, and how it came to be what it is.
pub(crate) struct Schema {
    /// A number that says whose file it is (SQLite's `application_id`).
    pub application_id: i32,
    /// What makes version `n + 1` of version `n`, as SQL; a new file goes through all of them. What was released never changes.
    pub versions: &'static [&'static str],
}

/// A database, and the thread that has it open. Cheap to clone; the thread ends with the last clone.
#[derive(Clone, Debug)]
pub struct Database {
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Those who may wait. One more waits to wait.
const QUEUE: usize = 64;

/// How long another process may hold the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of the log beside the file, above which it is cut back once it is written over.
const JOURNAL_BYTES: u32 = 1024 * 1024;

/// More pages than that SQLite does not count.
const MOST_PAGES: i64 = u32::MAX as i64 - 1;

impl Database {
    /// Opens the file, or makes it; without a path one in memory.
    pub(crate) fn open(path: Option<&Path>, schema: &Schema, max_bytes: u64) -> Result<Self, StoreError> {
        let mut connection = match path {
            None => Connection::open_in_memory()?,
            Some(path) => {
                make_private(path).map_err(|error| StoreError::File { path: path.to_owned(), error })?;
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                Connection::open_with_flags(path, flags).map_err(|error| of_file(path, error))?
            }
        };
        let path = path.unwrap_or(Path::new(":memory:"));
        prepare(&mut connection, path, schema, max_bytes)?;
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut connection);
            }
        });
        thread.map_err(|error| StoreError::File { path: path.to_owned(), error })?;
        Ok(Self { jobs })
    }

    /// Says whether a file could be opened, and leaves it as it is. One that is not there can be made.
    pub(crate) fn check(path: &Path, schema: &Schema) -> Result<(), StoreError> {
        match fs::metadata(path) {
            Ok(_) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(path, flags).map_err(|error| of_file(path, error))?;
                version(&connection, path, schema).map(|_| ())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
                fs::metadata(folder).map_err(|error| StoreError::File { path: path.to_owned(), error })?;
                Ok(())
            }
            Err(error) => Err(StoreError::File { path: path.to_owned(), error }),
        }
    }

    /// Does this with the database, on its thread. What was begun is done to its end even if its caller has given up.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, result) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The caller may have given up.
            let _ = sender.send(job(connection));
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        result.await.map_err(|_| StoreError::Closed)?
    }
}

/// What is in it is its owner's alone from the first byte on. SQLite gives the files beside it the same mode.
///
/// This is before SQLite has the file open: who closes a file takes all locks of the process off it.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600);
        let file = options.open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    options.open(path)?;
    Ok(())
}

fn prepare(connection: &mut Connection, path: &Path, schema: &Schema, max_bytes: u64) -> Result<(), StoreError> {
    connection.busy_timeout(PATIENCE)?;
    // Who first reads and then writes may find that another process has written in between, and SQLite refuses that at once,
    // however patient one is. So all transactions wait for the right to write before they read.
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    // What is not ours is left as it is.
    version(connection, path, schema)?;
    let on_file = |error| of_file(path, error);
    // What was acknowledged is on the disk.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(on_file)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(on_file)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_BYTES).map_err(on_file)?;
    let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(on_file)?;
    let pages = i64::try_from(max_bytes).unwrap_or(i64::MAX) / page.max(1);
    connection.pragma_update(None, "max_page_count", pages.clamp(1, MOST_PAGES)).map_err(on_file)?;
    let transaction = connection.transaction().map_err(on_file)?;
    // Another process may have made the same file since.
    let version = version(&transaction, path, schema)?;
    for step in &schema.versions[version..] {
        transaction.execute_batch(step).map_err(on_file)?;
    }
    transaction.pragma_update(None, "application_id", schema.application_id).map_err(on_file)?;
    transaction.pragma_update(None, "user_version", schema.versions.len() as i64).map_err(on_file)?;
    transaction.commit().map_err(on_file)
}

/// The version of the file; 0 of one that is new.
fn version(connection: &Connection, path: &Path, schema: &Schema) -> Result<usize, StoreError> {
    let number = |pragma: &str| -> Result<i64, StoreError> {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).map_err(|error| of_file(path, error))
    };
    let is_empty = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map_err(|error| of_file(path, error))?
        == 0;
    let (owner, version) = (number("application_id")?, number("user_version")?);
    match (is_empty, owner == i64::from(schema.application_id)) {
        (true, _) => Ok(0),
        (false, false) => Err(StoreError::Foreign { path: path.to_owned() }),
        (false, true) => match usize::try_from(version) {
            Ok(known) if known <= schema.versions.len() => Ok(known),
            _ => Err(StoreError::Newer { path: path.to_owned(), version }),
        },
    }
}

fn of_file(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = PathBuf::from(path);
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, error },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            StoreError::File { path, error: io::Error::other(error) }
        }
        _ => error.into(),
    }
}
