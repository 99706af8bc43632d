//! What users of a client are told: why it could not be opened, and what became of a message.

use std::fmt;

use thingpost::{Cause, ConfigError, Delivery, Error, Retry};
use thingpost_host::{IdentityError, RootsError, RouteError};

/// The reason why a message was not delivered. It displays as a sentence with the likely cause and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishError {
    error: Box<Error>,
    explanation: String,
}

impl PublishError {
    pub(crate) fn new(error: Error, explanation: String) -> Self {
        Self { error: Box::new(error), explanation }
    }

    /// Where the message stands: *not sent*, *refused*, or *unknown*. Only after *unknown* may it have arrived.
    pub fn delivery(&self) -> Delivery {
        self.error.delivery
    }

    /// What went wrong.
    pub fn cause(&self) -> Cause {
        self.error.cause
    }

    /// Whether the same message may fare better later.
    pub fn retry(&self) -> Retry {
        self.error.retry
    }

    /// All that is known, as the core has it.
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explanation)
    }
}

impl std::error::Error for PublishError {}

/// The reason why a client cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// An option that the platform does not take.
    Config(ConfigError),
    /// The certificate of the device, or its key.
    Identity(IdentityError),
    /// The authorities that are to be trusted.
    Roots(RootsError),
    /// The endpoint is no host name.
    Route(RouteError),
    /// What is to be connected to in place of the endpoint is no address and port.
    ConnectTo(String),
    /// What is for HTTPS alone was given for a session over MQTT.
    OfHttps(&'static str),
    /// The runtime of a blocking client cannot be started.
    Runtime(std::io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Identity(error) => error.fmt(f),
            Self::Roots(error) => error.fmt(f),
            Self::Route(error) => error.fmt(f),
            Self::ConnectTo(given) => {
                write!(f, "`{given}` is nothing to connect to; give an address and a port, as in 127.0.0.1:8443")
            }
            Self::OfHttps(what) => {
                write!(
                    f,
                    "{what}: that is for publishing over HTTPS; a session over MQTT has its own options, in `MqttBuilder`"
                )
            }
            Self::Runtime(error) => write!(f, "the runtime of the client cannot be started: {error}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Identity(error) => Some(error),
            Self::Roots(error) => Some(error),
            Self::Route(error) => Some(error),
            Self::Runtime(error) => Some(error),
            Self::ConnectTo(_) | Self::OfHttps(_) => None,
        }
    }
}

macro_rules! from {
    ($($error:ty => $case:ident),*) => {
        $(impl From<$error> for OpenError {
            fn from(error: $error) -> Self {
                Self::$case(error)
            }
        })*
    };
}

from!(ConfigError => Config, IdentityError => Identity, RootsError => Roots, RouteError => Route);

impl From<thingpost::EndpointError> for OpenError {
    fn from(error: thingpost::EndpointError) -> Self {
        Self::Config(ConfigError::Endpoint(error))
    }
}
