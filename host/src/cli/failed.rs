//! The file for lines that were not delivered, to be published again. It is there only if there are any.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::problem::Problem;

/// Lines go to it in their order.
pub struct Failed {
    path: PathBuf,
    file: BufWriter<File>,
    is_empty: bool,
}

impl Failed {
    /// Empties the file, which must not be the one that the lines come from.
    pub fn open(path: &Path, source: &Path) -> Result<Self, Problem> {
        let source = if source == Path::new("-") { Path::new("/dev/stdin") } else { source };
        if identity(path).is_some_and(|file| identity(source) == Some(file)) {
            return Err(Problem::sentence(format!(
                "--failed and --lines are both {}: give another file",
                path.display()
            )));
        }
        let file = File::create(path).map_err(|error| cannot_write(path, error))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), is_empty: true })
    }

    /// Adds a line.
    pub fn write(&mut self, line: &[u8]) -> Result<(), Problem> {
        self.is_empty = false;
        let written = self.file.write_all(line).and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| cannot_write(&self.path, error))
    }

    /// Leaves nothing in memory: the process may be killed.
    pub fn flush(&mut self) -> Result<(), Problem> {
        self.file.flush().map_err(|error| cannot_write(&self.path, error))
    }

    /// Takes an empty file away, but not what was given instead of one, such as `/dev/null`.
    pub fn finish(mut self) -> Result<(), Problem> {
        self.flush()?;
        let is_file = self.file.get_ref().metadata().is_ok_and(|metadata| metadata.is_file());
        if self.is_empty && is_file {
            fs::remove_file(&self.path).map_err(|error| cannot_write(&self.path, error))?;
        }
        Ok(())
    }
}

fn cannot_write(path: &Path, error: io::Error) -> Problem {
    Problem::new(format!("cannot write failed lines to {}", path.display()), error)
}

/// What two paths to one regular file have in common, hard links and redirected standard input included.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok()?;
    metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
}

/// What two paths to one file have in common.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}
