//! Configurations for AWS. Keys and tokens in them do not show in debug output.

#[cfg(feature = "mqtt")]
mod mqtt;

use std::fmt;

use wasmtime::component::{ComponentType, Lift, Lower};

#[cfg(feature = "mqtt")]
pub use mqtt::{Broker, MqttAuthentication, MqttAuthorizer};

/// Where an AWS IoT Core account takes messages, and from whom. `wit/aws.wit` says more about each field.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Config {
    /// The data endpoint, a bare host name.
    pub endpoint: String,
    /// With a certificate 8443, or 443 with the ALPN protocol `x-amzn-http-ca`; otherwise 443, without ALPN.
    pub port: u16,
    /// How the device shows who it is.
    pub authentication: Authentication,
}

/// How a device shows AWS who it is.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum Authentication {
    /// With the client certificate of the connection, which the route of the host has.
    #[component(name = "certificate")]
    Certificate,
    /// With a signature over each request.
    #[component(name = "sig-v4")]
    SigV4(SigV4),
    /// With a token that an authorizer of the account's owner judges.
    #[component(name = "custom-authorizer")]
    CustomAuthorizer(CustomAuthorizer),
    /// With signatures by a temporary key, given out for the client certificate that the route to the credentials
    /// endpoint has.
    #[component(name = "credentials-provider")]
    CredentialsProvider(CredentialsProvider),
}

/// An access key, and what it signs for.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct SigV4 {
    /// Names the key.
    #[component(name = "access-key-id")]
    pub access_key_id: String,
    /// The key. Does not show in `Debug`.
    #[component(name = "secret-access-key")]
    pub secret_access_key: String,
    /// Comes with temporary keys. Does not show in `Debug`.
    #[component(name = "session-token")]
    pub session_token: Option<String>,
    /// What it signs for.
    pub scope: Scope,
}

/// What a custom authorizer is sent.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
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

/// The endpoint that gives out temporary keys for a device certificate.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct CredentialsProvider {
    /// The credentials endpoint of the account, a bare host name.
    pub endpoint: String,
    /// 443.
    pub port: u16,
    /// The role alias that names the role of the key.
    #[component(name = "role-alias")]
    pub role_alias: String,
    /// The thing of the certificate, where policies ask for it.
    #[component(name = "thing-name")]
    pub thing_name: Option<String>,
    /// What the key signs for.
    pub scope: Scope,
}

/// What a signature is good for.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Scope {
    /// The region, such as `eu-central-1`. None: the one in the name of the endpoint.
    pub region: Option<String>,
    /// None: `iotdata`. AWS takes `iotdevicegateway` as well.
    pub service: Option<String>,
}

/// Where the credentials for a custom authorizer stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum Placement {
    /// In headers.
    #[component(name = "headers")]
    Headers,
    /// In the query, percent-encoded. Queries end up in logs.
    #[component(name = "query")]
    Query,
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
        let shown = format!("{:?} {:?}", Authentication::SigV4(key), Authentication::CustomAuthorizer(authorizer));
        assert!(shown.contains("AKID") && shown.contains("gate") && !shown.contains("hunter"), "{shown}");
    }
}
