//! Certificates as they stand in files.

use std::fmt;

use rustls::pki_types::CertificateDer;

use crate::files::pem::DerKind;
use crate::x509::der::{Elements, OBJECT_IDENTIFIER, SEQUENCE, context};

/// The reason why what stands under the label of a certificate cannot be used as one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFormatError {
    /// It is something else, which this names.
    NotACertificate(&'static str),
    /// It is of version 1 and issued by another: no authority, and nothing that a server can be known by.
    Version1,
    /// It is a certificate in which something is not as it should be, or not all of it is there, or it is none.
    Damaged,
}

impl CertificateFormatError {
    /// Of one that the parser has refused.
    pub(crate) fn of(der: &[u8]) -> Self {
        match DerKind::of(der) {
            None | Some(DerKind::Certificate) => Self::Damaged,
            Some(other) => Self::NotACertificate(other.name()),
        }
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NotACertificate(_) => "give the certificate",
            Self::Version1 => "give that of its authority",
            Self::Damaged => "download or export it again",
        }
    }
}

impl fmt::Display for CertificateFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACertificate(what) => write!(f, "what stands there is {what}"),
            Self::Version1 => f.write_str("it is of version 1 and was issued by another, so it is no authority"),
            Self::Damaged => f.write_str("it is damaged, or no certificate at all"),
        }
    }
}

impl std::error::Error for CertificateFormatError {}

/// What the settings say that OpenSSL puts behind a `TRUSTED CERTIFICATE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// There are none, or they let it vouch for servers.
    Servers,
    /// They let it vouch for mail or programs alone, or for nothing: distributions mark so what they do *not* trust any more.
    OtherPurposes,
}

/// `serverAuth`, and the number that stands for all purposes.
const SERVERS: [&[u8]; 2] = [&[0x2b, 6, 1, 5, 5, 7, 3, 1], &[0x55, 0x1d, 0x25, 0]];

/// The certificate alone, and what the settings behind it say.
pub(crate) fn certificate_of(mut der: Vec<u8>) -> (CertificateDer<'static>, Trust) {
    let mut elements = Elements::of(&der);
    if elements.next_if(SEQUENCE).is_none() || elements.rest().is_empty() {
        return (der.into(), Trust::Servers);
    }
    let Some(settings) = elements.clone().next_if(SEQUENCE) else { return (der.into(), Trust::Servers) };
    let mut settings = Elements::of(settings);
    let (trusted, rejected) = (settings.next_if(SEQUENCE), settings.next_if(context(0)));
    let has_servers = |purposes: &[u8]| {
        Elements::of(purposes).any(|purpose| purpose.tag == OBJECT_IDENTIFIER && SERVERS.contains(&purpose.content))
    };
    let trust = match trusted.is_none_or(has_servers) && !rejected.is_some_and(has_servers) {
        true => Trust::Servers,
        false => Trust::OtherPurposes,
    };
    let length = der.len() - elements.rest().len();
    der.truncate(length);
    (der.into(), trust)
}
