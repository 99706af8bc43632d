//! Why a request is answered without anything being published. Nothing was sent in any of these cases, so each may be
//! tried again once its reason is gone.

use alloc::string::String;
use core::fmt;

use super::query::{NAMES, nearest};
use super::settings::SettingsError;
use crate::field::Field;
use crate::message::MAX_PAYLOAD;
use crate::topic::TopicError;

/// Why nothing was published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is nothing at this path.
    NoSuchPath,
    /// No device of this name is configured; without a name, there is no default device.
    NoSuchDevice(Option<String>),
    /// This method is not for this path.
    MethodNotAllowed {
        /// Those that are.
        allowed: &'static [&'static str],
    },
    /// The body has more than [`MAX_PAYLOAD`] bytes.
    TooLarge,
    /// The path or the query is not percent-encoded UTF-8.
    Encoding,
    /// The topic cannot be published to.
    Topic(TopicError),
    /// There is no such parameter of the query.
    UnknownParameter(String),
    /// A parameter of the query breaks its rule.
    Parameter {
        /// Which.
        name: &'static str,
        /// The rule, in words.
        rule: &'static str,
    },
    /// A header of this name cannot be read.
    Header(&'static str),
    /// A property breaks its rules.
    Property(Field),
    /// The caller has shown no token.
    TokenMissing,
    /// The caller has shown another token.
    TokenWrong,
    /// The body broke off before its end.
    BrokenOff,
    /// Nothing came of the body for too long.
    BodyLate,
    /// This function cannot publish, because its settings are missing or wrong.
    NotConfigured,
    /// What is wrong with the settings, for whoever asks whether this function is ready. No value stands in it.
    NotReady(SettingsError),
}

impl Refusal {
    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoSuchPath | Self::NoSuchDevice(_) => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::TooLarge => 413,
            Self::Encoding
            | Self::Topic(_)
            | Self::UnknownParameter(_)
            | Self::Parameter { .. }
            | Self::Header(_)
            | Self::Property(_)
            | Self::BrokenOff => 400,
            Self::TokenMissing | Self::TokenWrong => 401,
            Self::BodyLate => 408,
            Self::NotConfigured | Self::NotReady(_) => 503,
        }
    }

    /// The name of the reason, for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoSuchPath => "no-such-path",
            Self::NoSuchDevice(_) => "no-such-device",
            Self::MethodNotAllowed { .. } => "method-not-allowed",
            Self::TooLarge => "payload-too-large",
            Self::Encoding => "invalid-encoding",
            Self::Topic(_) => "invalid-topic",
            Self::UnknownParameter(_) | Self::Parameter { .. } => "invalid-parameter",
            Self::Header(_) | Self::Property(_) => "invalid-field",
            Self::TokenMissing => "token-missing",
            Self::TokenWrong => "token-wrong",
            Self::BrokenOff => "body-broken-off",
            Self::BodyLate => "body-late",
            Self::NotConfigured | Self::NotReady(_) => "not-configured",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPath => f.write_str(
                "nothing is at this path: publish to /topics/{topic} or /devices/{device}/topics/{topic}, look at /healthz or \
                 /readyz",
            ),
            Self::NoSuchDevice(Some(device)) => {
                write!(f, "no device is named {device} in the settings: check its spelling in the path, and the settings")
            }
            Self::NoSuchDevice(None) => {
                f.write_str("there is no default device: publish to /devices/{device}/topics/{topic}, or make one the default")
            }
            Self::MethodNotAllowed { allowed: [first, second] } => write!(f, "this path takes {first} and {second}"),
            Self::MethodNotAllowed { .. } => f.write_str("this path takes other methods"),
            Self::TooLarge => write!(f, "the payload has more than {MAX_PAYLOAD} bytes, and no platform takes more"),
            Self::Encoding => {
                f.write_str("the URL is not percent-encoded UTF-8: a `%` is written as %25, other characters by their bytes")
            }
            Self::Topic(problem) => f.write_str(problem.text()),
            Self::UnknownParameter(name) => {
                write!(f, "there is no parameter {name} here")?;
                match nearest(name) {
                    Some(known) => write!(f, ": it is spelled {known}"),
                    None => write!(f, ": there are {}", NAMES.join(", ")),
                }
            }
            Self::Parameter { name, rule } => write!(f, "the parameter {name} is wrong: {rule}"),
            Self::Header(name) => write!(f, "the header {name} cannot be read: it is written as for AWS IoT Core"),
            Self::Property(field) => f.write_str(field.text()),
            Self::TokenMissing => f.write_str("this device needs a token: send it as `Authorization: Bearer TOKEN`"),
            Self::TokenWrong => f.write_str("this is not the token of this device"),
            Self::BrokenOff => f.write_str("the body broke off before its end, and nothing of it was published"),
            Self::BodyLate => f.write_str("the rest of the body did not come, and nothing of it was published"),
            Self::NotConfigured => f.write_str("this function is not configured to publish: /readyz says why"),
            Self::NotReady(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for Refusal {}

impl From<TopicError> for Refusal {
    fn from(problem: TopicError) -> Self {
        Self::Topic(problem)
    }
}

impl From<Field> for Refusal {
    fn from(field: Field) -> Self {
        Self::Property(field)
    }
}
