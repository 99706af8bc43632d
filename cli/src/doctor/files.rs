//! What can be known before there is a network: whether the files go together, and whether the certificate is in its time.
//! A certificate that has expired looks from the outside like one that was never registered.

use std::env;
use std::path::Path;

use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, CustomAuthorizer, Placement, SigV4};
use thingpost_host::{Identity, TrustRoots};

use super::certificate::{Age, Details};
use super::finding::Finding;
use crate::arguments::AwsDevice;

/// Looks at the files that a device cannot be made without. It stands before the making of it, which would turn a broken
/// file into wrong usage.
pub fn broken(arguments: &AwsDevice) -> Option<Finding> {
    let mut finding = Finding::new();
    if let (Some(certificate), Some(key)) = (&arguments.certificate.cert, &arguments.certificate.key)
        && let Err(error) = Identity::from_pem_files(certificate, key)
    {
        fail(&mut finding, &error.to_string());
    }
    if let Some(roots) = &arguments.reach.ca
        && let Err(error) = TrustRoots::from_pem_file(roots)
    {
        fail(&mut finding, &error.to_string());
    }
    finding.has_failed().then_some(finding)
}

/// These errors are `what; what to do`.
fn fail(finding: &mut Finding, sentence: &str) {
    let (cause, step) = sentence.rsplit_once("; ").unwrap_or((sentence, "give another file"));
    finding.fail(cause, step);
}

/// Looks at what the device shows who it is with.
pub fn look(arguments: &AwsDevice, config: &AwsConfig) -> Finding {
    let mut finding = Finding::new();
    if let (Some(certificate), Some(key)) = (&arguments.certificate.cert, &arguments.certificate.key) {
        look_at_certificate(&mut finding, certificate, key);
    }
    match &config.authentication {
        AwsAuthentication::Certificate | AwsAuthentication::CredentialsProvider(_) => {}
        AwsAuthentication::SigV4(key) => look_at_access_key(&mut finding, key),
        AwsAuthentication::CustomAuthorizer(authorizer) => look_at_authorizer(&mut finding, authorizer),
    }
    match &arguments.reach.ca {
        Some(roots) => finding.see(format!("trusts only the certificates in {}", roots.display())),
        None => match ["SSL_CERT_FILE", "SSL_CERT_DIR"]
            .iter()
            .any(|name| env::var_os(name).is_some_and(|it| !it.is_empty()))
        {
            true => finding.see("trusts only the certificates that SSL_CERT_FILE and SSL_CERT_DIR name"),
            false => finding.see("trusts the certificate authorities of this system"),
        },
    }
    finding
}

fn look_at_certificate(finding: &mut Finding, file: &Path, key: &Path) {
    // It has been read before, so that it is to be read is almost certain.
    let identity = Identity::from_pem_files(file, key).ok();
    let details = identity.and_then(|identity| Details::of(identity.certificate()));
    let Some(details) = details else {
        return finding.see(format!("the certificate in {} fits its key", file.display()));
    };
    finding.see(format!("certificate {}; the key belongs to it", details.who()));
    let age = details.age();
    let line = format!("the certificate {} ({})", age.text(), details.validity());
    match age {
        Age::Valid(_) => finding.see(line),
        Age::EndsSoon(_) => finding.warn(line, "make a new certificate before that, and register it"),
        Age::Expired(_) => {
            finding
                .fail(line, "make a new certificate and register it, unless it is this machine's clock that is wrong");
        }
        Age::NotYetValid(_) => finding.fail(line, "set this machine's clock, or wait"),
    }
}

fn look_at_access_key(finding: &mut Finding, key: &SigV4) {
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

fn look_at_authorizer(finding: &mut Finding, authorizer: &CustomAuthorizer) {
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
