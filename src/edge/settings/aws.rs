//! The settings of a device on AWS IoT Core.

use alloc::string::String;

use super::error::SettingsErrorKind;
use super::fields::Fields;
use super::scheme;
use crate::aws::sigv4::Credentials;
use crate::aws::{Authentication, Config, CredentialsProvider, CustomAuthorizer, Placement, scope};
use crate::config_error::ConfigError;
use crate::endpoint::Endpoint;
use crate::http::Scheme;
use crate::secret::Secret;

const WAYS: &[&str] = &["certificate", "sigv4", "authorizer", "role-alias"];

pub(super) fn take(fields: &mut Fields, scheme: Scheme) -> Result<Config, SettingsErrorKind> {
    let way = fields.choice("auth", WAYS)?.unwrap_or("certificate");
    let default_port = if way == "certificate" { 8443 } else { 443 };
    let port = super::port(fields, default_port)?;
    let endpoint = Endpoint::new(&fields.required("endpoint")?, port).map_err(ConfigError::Endpoint)?;
    scheme::check(scheme, &endpoint)?;
    let region = fields.take("region");
    let authentication = match way {
        "certificate" => Authentication::Certificate,
        "sigv4" => Authentication::SigV4 {
            credentials: Credentials {
                access_key_id: fields.required("access_key_id")?,
                secret_access_key: Secret::new(fields.required("secret_access_key")?),
                session_token: fields.take("session_token").map(Secret::new),
            },
            scope: scope(&endpoint, region, None)?,
        },
        "authorizer" => Authentication::CustomAuthorizer(authorizer(fields)?),
        _ => Authentication::CredentialsProvider(CredentialsProvider {
            endpoint: credentials_endpoint(fields, scheme)?,
            role_alias: fields.required("role_alias")?,
            thing_name: fields.take("thing_name"),
            scope: scope(&endpoint, region, None)?,
        }),
    };
    Ok(Config::new(endpoint, authentication)?)
}

fn credentials_endpoint(fields: &mut Fields, scheme: Scheme) -> Result<Endpoint, SettingsErrorKind> {
    let port = fields.number("credentials_port", 1..=u16::MAX.into())?;
    let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(443);
    let host = fields.required("credentials_endpoint")?;
    let endpoint = Endpoint::new(&host, port).map_err(ConfigError::Endpoint)?;
    scheme::check(scheme, &endpoint)?;
    Ok(endpoint)
}

/// Only temporary keys are obtained. The certificate that they are obtained with is the host's.
pub(super) fn credential_key(config: &Config) -> Option<String> {
    let Authentication::CredentialsProvider(provider) = config.authentication() else { return None };
    let (endpoint, thing_name) = (provider.endpoint.authority(), provider.thing_name.as_deref().unwrap_or_default());
    Some(super::credential_key::credential_key(&["aws", &endpoint, &provider.role_alias, thing_name], ""))
}

fn authorizer(fields: &mut Fields) -> Result<CustomAuthorizer, SettingsErrorKind> {
    let token = match (fields.take("authorizer_token_name"), fields.take("authorizer_token")) {
        (Some(name), Some(token)) => Some((name, Secret::new(token))),
        (None, None) => None,
        (None, Some(_)) => return Err(SettingsErrorKind::Missing("authorizer_token_name")),
        (Some(_), None) => return Err(SettingsErrorKind::Missing("authorizer_token")),
    };
    Ok(CustomAuthorizer {
        name: fields.take("authorizer_name"),
        token,
        signature: fields.take("authorizer_signature").map(Secret::new),
        placement: Placement::Headers,
    })
}
