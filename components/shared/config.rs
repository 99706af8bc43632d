//! The pieces of a configuration at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use thingpost::aws::sigv4::Credentials;
use thingpost::{ConfigurationProblem, Endpoint, Secret, aws};

use crate::bindings::exports::thingpost::iot::types as wit;

pub(crate) fn endpoint(host: &str, port: u16) -> Result<Endpoint, ConfigurationProblem> {
    Endpoint::new(host, port).map_err(ConfigurationProblem::Endpoint)
}

pub(crate) fn aws_config(config: wit::AwsConfig) -> Result<aws::Config, ConfigurationProblem> {
    let endpoint = endpoint(&config.endpoint, config.port)?;
    let authentication = aws_authentication(config.authentication, &endpoint)?;
    aws::Config::new(endpoint, authentication)
}

fn aws_authentication(
    authentication: wit::AwsAuthentication,
    data_endpoint: &Endpoint,
) -> Result<aws::Authentication, ConfigurationProblem> {
    let scope = |scope: wit::Scope| aws::scope(data_endpoint, scope.region, scope.service);
    Ok(match authentication {
        wit::AwsAuthentication::Certificate => aws::Authentication::Certificate,
        wit::AwsAuthentication::SigV4(key) => aws::Authentication::SigV4 {
            credentials: Credentials {
                access_key_id: key.access_key_id,
                secret_access_key: Secret::new(key.secret_access_key),
                session_token: key.session_token.map(Secret::new),
            },
            scope: scope(key.scope)?,
        },
        wit::AwsAuthentication::CustomAuthorizer(authorizer) => {
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
        wit::AwsAuthentication::CredentialsProvider(provider) => {
            aws::Authentication::CredentialsProvider(aws::CredentialsProvider {
                endpoint: endpoint(&provider.endpoint, provider.port)?,
                role_alias: provider.role_alias,
                thing_name: provider.thing_name,
                scope: scope(provider.scope)?,
            })
        }
    })
}
