//! A secret that is given out once must not be lost for want of a place, nor take the place of another that was. So its place
//! is made before it is asked for: a file beside the one that was named, readable by nobody else, with room for the secret.
//! It gets its name when it is full. Whatever keeps it from that, the secret stays in it, and on no terminal.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::input_file::{InputFile, refuse_any_of};
use super::private_file::folder;
use crate::error::CliError;

/// More than any secret has.
const ROOM: [u8; 256] = [b' '; 256];

/// A place for a secret. Unless it is filled, it goes away again.
pub struct SecretFile {
    /// Behind links: a link stays where it is.
    path: PathBuf,
    file: NamedTempFile,
    /// Whether there is a file that it is to replace.
    replaces: bool,
}

/// Why a secret is not where it should be.
#[derive(Debug)]
pub enum MisplacedSecret {
    /// It is in this file, which nobody else may read either.
    Elsewhere { path: PathBuf, error: io::Error },
    /// It is lost.
    Nowhere(io::Error),
}

impl SecretFile {
    /// Makes the place. A file of that name is replaced only if it is empty, or by `force`: it may be the only copy of another
    /// secret. It must be none of the inputs.
    pub fn prepare(option: &str, path: &Path, force: bool, inputs: &[InputFile]) -> Result<Self, CliError> {
        refuse_any_of(inputs, option, path)?;
        let cannot_write =
            |error: io::Error| CliError::new(format!("{option}: cannot write {}", path.display()), error);
        let (path, replaces) = match fs::canonicalize(path) {
            Ok(behind_links) => {
                // Neither a folder, nor a device, which another file must not take the place of.
                if !fs::metadata(&behind_links).map_err(cannot_write)?.is_file() {
                    return Err(cannot_write(io::Error::other("it is not a file")));
                }
                if !force && !is_empty(&behind_links).map_err(cannot_write)? {
                    return Err(CliError::sentence(format!(
                        "{option}: {} is there already, and may hold a secret: give a new file, or --force",
                        path.display()
                    )));
                }
                (behind_links, true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), false),
            Err(error) => return Err(cannot_write(error)),
        };
        let mut file =
            tempfile::Builder::new().prefix(".thingpost-secret-").tempfile_in(folder(&path)).map_err(cannot_write)?;
        file.write_all(&ROOM).and_then(|()| file.as_file().sync_all()).map_err(cannot_write)?;
        Ok(Self { path, file, replaces })
    }

    /// Writes the secret, as the one line of the file, and gives the file its name.
    pub fn fill(mut self, secret: &str) -> Result<(), MisplacedSecret> {
        if let Err(error) = write(self.file.as_file_mut(), secret) {
            return Err(elsewhere(secret, error));
        }
        let named = match self.replaces {
            true => self.file.persist(&self.path),
            // A file may have come there meanwhile.
            false => self.file.persist_noclobber(&self.path),
        };
        match named {
            Ok(_) => {
                // The name should survive a power cut; where a folder cannot be synced, it is there all the same.
                let _ = File::open(folder(&self.path)).and_then(|folder| folder.sync_all());
                Ok(())
            }
            Err(named) => Err(match named.file.keep() {
                Ok((_, path)) => MisplacedSecret::Elsewhere { path, error: named.error },
                Err(_) => elsewhere(secret, named.error),
            }),
        }
    }
}

impl MisplacedSecret {
    /// Removes what is of no use in another place.
    pub fn discard(self) {
        if let Self::Elsewhere { path, .. } = self {
            // Nobody else may read it, should it stay.
            let _ = fs::remove_file(path);
        }
    }
}

/// Where temporary files go, which may be on another disk.
fn elsewhere(secret: &str, error: io::Error) -> MisplacedSecret {
    let kept = tempfile::Builder::new().prefix("thingpost-secret-").tempfile().and_then(|mut file| {
        write(file.as_file_mut(), secret)?;
        Ok(file.keep()?.1)
    });
    match kept {
        Ok(path) => MisplacedSecret::Elsewhere { path, error },
        Err(_) => MisplacedSecret::Nowhere(error),
    }
}

fn write(file: &mut File, secret: &str) -> io::Result<()> {
    file.rewind()?;
    writeln!(file, "{secret}")?;
    file.set_len(secret.len() as u64 + 1)?;
    file.sync_all()
}

/// Whether there is nothing but white space in it.
fn is_empty(path: &Path) -> io::Result<bool> {
    let mut content = Vec::new();
    File::open(path)?.take(ROOM.len() as u64 + 1).read_to_end(&mut content)?;
    Ok(content.trim_ascii().is_empty() && content.len() <= ROOM.len())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_secret_that_cannot_be_written_to_its_place_is_kept_in_another() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("secret");
        let mut place = SecretFile::prepare("--secret-file", &path, false, &[]).unwrap();
        *place.file.as_file_mut() = File::open(place.file.path()).unwrap();
        let Err(MisplacedSecret::Elsewhere { path: other, .. }) = place.fill("hush") else { panic!("it was kept") };
        assert_eq!(fs::read_to_string(&other).unwrap(), "hush\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::remove_file(other).unwrap();
    }

    #[test]
    fn only_what_holds_nothing_is_empty() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("file");
        for (content, empty) in [("", true), ("\n", true), (&" ".repeat(256), true), (" x", false)] {
            fs::write(&path, content).unwrap();
            assert_eq!(is_empty(&path).unwrap(), empty);
        }
    }
}
