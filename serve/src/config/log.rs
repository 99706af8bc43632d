//! `[log]`: what operators read.

use toml::de::DeValue;

use super::document::{FromToml, Section};
use super::error::{ConfigError, ConfigProblem};
use crate::telemetry::LogFormat;

/// What is written to standard error, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LogSettings {
    /// The form of a line.
    pub format: LogFormat,
    /// The least that is worth a line.
    pub level: LogLevel,
    /// Whether guests may write lines too, by `wasi:logging`. Default false.
    pub guest: bool,
}

/// The least that is worth a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// What does not work.
    Error,
    /// And what may not work soon.
    Warn,
    /// And what happens seldom: a start, a reload, an end.
    #[default]
    Info,
    /// And what becomes of each request.
    Debug,
    /// And each step of it.
    Trace,
}

impl LogSettings {
    pub(super) fn of(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let mut log = Self::default();
        section.set("format", &mut log.format)?;
        section.set("level", &mut log.level)?;
        section.set("guest", &mut log.guest)?;
        Ok(log)
    }
}

impl LogLevel {
    /// Its name, as filters of logs have it.
    pub fn as_str(self) -> &'static str {
        LEVELS.iter().find(|(_, level)| *level == self).map_or("info", |(name, _)| name)
    }
}

const LEVELS: [(&str, LogLevel); 5] = [
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];

impl FromToml for LogLevel {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        let found = LEVELS.iter().find(|(name, _)| Some(*name) == value.as_str());
        found.map(|(_, level)| *level).ok_or(ConfigProblem::NoneOf(&[
            "\"error\"",
            "\"warn\"",
            "\"info\"",
            "\"debug\"",
            "\"trace\"",
        ]))
    }
}

impl FromToml for LogFormat {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        match value.as_str() {
            Some("text") => Ok(Self::Text),
            Some("json") => Ok(Self::Json),
            _ => Err(ConfigProblem::NoneOf(&["\"text\"", "\"json\""])),
        }
    }
}
