//! The message, and the files that a run reads and writes beside those of the device. `publish` finds out about each before it
//! sends anything, and ends; so is a user told who asks the doctor, and in the same words.

use std::path::Path;

use crate::args::Source;
use crate::commands::doctor::PAYLOAD;
use crate::commands::doctor::finding::Finding;
use crate::error::CliError;
use crate::files::input_file::InputFile;
use crate::files::private_file;
use crate::lines::failed_lines::FailedLines;
use crate::message::payload;

/// The message itself, be it given or not.
pub fn payload(finding: &mut Finding, source: &Source) -> Vec<u8> {
    if source.message.is_none() && source.file.is_none() {
        return PAYLOAD.to_vec();
    }
    payload::of(source).unwrap_or_else(|error| {
        finding.fail_with(&error, GIVE_ANOTHER);
        Vec::new()
    })
}

/// Looks at the lines, which are opened and not read, and at where those go that fail. `read` are the files that the run reads.
pub fn lines(finding: &mut Finding, source: &Source, failed: Option<&Path>, read: &[InputFile]) {
    if let Some(path) = &source.lines {
        // To open standard input takes something out of it.
        match path.as_path() == Path::new("-") {
            true => finding.see("lines come from standard input, which is not looked at"),
            false => note(
                finding,
                crate::lines::source::Source::open(path, crate::lines::long_line::SpillFolder::none()).map(drop),
                || format!("lines can be read from {}", path.display()),
            ),
        }
    }
    if let Some(path) = failed {
        // Left as it was found.
        let opened = FailedLines::open(path, read).and_then(|failed| failed.finish(false));
        note(finding, opened, || format!("lines that fail can be written to {}", path.display()));
    }
}

/// Looks whether a session can be kept beside its file, in whose place it is put. A run that cannot keep it goes on without.
pub fn session(finding: &mut Finding, path: &Path) {
    let beside = tempfile::Builder::new().prefix(".thingpost-session-").tempfile_in(private_file::folder(path));
    match beside {
        Ok(_) => finding.see(format!("a session can be kept in {}", path.display())),
        Err(error) => finding.warn(
            format!("a session cannot be kept in {}: {error}", path.display()),
            "give another --session-file: without one every run authenticates anew",
        ),
    }
}

/// What came of one of them.
fn note(finding: &mut Finding, opened: Result<(), CliError>, line: impl FnOnce() -> String) {
    match opened {
        Ok(()) => finding.see(line()),
        Err(error) => finding.fail_with(&error, GIVE_ANOTHER),
    }
}

pub const GIVE_ANOTHER: &str = "give another file, or leave the option out";
