//! A device that shows AWS who it is in one of four ways. Which one it is decides about the port, the ALPN protocols and
//! the connection on which the certificate is shown, and AWS answers every mix-up of these with a 403 without a word.

pub(super) mod access_key;
pub(super) mod auth_method;
pub(super) mod authorizer;
mod provider;

use std::sync::Arc;

use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Platform, Scope};
use thingpost_host::{AWS_HTTPS_WITH_CERTIFICATE, Alpn, Route, TrustRoots};

use super::{Device, Network, identity, input_files, roots};
use crate::args::{AwsDevice, Service, SignatureArgs};
use crate::error::CliError;
use crate::files::input_file::InputFile;
use auth_method::AuthMethod;

pub fn aws(arguments: &AwsDevice) -> Result<Device, CliError> {
    let method = AuthMethod::of(arguments)?;
    let default_port = if matches!(method, AuthMethod::Certificate(_)) { 8443 } else { 443 };
    let endpoint = arguments.endpoint.host.clone();
    let port = arguments.endpoint.port("--port", arguments.port, default_port)?;
    let roots = roots(&arguments.network)?;
    let anonymous = anonymous_route(&endpoint, port, &roots);
    let mut renewal = None;
    let mut warnings = Vec::new();
    let (authentication, routes) = match method {
        AuthMethod::Certificate(pair) => {
            // Given a certificate, port 443 is the one with ALPN, whatever the domain is called.
            let protocols = match port {
                443 => vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()],
                _ => Vec::new(),
            };
            let identity = pair.identity()?;
            warnings = pair.warnings(&identity);
            let route = anonymous.identity(identity).alpn(Alpn::Offer(protocols));
            (AwsAuthentication::Certificate, vec![route])
        }
        AuthMethod::SigV4 => {
            let found = access_key::find(&arguments.signature, &endpoint)?;
            renewal = found.renewal;
            (AwsAuthentication::SigV4(found.key), vec![anonymous])
        }
        AuthMethod::CustomAuthorizer => {
            let authorizer = authorizer::authorizer(&arguments.authorizer)?;
            (AwsAuthentication::CustomAuthorizer(authorizer), vec![anonymous])
        }
        AuthMethod::CredentialsProvider { pair, role_alias, endpoint: credentials_endpoint } => {
            let provider = provider::provider(arguments, role_alias, credentials_endpoint)?;
            if provider.endpoint.eq_ignore_ascii_case(&endpoint) && provider.port == port {
                return Err(provider::same_endpoint(&endpoint));
            }
            let identity = pair.identity()?;
            warnings = pair.warnings(&identity);
            let route = anonymous_route(&provider.endpoint, provider.port, &roots).identity(identity);
            (AwsAuthentication::CredentialsProvider(provider), vec![anonymous, route])
        }
    };
    let platform = Platform::Aws(AwsConfig { endpoint, port, authentication });
    let network = Network::of(&arguments.network)?;
    Ok(Device { platform, routes, secrets: Arc::default(), network, files: files(arguments), renewal, warnings })
}

/// Without ALPN: where no certificate is shown, AWS goes by what the request says.
fn anonymous_route(host: &str, port: u16, roots: &TrustRoots) -> Route {
    Route::new(host, roots.clone()).port(port).alpn(Alpn::Offer(Vec::new()))
}

fn scope(arguments: &SignatureArgs, region: Option<String>) -> Scope {
    let service = arguments.service.map(|service| match service {
        Service::Iotdata => "iotdata".to_owned(),
        Service::Iotdevicegateway => "iotdevicegateway".to_owned(),
    });
    Scope { region, service }
}

/// What the device is made from.
pub fn files(arguments: &AwsDevice) -> Vec<InputFile> {
    let others = input_files([
        ("--ca", arguments.network.ca.as_ref()),
        ("--proxy-user-file", arguments.network.proxy_user_file.as_ref()),
        ("--token-file", arguments.authorizer.token.token_file.as_ref()),
        ("--token-signature-file", arguments.authorizer.token.token_signature_file.as_ref()),
    ]);
    let mut files: Vec<_> = identity::files(&arguments.certificate).into_iter().chain(others).collect();
    if arguments.signature.sigv4 {
        files.extend(access_key::files(&arguments.signature));
    }
    files
}
