//! Configurations for HTTPS at the border.

use thingpost::aws::sigv4::Credentials;
use thingpost::{ConfigError, Endpoint, Secret, aws};

use crate::bindings::exports::thingpost::iot::aws_types as wit;
use crate::values::endpoint::endpoint;

pub fn config(config: wit::Config) -> Result<aws::Config, ConfigError> {
    let endpoint = endpoint(&config.endpoint, config.port)?;
    let authentication = authentication_of(config.authentication, &endpoint)?;
    aws::Config::new(endpoint, authentication)
}

fn authentication_of(
    authentication: wit::Authentication,
    data_endpoint: &Endpoint,
) -> Result<aws::Authentication, ConfigError> {
    let scope = |scope: wit::Scope| aws::scope(data_endpoint, scope.region, scope.service);
    Ok(match authentication {
        wit::Authentication::Certificate => aws::Authentication::Certificate,
        wit::Authentication::SigV4(key) => aws::Authentication::SigV4 {
            credentials: Credentials {
                access_key_id: key.access_key_id,
                secret_access_key: Secret::new(key.secret_access_key),
                session_token: key.session_token.map(Secret::new),
            },
            scope: scope(key.scope)?,
        },
        wit::Authentication::CustomAuthorizer(authorizer) => {
            aws::Authentication::CustomAuthorizer(aws::CustomAuthorizer {
                name: authorizer.name,
                token: authorizer.token.map(|(name, token)| (name, Secret::new(token))),
                signature: authorizer.signature.map(Secret::new),
                placement: match authorizer.placement {
                    wit::Placement::Headers => aws::Placement::Headers,
                    wit::Placement::Query => aws::Placement::Query,
                },
            })
        }
        wit::Authentication::CredentialsProvider(provider) => {
            aws::Authentication::CredentialsProvider(aws::CredentialsProvider {
                endpoint: endpoint(&provider.endpoint, provider.port)?,
                role_alias: provider.role_alias,
                thing_name: provider.thing_name,
                scope: scope(provider.scope)?,
            })
        }
    })
}
