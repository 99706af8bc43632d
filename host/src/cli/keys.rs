//! The files of an emulated device. Its folder may be one in which real keys lie, so nothing is overwritten that an
//! emulator did not write.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::clouds::{Clouds, DEVICE_SECRET};
use super::problem::Problem;

/// What stands in every file first. PEM readers pass over what is before the first block.
const MARK: &str = "Made by `thingpost emulate`. Worth nothing elsewhere.\n";

/// Where the files are. The first three have the names that AWS gives them.
pub struct KeyFiles {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub private_key: PathBuf,
    pub device_secret: PathBuf,
}

impl KeyFiles {
    /// Writes them.
    pub fn write(folder: &Path, clouds: &Clouds) -> Result<Self, Problem> {
        fs::create_dir_all(folder)
            .map_err(|error| Problem::new(format!("cannot make the folder {}", folder.display()), error))?;
        let files = Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("device.pem.crt"),
            private_key: folder.join("private.pem.key"),
            device_secret: folder.join("device-secret.txt"),
        };
        let marked = |pem: &str| format!("{MARK}{pem}");
        let contents = [
            (&files.ca, marked(clouds.authority.ca_pem())),
            (&files.certificate, marked(&clouds.certificate.certificate_pem)),
            (&files.private_key, marked(&clouds.certificate.private_key_pem)),
            (&files.device_secret, format!("{DEVICE_SECRET}\n")),
        ];
        for (file, _) in &contents {
            refuse_foreign(file)?;
        }
        for (file, content) in &contents {
            write_private(file, content)
                .map_err(|error| Problem::new(format!("cannot write {}", file.display()), error))?;
        }
        Ok(files)
    }
}

fn refuse_foreign(file: &Path) -> Result<(), Problem> {
    match fs::read_to_string(file) {
        Ok(text) if text.starts_with(MARK) || text.trim_end() == DEVICE_SECRET => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => Err(Problem::sentence(format!(
            "{} is there already and was not made by an emulator; give another folder with --dir",
            file.display()
        ))),
    }
}

/// Readable by nobody else, from the first byte on.
fn write_private(file: &Path, content: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(content.as_bytes())
}
