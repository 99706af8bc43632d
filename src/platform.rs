//! The one place that knows which platforms there are. A new one is a folder, a case here and an interface in `wit/`.

use alloc::string::String;
use core::fmt;

use crate::endpoint::EndpointProblem;
use crate::error::Error;
use crate::{aliyun, aws};

/// Where to publish, and as whom.
#[derive(Clone, Debug)]
pub enum Platform {
    /// AWS IoT Core.
    Aws(aws::Config),
    /// Aliyun IoT Platform.
    Aliyun(aliyun::Config),
}

impl Platform {
    /// Reads what [`export_session`](Self::export_session) wrote for the same device.
    pub fn import_session(&self, text: &str) -> Result<aliyun::Session, ConfigurationProblem> {
        match self {
            Self::Aws(_) => Err(ConfigurationProblem::UselessSession),
            Self::Aliyun(config) => aliyun::Session::import(text, config.device()),
        }
    }

    /// A session as text, for the next instance. A secret.
    pub fn export_session(&self, session: &aliyun::Session) -> Option<String> {
        match self {
            Self::Aws(_) => None,
            Self::Aliyun(config) => Some(session.export(config.device())),
        }
    }

    /// The likely reason of an error and the next step, for people. `topic` is the one of the message.
    pub fn explain(&self, error: &Error, topic: &str) -> String {
        match self {
            Self::Aws(_) => aws::explain(error, topic),
            Self::Aliyun(_) => aliyun::explain(error),
        }
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigurationProblem {
    /// The endpoint is none.
    Endpoint(EndpointProblem),
    /// The option of this name is empty.
    Empty(&'static str),
    /// The option of this name begins or ends with white space, or has a control character.
    WhiteSpace(&'static str),
    /// The client id has more than 64 characters.
    ClientIdTooLong,
    /// The option of this name is 0.
    Zero(&'static str),
    /// The session is none of ours, or of a later version.
    UnknownSession,
    /// The session belongs to another device or endpoint.
    ForeignSession,
    /// This platform has no sessions.
    UselessSession,
}

impl ConfigurationProblem {
    /// What is wrong, in words.
    pub fn text(self) -> String {
        let (option, problem) = match self {
            Self::Endpoint(problem) => ("", problem.text()),
            Self::Empty(option) => (option, " is empty"),
            Self::WhiteSpace(option) => (option, " has white space around it or a control character in it"),
            Self::ClientIdTooLong => ("client id", " has more than 64 characters"),
            Self::Zero(option) => (option, " is 0"),
            Self::UnknownSession => ("session", " is of an unknown form: start without one"),
            Self::ForeignSession => ("session", " belongs to another device or endpoint: start without one"),
            Self::UselessSession => ("session", " is of no use on a platform without tokens: start without one"),
        };
        let article = if option.is_empty() { "" } else { "the " };
        [article, option, problem].concat()
    }
}

impl fmt::Display for ConfigurationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl core::error::Error for ConfigurationProblem {}
