//! Secrets that come from files and variables, and so not by the list of processes.

use std::env::{self, VarError};
use std::fs;
use std::path::Path;

use crate::problem::Problem;

/// What a file holds. Editors end a file with a newline; the secret has none.
pub(crate) fn from_file(what: &str, file: &Path) -> Result<String, Problem> {
    let text = fs::read_to_string(file)
        .map_err(|error| Problem::new(format!("cannot read the {what} from {}", file.display()), error))?;
    // Nor does it begin with the mark that some editors put before a text.
    match text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']) {
        "" => Err(Problem::sentence(format!("no {what} in {}; the file is empty", file.display()))),
        secret => Ok(secret.to_owned()),
    }
}

/// A secret as the console shows it: what is copied along with it makes every signature wrong, and the platform says no
/// more than that.
pub(crate) fn checked(what: &str, secret: String) -> Result<String, Problem> {
    let problem = if secret.is_empty() {
        "is empty"
    } else if secret.chars().any(|character| character.is_whitespace() || character.is_control()) {
        "has white space or a line break in it"
    } else {
        return Ok(secret);
    };
    Err(Problem::sentence(format!("the {what} {problem}; copy it once more from the console")))
}

/// What a variable holds, if there is one.
pub(crate) fn from_variable(name: &str) -> Result<Option<String>, Problem> {
    match env::var(name) {
        Ok(secret) => Ok(Some(secret)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Problem::new(name, "it is not text")),
    }
}
