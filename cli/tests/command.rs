//! A command line that is right, to be made wrong in one place at a time.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The words and the options of one run.
#[derive(Clone)]
pub struct CommandLine {
    words: Vec<OsString>,
    options: Vec<(&'static str, OsString)>,
    flags: Vec<OsString>,
}

impl CommandLine {
    pub fn new(words: &[&str]) -> Self {
        Self { words: words.iter().map(OsString::from).collect(), options: Vec::new(), flags: Vec::new() }
    }

    /// These options for another command.
    pub fn of(mut self, words: &[&str]) -> Self {
        self.words = words.iter().map(OsString::from).collect();
        self
    }

    /// Gives an option, or another value to it.
    pub fn with(mut self, option: &'static str, value: impl AsRef<OsStr>) -> Self {
        self = self.without(option);
        self.options.push((option, value.as_ref().to_owned()));
        self
    }

    /// Takes an option away.
    pub fn without(mut self, option: &str) -> Self {
        self.options.retain(|(known, _)| *known != option);
        self
    }

    /// Adds words as they stand.
    pub fn and(mut self, words: &[&str]) -> Self {
        self.flags.extend(words.iter().map(OsString::from));
        self
    }

    /// In place of a single message.
    pub fn lines(self, source: impl AsRef<OsStr>) -> Self {
        self.without("--message").with("--lines", source)
    }

    pub fn into_arguments(self) -> Vec<OsString> {
        let options = self.options.into_iter().flat_map(|(option, value)| [OsString::from(option), value]);
        self.words.into_iter().chain(options).chain(self.flags).collect()
    }
}

/// A key or certificate that rcgen does not make.
pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../host/tests/fixtures").join(name)
}
