//! Lines for people or for collectors. What a library writes by `tracing` is lost until a program says where it goes.

use std::fmt;
use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// The form of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// A line each for people, coloured on a terminal.
    #[default]
    Text,
    /// An object of JSON a line.
    Json,
}

/// The reason why there is no log.
#[derive(Debug)]
pub enum LogError {
    /// The filter cannot be read.
    Filter(ParseError),
    /// This process has one already.
    Twice,
}

/// Writes the log to standard error, which `filter` selects in the language of `tracing-subscriber`: a level, `info`, or levels of
/// parts, `info,thingpost_host=debug`. Topics and what a message holds are in no line of it.
///
/// # Errors
///
/// The filter cannot be read, or there is a log already.
pub fn init_log(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let filter = EnvFilter::builder().parse(filter).map_err(LogError::Filter)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let log = log.with_ansi(io::IsTerminal::is_terminal(&io::stderr()));
    let set = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    set.map_err(|_| LogError::Twice)
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(error) => {
                write!(
                    f,
                    "{error}; give error, warn, info, debug or trace, or one for each part: info,thingpost_host=debug"
                )
            }
            Self::Twice => f.write_str("this process writes a log already"),
        }
    }
}

impl std::error::Error for LogError {}
