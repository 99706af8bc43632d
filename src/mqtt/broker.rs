//! Brokers differ in what stands in a CONNECT, in which topics they take, and in how they refuse: by a code, or by
//! closing the connection. All of that is asked for here, so that the session names no platform.

use alloc::string::String;

use super::{Situation, Version};
use crate::aliyun::Signing;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::message::{Message, RequestProblem};
use crate::platform::ConfigurationProblem;
use crate::secret::Secret;
use crate::{aliyun, aws};

/// Which broker, and as whom.
#[derive(Clone, Debug)]
pub enum Broker {
    /// AWS IoT Core.
    Aws(aws::mqtt::Broker),
    /// Aliyun IoT Platform.
    Aliyun(aliyun::mqtt::Broker),
}

/// What a CONNECT says about the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its id.
    pub client_id: String,
    /// Its user name. May carry a token.
    pub user_name: Option<Secret>,
    /// Its password.
    pub password: Option<Secret>,
}

impl Broker {
    pub(super) fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Aws(broker) => broker.endpoint(),
            Self::Aliyun(broker) => broker.endpoint(),
        }
    }

    /// What is to be signed before a connection is made, if somebody else signs.
    pub(super) fn signing_elsewhere(&self) -> Option<Signing> {
        match self {
            Self::Aws(_) => None,
            Self::Aliyun(broker) => broker.signing_elsewhere(),
        }
    }

    /// What stands in the CONNECT. `signature` is what somebody else has signed.
    pub(super) fn login(&self, signature: Option<String>) -> Login {
        match self {
            Self::Aws(broker) => broker.login(),
            Self::Aliyun(broker) => broker.login(signature),
        }
    }

    /// The topic of the message as it goes over the wire, if the broker can take the message.
    pub(super) fn check(&self, message: &Message, version: Version) -> Result<String, RequestProblem> {
        match self {
            Self::Aws(broker) => broker.check(message, version),
            Self::Aliyun(broker) => broker.check(message, version),
        }
    }

    pub(super) fn check_filter(&self, filter: &str) -> Result<(), RequestProblem> {
        match self {
            Self::Aws(broker) => broker.check_filter(filter),
            Self::Aliyun(broker) => broker.check_filter(filter),
        }
    }

    pub(super) fn check_keep_alive(&self, seconds: u16) -> Result<(), ConfigurationProblem> {
        match self {
            Self::Aws(broker) => broker.check_keep_alive(seconds),
            Self::Aliyun(broker) => broker.check_keep_alive(seconds),
        }
    }

    /// Beyond so many seconds of silence the broker takes a client for lost, whatever it was told.
    pub(super) fn longest_keep_alive(&self) -> Option<u16> {
        match self {
            Self::Aws(_) => Some(aws::mqtt::LONGEST_KEEP_ALIVE_S),
            // It refuses what is longer.
            Self::Aliyun(_) => None,
        }
    }

    /// How many connections the broker takes in a minute, if it counts those of a device.
    pub(super) fn connects_per_minute(&self) -> Option<usize> {
        match self {
            Self::Aws(_) => None,
            Self::Aliyun(_) => Some(aliyun::mqtt::CONNECTS_PER_MINUTE),
        }
    }

    pub(super) fn check_session(&self, version: Version, will: Option<&Message>) -> Result<(), ConfigurationProblem> {
        match self {
            Self::Aws(broker) => broker.check_session(version, will),
            Self::Aliyun(broker) => broker.check_session(version, will),
        }
    }

    /// The error without what must not be given away.
    pub(super) fn redact(&self, error: Error) -> Error {
        match self {
            Self::Aws(broker) => error.without(broker.secrets()),
            Self::Aliyun(broker) => error.without(broker.secrets()),
        }
    }

    pub(super) fn explain(&self, error: &Error, version: Version, situation: &Situation) -> String {
        match self {
            Self::Aws(broker) => broker.explain(error, version, situation),
            Self::Aliyun(broker) => broker.explain(error, situation),
        }
    }
}
