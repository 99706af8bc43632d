//! Configurations for AWS. Keys and tokens in them do not show in debug output.

use std::fmt;

use super::generated;

pub use generated::{Placement, Scope};

/// Where an AWS IoT Core account takes messages, and from whom. `wit/types.wit` says more about each field.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsConfig {
    /// The data endpoint, a bare host name.
    pub endpoint: String,
    /// With a certificate 8443, or 443 with the ALPN protocol `x-amzn-http-ca`; otherwise 443, without ALPN.
    pub port: u16,
    /// How the device shows who it is.
    pub authentication: AwsAuthentication,
}

/// How a device shows AWS who it is.
#[derive(Debug, Clone, PartialEq)]
pub enum AwsAuthentication {
    /// With the client certificate of the connection, which the route of the host has.
    Certificate,
    /// With a signature over each request.
    SigV4(SigV4),
    /// With a token that an authorizer of the account's owner judges.
    CustomAuthorizer(CustomAuthorizer),
    /// With signatures by a temporary key, given out for the client certificate that the route to the credentials
    /// endpoint has.
    CredentialsProvider(CredentialsProvider),
}

/// An access key, and what it signs for.
#[derive(Clone, PartialEq)]
pub struct SigV4 {
    /// Names the key.
    pub access_key_id: String,
    /// The key. Does not show in `Debug`.
    pub secret_access_key: String,
    /// Comes with temporary keys. Does not show in `Debug`.
    pub session_token: Option<String>,
    /// What it signs for.
    pub scope: Scope,
}

/// What a custom authorizer is sent.
#[derive(Clone, PartialEq)]
pub struct CustomAuthorizer {
    /// Which one. None: the default of the endpoint.
    pub name: Option<String>,
    /// The name under which the token travels, and the token. The token does not show in `Debug`.
    pub token: Option<(String, String)>,
    /// The signature of the token in base64. Does not show in `Debug`.
    pub signature: Option<String>,
    /// Where all of it stands.
    pub placement: Placement,
}

/// Who gives out temporary keys for a device certificate.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialsProvider {
    /// The credentials endpoint of the account, a bare host name.
    pub endpoint: String,
    /// 443.
    pub port: u16,
    /// The role alias that names the role of the key.
    pub role_alias: String,
    /// The thing of the certificate, where policies ask for it.
    pub thing_name: Option<String>,
    /// What the key signs for.
    pub scope: Scope,
}

/// In the region that the name of the endpoint has, for the service that the SDKs sign for.
impl Default for Scope {
    fn default() -> Self {
        Self { region: None, service: None }
    }
}

impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigV4")
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CustomAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomAuthorizer")
            .field("name", &self.name)
            .field("token_name", &self.token.as_ref().map(|(name, _)| name))
            .field("placement", &self.placement)
            .finish_non_exhaustive()
    }
}

impl From<AwsConfig> for generated::AwsConfig {
    fn from(config: AwsConfig) -> Self {
        Self { endpoint: config.endpoint, port: config.port, authentication: config.authentication.into() }
    }
}

impl From<AwsAuthentication> for generated::AwsAuthentication {
    fn from(authentication: AwsAuthentication) -> Self {
        match authentication {
            AwsAuthentication::Certificate => Self::Certificate,
            AwsAuthentication::SigV4(key) => Self::SigV4(generated::SigV4 {
                access_key_id: key.access_key_id,
                secret_access_key: key.secret_access_key,
                session_token: key.session_token,
                scope: key.scope,
            }),
            AwsAuthentication::CustomAuthorizer(authorizer) => Self::CustomAuthorizer(generated::CustomAuthorizer {
                name: authorizer.name,
                token: authorizer.token,
                signature: authorizer.signature,
                placement: authorizer.placement,
            }),
            AwsAuthentication::CredentialsProvider(provider) => {
                Self::CredentialsProvider(generated::CredentialsProvider {
                    endpoint: provider.endpoint,
                    port: provider.port,
                    role_alias: provider.role_alias,
                    thing_name: provider.thing_name,
                    scope: provider.scope,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_neither_keys_nor_tokens() {
        let key = SigV4 {
            access_key_id: "AKID".to_owned(),
            secret_access_key: "hunter2".to_owned(),
            session_token: Some("hunter3".to_owned()),
            scope: Scope::default(),
        };
        let authorizer = CustomAuthorizer {
            name: Some("gate".to_owned()),
            token: Some(("jwt".to_owned(), "hunter4".to_owned())),
            signature: Some("hunter5".to_owned()),
            placement: Placement::Headers,
        };
        let shown =
            format!("{:?} {:?}", AwsAuthentication::SigV4(key), AwsAuthentication::CustomAuthorizer(authorizer));
        assert!(shown.contains("AKID") && shown.contains("gate") && !shown.contains("hunter"), "{shown}");
    }
}
