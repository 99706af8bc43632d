//! What is wrong with a configuration, and where.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use thingpost_host::file_hint;

/// The reason why a configuration cannot be used. It shows in one line, with the file, the line and the key, and without any value of the
/// file: that may be a secret in the wrong place.
#[derive(Debug)]
pub struct ConfigError {
    pub(super) file: PathBuf,
    pub(super) line: Option<usize>,
    pub(super) key: Option<String>,
    pub(super) problem: ConfigProblem,
}

/// What is wrong, without the place.
#[derive(Debug)]
pub(super) enum ConfigProblem {
    Unreadable(io::Error),
    NotText,
    Syntax(String),
    UnknownKey {
        nearest: Option<&'static str>,
        known: Vec<&'static str>,
    },
    Missing(&'static str),
    /// What should be there.
    Expected(&'static str),
    OutOfRange(&'static str),
    NotAList(&'static str),
    /// One of these.
    NoneOf(&'static [&'static str]),
    /// An address that others reach, without anything that keeps strangers out.
    Open,
    /// Two keys that go together, of which this one is missing.
    Without(&'static str),
    /// A secret in the file itself.
    SecretAsText(&'static str),
    NoVariable(String),
    UnreadableSecret(PathBuf, io::Error),
    BinarySecret(PathBuf),
    EmptySecret(PathBuf),
    LongSecret(PathBuf),
    /// Something that it names cannot be used.
    Other(Box<dyn StdError + Send + Sync>),
}

impl<E: StdError + Send + Sync + 'static> From<E> for ConfigProblem {
    fn from(error: E) -> Self {
        Self::Other(Box::new(error))
    }
}

impl ConfigError {
    /// The file, or another one that it names.
    pub(super) fn of_file(file: impl Into<PathBuf>, problem: ConfigProblem) -> Self {
        Self { file: file.into(), line: None, key: None, problem }
    }

    /// The line of the file, if it is about one.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The key, all the way from the top, if it is about one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        match &self.problem {
            ConfigProblem::Unreadable(error) => write!(f, "cannot be read: {error}; {}", file_hint(&self.file, error)),
            ConfigProblem::NotText => f.write_str("is no text in UTF-8; write it as such"),
            ConfigProblem::Syntax(message) => write!(f, "this is not TOML: {message}"),
            ConfigProblem::UnknownKey { nearest: Some(nearest), .. } => {
                write!(f, "there is no such key; `{nearest}` may be meant")
            }
            ConfigProblem::UnknownKey { nearest: None, known } => {
                write!(f, "there is no such key; here there may be {}", known.join(", "))
            }
            ConfigProblem::Missing(key) => write!(f, "the key `{key}` is missing"),
            ConfigProblem::Expected(what) => write!(f, "this has to be {what}"),
            ConfigProblem::OutOfRange(range) => write!(f, "this has to be {range}"),
            ConfigProblem::NotAList(key) => write!(f, "there may be several: write [[{key}]], in double brackets"),
            ConfigProblem::NoneOf(words) => write!(f, "this has to be one of {}", words.join(", ")),
            ConfigProblem::Open => f.write_str(
                "everybody who reaches this address could publish: give listen.tls, tokens of callers ([config] token, and one for each of \
                 devices), or an address of loopback; behind something that keeps others out, insecure = true",
            ),
            ConfigProblem::Without(other) => write!(f, "this is of no use without `{other}`"),
            ConfigProblem::SecretAsText(way_out) => {
                write!(f, "a secret does not belong into this file, which is copied, shown and kept: {way_out}")
            }
            ConfigProblem::NoVariable(name) => write!(f, "the variable {name} is not set, or holds no text"),
            ConfigProblem::UnreadableSecret(file, error) => {
                write!(f, "{} cannot be read: {error}; {}", file.display(), file_hint(file, error))
            }
            ConfigProblem::BinarySecret(file) => write!(f, "{} is no text in UTF-8", file.display()),
            ConfigProblem::EmptySecret(file) => write!(f, "{} is empty", file.display()),
            ConfigProblem::LongSecret(file) => {
                write!(f, "{} is larger than 64 KiB; give a file that has the value and nothing else", file.display())
            }
            ConfigProblem::Other(error) => write!(f, "{error}"),
        }
    }
}

impl StdError for ConfigError {}
