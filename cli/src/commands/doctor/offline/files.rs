//! What can be known before there is a network: whether the files go together, and whether the certificate is in its time.
//! A certificate that has expired looks from the outside like one that was never registered.

use std::env;

use rustls::SignatureScheme;
use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, CustomAuthorizer, Placement, SigV4};
use thingpost_host::{Route, TrustRoots};

use crate::args::{AwsDevice, CertificateArgs, NetworkArgs};
use crate::commands::doctor::finding::Finding;
use crate::commands::doctor::network::certificate::{CertificateDetails, Validity};
use crate::device::identity;

/// Looks at the files that a device cannot be made without. It stands before the making of it, which would turn a broken
/// file into wrong usage.
pub fn broken(certificate: Option<&CertificateArgs>, network: &NetworkArgs) -> Option<Finding> {
    let mut finding = Finding::new();
    if let Some(CertificateArgs { cert: Some(certificate), key: Some(key) }) = certificate
        && let Err(error) = identity::identity(certificate, key)
    {
        finding.fail_with(error, "give another file");
    }
    let roots = match &network.ca {
        Some(file) => TrustRoots::from_pem_file(file).map(Some),
        None => TrustRoots::from_environment(),
    };
    if let Err(error) = roots {
        finding.fail_with(error, "give another file");
    }
    finding.has_failed().then_some(finding)
}

/// Looks at what the device shows who it is with.
pub fn check(config: &AwsConfig, routes: &[Route], device: &AwsDevice) -> Finding {
    let network = &device.network;
    let mut finding = Finding::new();
    check_token(&mut finding, &device.certificate);
    for route in routes {
        check_certificate(&mut finding, route);
    }
    match &config.authentication {
        AwsAuthentication::Certificate | AwsAuthentication::CredentialsProvider(_) => {}
        AwsAuthentication::SigV4(key) => check_access_key(&mut finding, key),
        AwsAuthentication::CustomAuthorizer(authorizer) => check_authorizer(&mut finding, authorizer),
    }
    check_roots(&mut finding, network);
    finding
}

/// Says whom the device trusts.
pub fn check_roots(finding: &mut Finding, network: &NetworkArgs) {
    match &network.ca {
        Some(roots) => finding.see(format!("trusts only the certificates in {}", roots.display())),
        None if NAMING_ROOTS.iter().any(|name| env::var_os(name).is_some_and(|it| !it.is_empty())) => {
            finding.see("trusts only the certificates that SSL_CERT_FILE and SSL_CERT_DIR name");
        }
        None => finding.see("trusts the certificate authorities of this system"),
    }
}

/// The variables that name authorities in place of the system's.
const NAMING_ROOTS: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Looks at the certificate that this route shows, if it shows one.
pub fn check_certificate(finding: &mut Finding, route: &Route) {
    let resolver = &route.tls_config(443).client_auth_cert_resolver;
    let Some(shown) = resolver.resolve(&[], &[SignatureScheme::ECDSA_NISTP256_SHA256]) else { return };
    let Some(details) = shown.cert.first().and_then(|der| CertificateDetails::of(der)) else {
        return finding.see("the certificate fits its key");
    };
    finding.see(format!("certificate {}; the key belongs to it", details.who()));
    let age = details.age();
    let line = format!("the certificate {} ({})", age.text(), details.validity());
    match age {
        Validity::Valid(_) => finding.see(line),
        Validity::EndsSoon(_) => finding.warn(line, "make a new certificate before that, and register it"),
        Validity::Expired(_) => {
            finding
                .fail(line, "make a new certificate and register it, unless it is this machine's clock that is wrong");
        }
        Validity::NotYetValid(_) => finding.fail(line, "set this machine's clock, or wait"),
    }
}

/// Looks at the token that the key is on, if it is on one. A library of a token, a PIN and a mechanism can each be wrong, and to a server
/// all of them look like a device without a certificate.
pub fn check_token(finding: &mut Finding, certificate: &CertificateArgs) {
    match identity::on_token(certificate) {
        None => {}
        Some(Err(error)) => finding.fail_with(error, "check the token"),
        Some(Ok(token)) if token.is_limited_to_tls12 => finding.warn(
            format!("{}; it signs for TLS 1.2 alone, as the token has no RSA-PSS", token.what),
            "that is enough for most servers; for TLS 1.3 make a key of ECDSA P-256 on it",
        ),
        Some(Ok(token)) => finding.see(token.what),
    }
}

fn check_access_key(finding: &mut Finding, key: &SigV4) {
    let id = &key.access_key_id;
    let has_token = key.session_token.is_some();
    match (id.starts_with("ASIA"), has_token) {
        (true, false) => finding.fail(
            format!("the access key {id} is a temporary one, and its session token is missing"),
            "set AWS_SESSION_TOKEN as well, or aws_session_token in the profile: AWS gives out all three together",
        ),
        (false, true) if id.starts_with("AKIA") => finding.warn(
            format!("the access key {id} is a lasting one, and yet there is a session token"),
            "unset AWS_SESSION_TOKEN if it is left over from another key",
        ),
        (_, true) => finding.see(format!("access key {id}, a temporary one, with its session token")),
        (_, false) => finding.see(format!("access key {id}, without a session token")),
    }
}

fn check_authorizer(finding: &mut Finding, authorizer: &CustomAuthorizer) {
    let name = match &authorizer.name {
        Some(name) => format!("custom authorizer {name}"),
        None => "the default authorizer of the endpoint".to_owned(),
    };
    let token = match &authorizer.token {
        Some((name, _)) => format!("a token named {name}"),
        None => "no token".to_owned(),
    };
    let signature = if authorizer.signature.is_some() { "with its signature" } else { "unsigned" };
    let place = match authorizer.placement {
        Placement::Headers => "in headers",
        Placement::Query => "in the query",
    };
    finding.see(format!("{name}, {token}, {signature}, {place}"));
}
