//! Files for what is nobody else's business, which must not be half there after a power cut.

use std::io::{self, Write};
use std::path::Path;

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
