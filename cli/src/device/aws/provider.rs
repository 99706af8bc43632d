//! Where a temporary key comes from.

use thingpost_host::runtime::types::CredentialsProvider;

use super::scope;
use crate::args::{AwsDevice, EndpointArgument};
use crate::error::CliError;

const ITS_ENDPOINT: &str = "aws iot describe-endpoint --endpoint-type iot:CredentialProvider";

pub(super) fn provider(
    arguments: &AwsDevice,
    role_alias: &str,
    endpoint: &EndpointArgument,
) -> Result<CredentialsProvider, CliError> {
    Ok(CredentialsProvider {
        endpoint: endpoint.host.clone(),
        port: endpoint.port("--credentials-port", arguments.provider.credentials_port, 443)?,
        role_alias: role_alias.to_owned(),
        thing_name: arguments.provider.thing_name.clone(),
        // The region of a profile or a variable is that of other access keys. This key comes from elsewhere.
        scope: scope(&arguments.signature, arguments.signature.region.clone()),
    })
}

/// The one would get the certificate, and the other must not.
pub(super) fn same_endpoint(host: &str) -> CliError {
    CliError::sentence(format!(
        "--endpoint and --credentials-endpoint are both {host}; for the latter ask `{ITS_ENDPOINT}`"
    ))
}
