//! Paths as people type them. The system says "no such file" to what the shell, the editor of a script or a file manager has made
//! of a path that was right.

use std::io;
use std::path::Path;

/// The advice on a file that cannot be read, the likeliest first.
pub fn file_hint(path: &Path, error: &io::Error) -> &'static str {
    if let Some(slip) = slip(&path.to_string_lossy())
        && error.kind() == io::ErrorKind::NotFound
    {
        return slip;
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied => "let the user who runs this read it (`ls -l` shows who may)",
        io::ErrorKind::IsADirectory => "give the file in it",
        _ if is_out_of_descriptors(error) => "the limit of open files is reached (`ulimit -n` shows it): raise it",
        _ => "check the path and the permissions",
    }
}

/// What does not belong into a path.
fn slip(path: &str) -> Option<&'static str> {
    let is_quoted = |quote| path.len() > 1 && path.starts_with(quote) && path.ends_with(quote);
    if path.starts_with('~') {
        Some(
            "the shell puts the home folder in place of `~` only where it stands first and without quotes: write $HOME",
        )
    } else if path.starts_with("file:") {
        Some("give the path alone, without file://")
    } else if is_quoted('"') || is_quoted('\'') {
        Some("the quotes have become a part of the path: leave them out")
    } else if path.ends_with(char::is_whitespace) {
        Some("the path ends with white space, as it does in a script that has the line ends of Windows: take that away")
    } else if path.contains('$') || path.contains('%') {
        Some("the path still has a variable in it, which the shell does not see in single quotes")
    } else {
        None
    }
}

/// Whether this process, or the whole machine, has as many files and sockets open as it may.
#[cfg(unix)]
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    // `EMFILE` and `ENFILE` have these numbers on Linux, the BSDs and macOS alike.
    matches!(error.raw_os_error(), Some(23 | 24))
}

/// Whether this process, or the whole machine, has as many files and sockets open as it may.
#[cfg(not(unix))]
pub fn is_out_of_descriptors(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_shell_has_left_in_a_path_is_named() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        for (path, word) in [
            ("~/device.pem", "$HOME"),
            ("file:///etc/device.pem", "file://"),
            ("\"C:\\keys\\device.pem\"", "quotes"),
            ("device.pem\r", "line ends of Windows"),
            ("$DIR/device.pem", "variable"),
            ("device.pem", "check the path"),
        ] {
            let hint = file_hint(Path::new(path), &missing);
            assert!(hint.contains(word), "{path}: {hint}");
        }
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(file_hint(Path::new("~/device.pem"), &denied).contains("ls -l"));
    }
}
