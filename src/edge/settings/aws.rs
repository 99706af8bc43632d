//! The settings of a device on AWS IoT Core.

use super::error::SettingsErrorKind;
use super::fields::Fields;
use crate::aws::sigv4::Credentials;
use crate::aws::{Authentication, Config, CredentialsProvider, CustomAuthorizer, Placement, scope};
use crate::config_error::ConfigError;
use crate::endpoint::Endpoint;
use crate::secret::Secret;

const WAYS: &[&str] = &["certificate", "sigv4", "authorizer", "role-alias"];

pub(super) fn take(fields: &mut Fields) -> Result<Config, SettingsErrorKind> {
    let way = fields.choice("auth", WAYS)?.unwrap_or("certificate");
    let default_port = if way == "certificate" { 8443 } else { 443 };
    let port = super::port(fields, default_port)?;
    let endpoint = Endpoint::new(&fields.required("endpoint")?, port).map_err(ConfigError::Endpoint)?;
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
            endpoint: Endpoint::new(&fields.required("credentials_endpoint")?, 443).map_err(ConfigError::Endpoint)?,
            role_alias: fields.required("role_alias")?,
            thing_name: fields.take("thing_name"),
            scope: scope(&endpoint, region, None)?,
        }),
    };
    Ok(Config::new(endpoint, authentication)?)
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
