//! A missing broker is the one failure that everybody meets once, on a new machine. So its message says what to do, in
//! one line that is still readable in the middle of a test's output.

use std::fmt;
use std::io;

/// Why there is no broker, or none that does what it was told.
#[derive(Debug)]
#[non_exhaustive]
pub enum BrokerError {
    /// There is no mosquitto on this machine.
    NotInstalled,
    /// Its folder could not be made or written to.
    Folder(io::Error),
    /// The process could not be started.
    Start(io::Error),
    /// It ended as soon as it was started.
    Ended {
        /// What it has logged.
        log: String,
    },
    /// It did not start, stop or come to rest in time.
    TooSlow {
        /// What it has logged.
        log: String,
    },
    /// It was killed or stopped before.
    NotRunning,
    /// It could not be sent a signal.
    Signal(io::Error),
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => f.write_str("mosquitto is not installed: `cargo xtask servers` installs it"),
            Self::Folder(error) => write!(f, "the broker's folder: {error}"),
            Self::Start(error) => write!(f, "mosquitto cannot be started: {error}"),
            Self::Ended { log } => write!(f, "mosquitto ended at once; {}", LastLine(log)),
            Self::TooSlow { log } => write!(f, "mosquitto did not do in time what it was told; {}", LastLine(log)),
            Self::NotRunning => f.write_str("the broker does not run"),
            Self::Signal(error) => write!(f, "the broker cannot be sent a signal: {error}"),
        }
    }
}

impl std::error::Error for BrokerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder(error) | Self::Start(error) | Self::Signal(error) => Some(error),
            Self::NotInstalled | Self::Ended { .. } | Self::TooSlow { .. } | Self::NotRunning => None,
        }
    }
}

/// The rest of a log is in the debug output.
struct LastLine<'a>(&'a str);

impl fmt::Display for LastLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.lines().last() {
            Some(line) => write!(f, "the last line of its log: {line}"),
            None => f.write_str("its log is empty"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_broker_names_the_way_out_in_one_line() {
        let text = BrokerError::NotInstalled.to_string();
        assert!(text.contains("cargo xtask servers") && !text.contains('\n'), "{text}");
    }

    #[test]
    fn a_log_is_shown_by_its_last_line() {
        let ended = BrokerError::Ended { log: "1: starting\n2: Error: no\n".to_owned() };
        assert_eq!(ended.to_string(), "mosquitto ended at once; the last line of its log: 2: Error: no");
        let silent = BrokerError::TooSlow { log: String::new() };
        assert!(silent.to_string().ends_with("its log is empty"), "{silent}");
    }
}
