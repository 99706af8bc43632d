//! A portal in a hotel answers for every host with a certificate of its own, and "add its authority to the trust roots" is the worst
//! advice there is. Whose certificate it was tells the portal from one's own server.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, OtherError};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::Decode;

/// As much of a name as a line has place for.
const MOST: usize = 100;

/// A certificate that leads to no authority that is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntrustedCertificate {
    subject: String,
    issuer: String,
    is_for_endpoint: bool,
    /// The settings that name all who are trusted, as `SSL_CERT_FILE=/etc/ca.pem`.
    trusted_instead: Option<Arc<str>>,
}

impl UntrustedCertificate {
    /// What the library says of an unknown issuer, with what it leaves out: the certificate. `trusted_instead` is the setting of the
    /// environment that names all who are trusted, if one does.
    pub(crate) fn named(
        server: &CertificateDer<'_>,
        name: &ServerName<'_>,
        trusted_instead: Option<Arc<str>>,
    ) -> CertificateError {
        match Self::of(server, name) {
            Some(untrusted) => CertificateError::Other(OtherError(Arc::new(Self { trusted_instead, ..untrusted }))),
            None => CertificateError::UnknownIssuer,
        }
    }

    fn of(server: &CertificateDer<'_>, name: &ServerName<'_>) -> Option<Self> {
        let certificate = CertificateInner::<Raw>::from_der(server).ok()?;
        let certificate = certificate.tbs_certificate();
        let is_for_endpoint =
            ParsedCertificate::try_from(server).is_ok_and(|server| verify_server_name(&server, name).is_ok());
        Some(Self {
            subject: printable(&certificate.subject().to_string()),
            issuer: printable(&certificate.issuer().to_string()),
            is_for_endpoint,
            trusted_instead: None,
        })
    }

    /// In an error of the library.
    pub(super) fn within(error: &CertificateError) -> Option<&Self> {
        match error {
            CertificateError::Other(OtherError(other)) => other.downcast_ref(),
            _ => None,
        }
    }

    /// Whether the endpoint is among its names. If not, something on the way answers in place of the endpoint.
    pub fn is_for_endpoint(&self) -> bool {
        self.is_for_endpoint
    }

    /// The setting of the environment that names all who are trusted in place of those of the system, if one does:
    /// `SSL_CERT_FILE=/etc/ca.pem`.
    pub fn trusted_instead(&self) -> Option<&str> {
        self.trusted_instead.as_deref()
    }

    pub(super) fn hint(&self) -> &'static str {
        match self.is_for_endpoint {
            true if self.trusted_instead.is_some() => "add the server's CA there, or unset it",
            true => "add the server's CA to the trust roots",
            false => {
                "something on the way answers in place of the endpoint, such as the login page of a network or a proxy: \
                 log in there or use another network, and do not trust this certificate"
            }
        }
    }
}

impl fmt::Display for UntrustedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, issuer, is_for_endpoint, trusted_instead } = self;
        let names = if *is_for_endpoint { "" } else { "is for another name, and " };
        write!(f, "it {names}leads to no authority that is trusted ({subject}, issued by {issuer})")?;
        match trusted_instead {
            Some(setting) => write!(f, ", and {setting} in the environment names all that are"),
            None => Ok(()),
        }
    }
}

impl StdError for UntrustedCertificate {}

/// Anybody can put anything there.
fn printable(name: &str) -> String {
    let name: String = name.chars().take(MOST).map(|char| if char.is_control() { ' ' } else { char }).collect();
    if name.is_empty() { "without a name".to_owned() } else { name }
}
