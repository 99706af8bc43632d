//! Whether a file holds something else than before.
//!
//! Times of modification say less: tools that copy a file keep them, some file systems count whole seconds, and a link that
//! leads elsewhere may lead to an older file.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Of a larger file the rest is not looked at. The readers of this crate refuse such files.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Files, and what they held when they were looked at last: of that no more is kept than a keyed hash, as some hold secrets.
#[derive(Debug, Clone)]
pub struct WatchedFiles {
    key: RandomState,
    files: Vec<(PathBuf, Option<u64>)>,
}

impl WatchedFiles {
    /// Looks at these files. One that is not there may come; what is no regular file has no content that stays, and never changes.
    pub fn new(files: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let key = RandomState::new();
        let looked_at = |file: PathBuf| {
            let content = content(&key, &file);
            (file, content)
        };
        let files = files.into_iter().map(Into::into).map(looked_at).collect();
        Self { key, files }
    }

    /// Looks again. Gives the files that have another content than the last time, or none any more, or one at last.
    pub fn changed(&mut self) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        for (file, before) in &mut self.files {
            let now = content(&self.key, file);
            if now != *before {
                *before = now;
                changed.push(file.clone());
            }
        }
        changed
    }
}

fn content(key: &RandomState, file: &Path) -> Option<u64> {
    // To open a named pipe would be to wait for its writer.
    if !fs::metadata(file).ok()?.is_file() {
        return None;
    }
    let mut content = Vec::new();
    File::open(file).ok()?.take(LARGEST).read_to_end(&mut content).ok()?;
    Some(key.hash_one(&content))
}

#[cfg(test)]
mod tests {
    use std::slice;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn only_another_content_is_a_change() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("tls.crt");
        fs::write(&file, "old").unwrap();
        let mut files = WatchedFiles::new([&file]);
        assert!(files.changed().is_empty());
        fs::write(&file, "old").unwrap();
        assert!(files.changed().is_empty(), "it was written again, and is the same");
        fs::write(&file, "new").unwrap();
        assert_eq!(files.changed(), slice::from_ref(&file));
        assert!(files.changed().is_empty(), "it was told");
        fs::remove_file(&file).unwrap();
        assert_eq!(files.changed(), slice::from_ref(&file));
        fs::write(&file, "").unwrap();
        assert_eq!(files.changed(), [file]);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_relinked_two_links_away_is_a_change_of_the_files_in_it() {
        use std::os::unix::fs::symlink;
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (version, content) in [("..2026_01", "old"), ("..2026_02", "new")] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("tls.crt"), content).unwrap();
        }
        symlink("..2026_01", at("..data")).unwrap();
        symlink("..data/tls.crt", at("tls.crt")).unwrap();
        let mut files = WatchedFiles::new([at("tls.crt")]);
        symlink("..2026_02", at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        assert_eq!(files.changed(), [at("tls.crt")]);
        fs::remove_dir_all(at("..2026_01")).unwrap();
        assert!(files.changed().is_empty());
    }
}
