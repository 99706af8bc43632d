//! A configuration that cannot work is refused when it is made, by the name of the option that is wrong.

use alloc::string::String;
use core::fmt;

use crate::endpoint::EndpointError;

/// Why a configuration cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The endpoint is none.
    Endpoint(EndpointError),
    /// The option of this name is empty.
    Empty(&'static str),
    /// The option of this name begins or ends with white space, or has a control character.
    WhiteSpace(&'static str),
    /// The option of this name has a form that the platform does not take.
    Malformed(&'static str),
    /// The region is neither given nor in the name of the endpoint.
    NoRegion,
    /// A credentials provider gives out the key; it has to be asked before.
    NoKeyYet,
    /// The signature is to come from outside, and this component has no signer.
    NoSigner,
    /// The client id has more than 64 characters.
    ClientIdTooLong,
    /// The client id is the one of an MQTT client, with the parameters of its signature. This is what stands before them.
    ClientIdWithParameters(String),
    /// The option of this name is 0.
    Zero(&'static str),
    /// The option of this name is more than another one, or a number.
    TooLarge(&'static str, &'static str),
    /// The option of this name is not within these bounds.
    OutOfRange(&'static str, &'static str),
    /// The platform does not have the option of this name.
    Unsupported(&'static str),
    /// The session is none of ours, or of a later version.
    UnknownCredential,
    /// The session belongs to another device or endpoint.
    ForeignCredential,
    /// This platform has no sessions.
    UselessCredential,
}

impl ConfigError {
    /// What is wrong, in words.
    pub(crate) fn text(&self) -> String {
        let (option, problem) = match self {
            Self::Endpoint(problem) => return problem.text(),
            Self::OutOfRange(option, bounds) => return ["the ", option, " is not within ", bounds].concat(),
            Self::Unsupported(option) => (*option, " is not to be had on this platform"),
            Self::TooLarge(option, bound) => return ["the ", option, " is more than ", bound].concat(),
            Self::Empty(option) => (*option, " is empty"),
            Self::WhiteSpace(option) => (*option, " has white space or a control character in it or around it"),
            Self::Malformed(option) => (*option, " has characters that are not allowed in it, or too many"),
            Self::NoRegion => ("region", " is not in the name of the endpoint: give it"),
            Self::NoKeyYet => ("key", " is not there yet: ask the credentials provider, and configure its key"),
            Self::NoSigner => {
                ("signer", " is not there: this component signs by itself, use the one of the world publish-signed")
            }
            Self::ClientIdTooLong => ("client id", " has more than 64 characters"),
            Self::ClientIdWithParameters(bare) if bare.is_empty() => {
                ("client id", " is nothing but parameters, which are added behind it: leave it out")
            }
            Self::ClientIdWithParameters(bare) => {
                let parts =
                    ["the client id has parameters behind a `|`, which are added for it: give what is before, ", bare];
                return parts.concat();
            }
            Self::Zero(option) => (*option, " is 0"),
            Self::UnknownCredential => ("session", " is of an unknown form: start without one"),
            Self::ForeignCredential => ("session", " belongs to another device or endpoint: start without one"),
            Self::UselessCredential => {
                ("session", " is of no use here, nothing is obtained by authenticating: start without one")
            }
        };
        ["the ", option, problem].concat()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl core::error::Error for ConfigError {}
