//! What is wrong with settings, for their operator. Values never stand in it: half of them are secrets, and a secret in the place of
//! another setting is a common mistake.

use alloc::string::String;
use core::fmt;

use crate::config_error::ConfigError;
use crate::endpoint::EndpointError;

/// Why settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    device: Option<String>,
    kind: SettingsErrorKind,
}

/// What is wrong, whichever device it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SettingsErrorKind {
    /// The header with the settings is missing.
    NoHeader,
    /// The header with the settings is there more than once.
    TwoHeaders,
    /// The store of the host does not give them.
    Unreadable,
    /// The settings are no object in JSON.
    NotAnObject,
    /// `devices` is no list of objects in JSON.
    NotAList,
    /// There is no such setting.
    Unknown(String),
    /// It is needed.
    Missing(&'static str),
    /// It is of a default device, and there is none.
    NoDefault(&'static str),
    /// It breaks this rule.
    Rule(&'static str, &'static str),
    /// It is none of these.
    NoneOf(&'static str, &'static [&'static str]),
    /// Another device has this name.
    Twice,
    /// The platform does not take it.
    Config(ConfigError),
}

impl SettingsError {
    /// The store of the host that the settings are in does not give them. What it says of that is for the host's own log.
    pub fn unreadable() -> Self {
        Self::new(None, SettingsErrorKind::Unreadable)
    }

    pub(super) fn new(device: Option<String>, kind: SettingsErrorKind) -> Self {
        Self { device, kind }
    }
}

impl From<ConfigError> for SettingsErrorKind {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.device {
            Some(name) => write!(f, "settings of the device {name}: ")?,
            None => f.write_str("settings: ")?,
        }
        match &self.kind {
            SettingsErrorKind::NoHeader => f.write_str(
                "the header `thingpost-settings` is missing: the host adds it to each request, as in `wasmtime serve -H @FILE`",
            ),
            SettingsErrorKind::Unreadable => {
                f.write_str("the host does not give them: its store of settings fails, see the log of the host")
            }
            // One of them at least is of a caller.
            SettingsErrorKind::TwoHeaders => f.write_str(
                "the header `thingpost-settings` is there more than once: the host must replace what callers send, not add to it",
            ),
            SettingsErrorKind::NotAnObject => {
                f.write_str("they are not an object in JSON, as in {\"platform\":\"aws\",..}")
            }
            SettingsErrorKind::NotAList => f.write_str(
                "`devices` is not a list of objects in JSON, as in [{\"name\":\"pump-1\",\"platform\":\"aws\",..}]",
            ),
            SettingsErrorKind::Unknown(name) => write!(f, "there is no setting `{name}`"),
            SettingsErrorKind::Missing(name) => write!(f, "`{name}` is missing"),
            SettingsErrorKind::NoDefault(name) => {
                write!(f, "`{name}` belongs to a default device, and `platform` is missing for that")
            }
            SettingsErrorKind::Rule(name, rule) => write!(f, "`{name}` is wrong: {rule}"),
            SettingsErrorKind::NoneOf(name, choices) => write!(f, "`{name}` is none of {}", choices.join(", ")),
            SettingsErrorKind::Twice => f.write_str("another device has this name"),
            // The bare name that is in it is a part of the value.
            SettingsErrorKind::Config(ConfigError::Endpoint(EndpointError::NotBare(_))) => {
                f.write_str("the endpoint must be a host name alone, without https://, port and path")
            }
            SettingsErrorKind::Config(ConfigError::ClientIdWithParameters(_)) => {
                f.write_str("`client_id` has the parameters of a signature behind a `|`: give what stands before it")
            }
            SettingsErrorKind::Config(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for SettingsError {}
