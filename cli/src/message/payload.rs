//! What is sent from a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use thingpost_host::file_hint;

use crate::args::Source;
use crate::error::CliError;

/// Bytes to read at most: the component must see that there are too many, not hold all of them.
const ENOUGH_TO_BE_REFUSED: u64 = 1024 * 1024;

/// The message itself, where there is one.
pub fn of(source: &Source) -> Result<Vec<u8>, CliError> {
    match &source.file {
        Some(path) => read("message", path),
        None => Ok(source.message.clone().unwrap_or_default().into_bytes()),
    }
}

pub fn read(what: &str, path: &Path) -> Result<Vec<u8>, CliError> {
    let mut payload = Vec::new();
    let file = File::open(path).and_then(|file| file.take(ENOUGH_TO_BE_REFUSED).read_to_end(&mut payload));
    match file {
        Ok(_) => Ok(payload),
        Err(error) => {
            let why = format!("{error}; {}", file_hint(path, &error));
            Err(CliError::new(format!("cannot read the {what} from {}", path.display()), why))
        }
    }
}
