//! Where to publish, and as whom.

use super::authentication::{Authentication, TemporaryKey};
use crate::config_error::ConfigError;
use crate::endpoint::Endpoint;
use crate::http::Request;
use crate::message::RequestError;

/// Where an account takes messages, and from whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    endpoint: Endpoint,
    authentication: Authentication,
}

/// The bare way to authenticate, without the secrets: what an explanation needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// [`Authentication::Certificate`].
    Certificate,
    /// [`Authentication::SigV4`].
    SigV4,
    /// [`Authentication::CustomAuthorizer`].
    CustomAuthorizer,
    /// [`Authentication::CredentialsProvider`].
    CredentialsProvider,
}

impl AuthMethod {
    /// Whether each request carries a signature, which ages.
    pub(super) fn signs(self) -> bool {
        matches!(self, Self::SigV4 | Self::CredentialsProvider)
    }
}

impl Config {
    /// With a certificate the port is 8443, or 443 where the host offers the ALPN protocol `x-amzn-http-ca`; otherwise
    /// 443. Custom domains may have others.
    ///
    /// # Errors
    ///
    /// A key, token or name of the authentication that is empty, or that no header can carry.
    pub fn new(endpoint: Endpoint, authentication: Authentication) -> Result<Self, ConfigError> {
        authentication.check()?;
        Ok(Self { endpoint, authentication })
    }

    /// The data endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How the device shows who it is.
    pub fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// Which way that is.
    pub fn auth_method(&self) -> AuthMethod {
        match &self.authentication {
            Authentication::Certificate => AuthMethod::Certificate,
            Authentication::SigV4 { .. } => AuthMethod::SigV4,
            Authentication::CustomAuthorizer(_) => AuthMethod::CustomAuthorizer,
            Authentication::CredentialsProvider(_) => AuthMethod::CredentialsProvider,
        }
    }

    /// The request as it may be sent at this time.
    pub(super) fn authorised_by(&self, request: Request, key: Option<&TemporaryKey>, unix_ms: u64) -> Request {
        self.authentication.authorise(request, key, unix_ms)
    }

    /// The request as it may be sent at this time, without a key that was given out.
    pub(super) fn authorised(&self, request: Request, unix_ms: u64) -> Result<Request, RequestError> {
        match self.authentication {
            Authentication::CredentialsProvider(_) => Err(RequestError::Unsupported),
            _ => Ok(self.authorised_by(request, None, unix_ms)),
        }
    }

    /// What an answer must not give away when it quotes the request.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.authentication.secrets()
    }
}
