//! Files that a run reads, and the check that it does not write over them: a private key is hard to come by again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::CliError;

/// A file that is read, and the option that names it.
#[derive(Clone)]
pub struct InputFile {
    pub option: &'static str,
    pub path: PathBuf,
}

/// Makes sure that a file to be written is none of those that are read.
pub fn refuse_any_of(inputs: &[InputFile], option: &str, path: &Path) -> Result<(), CliError> {
    for InputFile { option: other, path: input } in inputs {
        let input = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
        let is_same_file = identity(path).is_some_and(|file| identity(input) == Some(file));
        if is_same_file || place(path).is_some_and(|place| self::place(input) == Some(place)) {
            let path = path.display();
            return Err(CliError::sentence(format!("{option} and {other} are both {path}: give another file")));
        }
    }
    Ok(())
}

/// Where a file will be that is not there yet: two of one place would be written over each other.
fn place(path: &Path) -> Option<PathBuf> {
    if fs::symlink_metadata(path).is_ok() {
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
}

/// What two paths to one regular file have in common, hard links and redirected standard input included.
#[cfg(unix)]
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok()?;
    metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
}

/// What two paths to one file have in common.
#[cfg(not(unix))]
pub fn identity(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}
