//! A secret that is given out once must not be lost for want of a place. So the place is made before it is asked for: a new
//! file, readable by nobody else, with room for the secret.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use super::problem::Problem;

/// More than any secret has.
const ROOM: [u8; 256] = [b' '; 256];

/// A new file, to be filled or taken away again.
pub struct SecretFile {
    path: PathBuf,
    file: File,
    is_filled: bool,
}

impl SecretFile {
    /// Makes the file. One that is there already is left alone: it may be the only copy of another secret.
    pub fn create(option: &str, path: &Path) -> Result<Self, Problem> {
        let cannot = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => Problem::sentence(format!(
                "{option}: {} is there already, and may hold a secret: give a new file",
                path.display()
            )),
            _ => Problem::new(format!("{option}: cannot write {}", path.display()), error),
        };
        let file = private().write(true).create_new(true).open(path).map_err(cannot)?;
        let mut made = Self { path: path.to_owned(), file, is_filled: false };
        made.file.write_all(&ROOM).and_then(|()| made.file.sync_all()).map_err(cannot)?;
        Ok(made)
    }

    /// Writes the secret, as the one line of the file.
    pub fn fill(mut self, secret: &str) -> io::Result<()> {
        self.is_filled = true;
        self.file.rewind()?;
        writeln!(self.file, "{secret}")?;
        self.file.set_len(secret.len() as u64 + 1)?;
        self.file.sync_all()
    }
}

/// Without a secret it is of no use.
impl Drop for SecretFile {
    fn drop(&mut self) {
        if !self.is_filled {
            // It is empty but for blanks; whoever finds it loses nothing by removing it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}
