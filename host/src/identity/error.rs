//! What people read who gave the wrong file: in one line which, and what to do about it.

use std::fmt;
use std::path::PathBuf;

use crate::error::tls::fault;
use crate::files::path;
use crate::files::pem::{Expected, PemContents, PemError, PemSource};
use crate::identity::key::PrivateKeyError;
#[cfg(feature = "pkcs11")]
use crate::identity::pkcs11::Pkcs11Error;
use crate::x509::certificate::CertificateFormatError;

/// Where a certificate or a key came from; names it in errors.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentitySource {
    /// A PEM text.
    Pem(PemSource),
    /// An object on a PKCS#11 token, by its URI without a PIN.
    Token(String),
    /// The certificates that the embedder handed over.
    Chain,
    /// The key that the embedder handed over.
    SigningKey,
}

impl From<PemSource> for IdentitySource {
    fn from(source: PemSource) -> Self {
        Self::Pem(source)
    }
}

impl fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(source) => write!(f, "{source}"),
            Self::Token(uri) => f.write_str(uri),
            Self::Chain => f.write_str("the chain"),
            Self::SigningKey => f.write_str("the signing key"),
        }
    }
}

/// The reason why a certificate and a key do not make an [`Identity`](super::Identity).
#[derive(Debug)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// A PEM section that should be there is broken.
    Malformed {
        /// Where.
        file: PemSource,
        /// What is wrong.
        error: PemError,
    },
    /// No certificate where the certificate should be.
    NoCertificate {
        /// Where it was looked for.
        certificate: PemSource,
        /// What is there instead.
        found: PemContents,
    },
    /// No private key where the key should be.
    NoPrivateKey {
        /// Where it was looked for.
        key: PemSource,
        /// What is there instead.
        found: PemContents,
    },
    /// The private key needs a passphrase.
    EncryptedKey {
        /// Where the key is.
        key: PemSource,
    },
    /// The private key is of a kind, size or form that cannot be used.
    UnsupportedKey {
        /// Where the key is.
        key: PemSource,
        /// What is wrong with it.
        error: PrivateKeyError,
    },
    /// A certificate is there, but is none that TLS can use.
    UnusableCertificate {
        /// Where the certificate is.
        certificate: IdentitySource,
        /// Its position there, counted from 1.
        position: usize,
        /// What is wrong with it.
        error: CertificateFormatError,
    },
    /// The key belongs to a certificate of the chain, but not to the first one.
    LeafNotFirst {
        /// Where the chain is.
        certificate: IdentitySource,
        /// The position of the device's certificate, counted from 1.
        position: usize,
    },
    /// The key belongs to another certificate.
    Mismatch {
        /// Where the certificate is.
        certificate: IdentitySource,
        /// Where the key is.
        key: IdentitySource,
        /// Whether there is none but those of authorities, so that the device's own is missing.
        are_authorities: bool,
    },
    /// Whether a key belongs to its certificate could only be seen by a signature, and it did not make one.
    Signature {
        /// Where the key is.
        key: IdentitySource,
        /// What it said.
        error: rustls::Error,
    },
    /// A PKCS#11 token cannot be used, or not with what is on it.
    #[cfg(feature = "pkcs11")]
    Token(Pkcs11Error),
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, error } => {
                write!(f, "cannot read {}: {error}; {}", file.display(), path::file_hint(file, error))
            }
            Self::Malformed { file, error } => {
                write!(f, "broken PEM in {file} ({error}); download or export it again")
            }
            Self::NoCertificate { certificate, found } => {
                write!(f, "no certificate in {certificate}: {found}; {}", found.hint(Expected::Certificate))
            }
            Self::NoPrivateKey { key, found } => {
                write!(f, "no private key in {key}: {found}; {}", found.hint(Expected::PrivateKey))
            }
            Self::EncryptedKey { key } => write!(
                f,
                "the private key in {key} needs a passphrase; decrypt it with `openssl pkey -in KEY -out KEY.plain`"
            ),
            Self::UnsupportedKey { key, error } => {
                write!(f, "the private key in {key} cannot be used: {error}; {}", error.hint())
            }
            Self::UnusableCertificate { certificate, position, error } => {
                write!(f, "certificate {position} in {certificate} cannot be used: {error}; {}", error.hint())
            }
            Self::LeafNotFirst { certificate, position } => write!(
                f,
                "the device's certificate is number {position} in {certificate}; put it first, before those that signed it"
            ),
            Self::Mismatch { certificate, key, are_authorities: true } => write!(
                f,
                "the private key in {key} does not belong to the certificate in {certificate}, which is that of an authority; give \
                 the device's own certificate, which was created together with the key"
            ),
            Self::Mismatch { certificate, key, are_authorities: false } => write!(
                f,
                "the private key in {key} does not belong to the certificate in {certificate}; give the pair that was created together"
            ),
            Self::Signature { key, error } => {
                write!(f, "{key} made no signature ({}); check that it can be reached and used", fault(error))
            }
            #[cfg(feature = "pkcs11")]
            Self::Token(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for IdentityError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            Self::Malformed { error, .. } => Some(error),
            Self::UnsupportedKey { error, .. } => Some(error),
            Self::UnusableCertificate { error, .. } => Some(error),
            Self::Signature { error, .. } => Some(error),
            #[cfg(feature = "pkcs11")]
            Self::Token(error) => Some(error),
            Self::NoCertificate { .. }
            | Self::NoPrivateKey { .. }
            | Self::EncryptedKey { .. }
            | Self::LeafNotFirst { .. }
            | Self::Mismatch { .. } => None,
        }
    }
}
