//! Files for what is private, which must not be half there after a power cut.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Where the file is behind links, which stay where they are, and what is in it up to a limit; nothing if it is not there.
/// Fails where none can be.
pub fn read(path: &Path, limit: u64) -> io::Result<(PathBuf, Vec<u8>)> {
    match fs::canonicalize(path) {
        Ok(path) => {
            // Neither a folder, nor a device, which another file must not take the place of.
            if !fs::metadata(&path)?.is_file() {
                return Err(io::Error::other("it is not a file"));
            }
            let mut content = Vec::new();
            File::open(&path)?.take(limit).read_to_end(&mut content)?;
            Ok((path, content))
        }
        Err(error) if fs::symlink_metadata(path).is_ok() => {
            Err(io::Error::other(format!("the link leads nowhere: {error}")))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Now, and not when all is over and there is something to be kept.
            fs::metadata(folder(path))?;
            Ok((path.to_owned(), Vec::new()))
        }
        Err(error) => Err(error),
    }
}

/// Writes a file, in place of the one of that name if there is one: readable by nobody else from the first byte on, and there
/// all at once or not at all. `prefix` is what its name begins with until then.
pub fn write(path: &Path, prefix: &str, content: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(prefix).tempfile_in(folder(path))?;
    file.write_all(content)?;
    // The name must not survive a power cut without the content.
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Where a file is.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_bare_name_is_the_current_one() {
        assert_eq!(folder(Path::new("session")), Path::new("."));
        assert_eq!(folder(Path::new("/session")), Path::new("/"));
    }
}
