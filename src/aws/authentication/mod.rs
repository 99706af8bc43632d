//! On port 443 AWS takes a request for what its connection and its headers say it is: signed, carrying a token for an
//! authorizer, or neither. Mixing them up ends in a 403 without a word, so the way of authentication is one value.

mod authorizer;
mod provider;
mod temporary_key;

#[cfg(feature = "mqtt")]
pub(super) use authorizer::check_parts as check_authorizer;
pub use authorizer::{CustomAuthorizer, Placement};
pub use provider::{CredentialsProvider, credentials_request, read_credentials_response};
pub use temporary_key::TemporaryKey;

use super::host_name::HostName;
use super::sigv4::{self, Credentials, Scope};
use crate::config_error::ConfigError as Problem;
use crate::endpoint::Endpoint;
use crate::http::Request;
use alloc::borrow::ToOwned;
use alloc::string::String;

/// How a device shows who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// With the client certificate of the connection, which the host holds. Nothing is added to a request.
    Certificate,
    /// With a signature over each request. Port 443, no ALPN.
    SigV4 {
        /// The access key that signs.
        credentials: Credentials,
        /// What for.
        scope: Scope,
    },
    /// With a token that a function of the account's owner judges. Port 443, no ALPN, publishing only.
    CustomAuthorizer(CustomAuthorizer),
    /// With signatures by a temporary key, which is given out for the client certificate.
    CredentialsProvider(CredentialsProvider),
}

impl Authentication {
    /// Refuses what AWS refuses, or what cannot stand in a request.
    pub(super) fn check(&self) -> Result<(), Problem> {
        match self {
            Self::Certificate => Ok(()),
            Self::SigV4 { credentials, scope } => {
                check_printable("access key id", &credentials.access_key_id)?;
                check_printable("secret access key", credentials.secret_access_key.reveal())?;
                if let Some(token) = &credentials.session_token {
                    check_printable("session token", token.reveal())?;
                }
                check_scope(scope)
            }
            Self::CustomAuthorizer(authorizer) => authorizer.check(),
            Self::CredentialsProvider(provider) => {
                provider.check()?;
                check_scope(&provider.scope)
            }
        }
    }

    /// The request as it may be sent at this time. Where keys are given out, `session` has the key.
    pub(super) fn authorise(&self, mut request: Request, session: Option<&TemporaryKey>, unix_ms: u64) -> Request {
        match self {
            Self::Certificate => {}
            Self::SigV4 { credentials, scope } => sigv4::sign(&mut request, credentials, scope, unix_ms),
            Self::CustomAuthorizer(authorizer) => authorizer.add_to(&mut request),
            Self::CredentialsProvider(provider) => {
                if let Some(session) = session {
                    sigv4::sign(&mut request, session.credentials(), &provider.scope, unix_ms);
                }
            }
        }
        request
    }

    /// What an answer must not give away when it quotes the request.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let (key, authorizer) = match self {
            Self::SigV4 { credentials, .. } => (Some(credentials), None),
            Self::CustomAuthorizer(authorizer) => (None, Some(authorizer)),
            Self::Certificate | Self::CredentialsProvider(_) => (None, None),
        };
        key.into_iter().flat_map(Credentials::secrets).chain(authorizer.into_iter().flat_map(CustomAuthorizer::secrets))
    }
}

/// What a signature for this endpoint is good for: its own region, and the service that the SDKs sign for.
///
/// # Errors
///
/// [`Problem::NoRegion`] where the endpoint does not tell the region, and none is given.
pub fn scope(endpoint: &Endpoint, region: Option<String>, service: Option<String>) -> Result<Scope, Problem> {
    let region = match (region, HostName::of(endpoint.host()).region) {
        (Some(region), _) => region,
        (None, Some(region)) => region.to_owned(),
        (None, None) => return Err(Problem::NoRegion),
    };
    Ok(Scope { region, service: service.unwrap_or_else(|| "iotdata".to_owned()) })
}

fn check_scope(scope: &Scope) -> Result<(), Problem> {
    check_printable("region", &scope.region)?;
    check_printable("service", &scope.service)
}

/// What becomes a header value, or a part of one.
fn check_printable(option: &'static str, value: &str) -> Result<(), Problem> {
    if value.is_empty() {
        return Err(Problem::Empty(option));
    }
    if value.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err(Problem::WhiteSpace(option));
    }
    if value.is_ascii() { Ok(()) } else { Err(Problem::Malformed(option)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn key(id: &str, secret: &str, token: Option<&str>) -> Authentication {
        let credentials = Credentials {
            access_key_id: id.into(),
            secret_access_key: Secret::new(secret),
            session_token: token.map(Secret::new),
        };
        let endpoint = Endpoint::new("a-ats.iot.eu-west-1.amazonaws.com", 443).unwrap();
        Authentication::SigV4 { credentials, scope: scope(&endpoint, None, None).unwrap() }
    }

    #[test]
    fn a_key_is_refused_by_the_name_of_what_is_wrong_with_it() {
        assert_eq!(key("AKID", "secret", None).check(), Ok(()));
        assert_eq!(key("", "secret", None).check(), Err(Problem::Empty("access key id")));
        assert_eq!(key("AKID", "sec ret", None).check(), Err(Problem::WhiteSpace("secret access key")));
        assert_eq!(key("AKID", "secret", Some("to\nken")).check(), Err(Problem::WhiteSpace("session token")));
    }

    #[test]
    fn the_region_of_the_endpoint_is_signed_for_unless_another_is_given() {
        let endpoint = |host| Endpoint::new(host, 443).unwrap();
        let of = |host, region: Option<&str>| scope(&endpoint(host), region.map(str::to_owned), None);
        assert_eq!(of("a-ats.iot.eu-west-1.amazonaws.com", None).unwrap().region, "eu-west-1");
        assert_eq!(of("A-ATS.IOT.EU-WEST-1.AMAZONAWS.COM", None).unwrap().region, "eu-west-1");
        assert_eq!(of("a-ats.iot.eu-west-1.amazonaws.com", Some("eu-west-2")).unwrap().region, "eu-west-2");
        assert_eq!(of("iot.example.com", Some("eu-west-2")).unwrap().service, "iotdata");
        assert_eq!(of("iot.example.com", None), Err(Problem::NoRegion));
    }

    #[test]
    fn a_certificate_adds_nothing_to_a_request() {
        let request = Request::post("a.example".into(), "/topics/a?qos=0".into(), "text/plain", [].into());
        assert_eq!(Authentication::Certificate.authorise(request.clone(), None, 0), request);
    }
}
