//! What people read who gave the wrong file of authorities.

use std::fmt;
use std::path::PathBuf;

use super::LeftOut;
use crate::files::path;
use crate::files::pem::{Expected, PemContents, PemError, PemSource};
use crate::x509::certificate::CertificateFormatError;

/// The reason why a file does not make [`TrustRoots`](super::TrustRoots).
#[derive(Debug)]
#[non_exhaustive]
pub enum RootsError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// A PEM section is broken.
    Malformed {
        /// Where.
        roots: PemSource,
        /// What is wrong.
        error: PemError,
    },
    /// There is no certificate.
    NoCertificate {
        /// Where they were looked for.
        roots: PemSource,
        /// What is there instead.
        found: PemContents,
        /// The first of those that are there and cannot be trusted.
        left_out: Option<LeftOut>,
    },
    /// There is nothing to trust where the environment says it is.
    Environment {
        /// What is set there, and to what.
        setting: String,
        /// Why there is nothing, if it is not that a folder is empty.
        error: Option<Box<Self>>,
    },
    /// This machine has a store of authorities, and nothing in it can be used.
    System {
        /// Why, if it is not that there is no authority in it.
        error: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A certificate cannot serve as an authority, nor as a server's own.
    Unusable {
        /// Where.
        roots: PemSource,
        /// Which one, counted from 1.
        position: usize,
        /// What is wrong with it.
        error: CertificateFormatError,
    },
}

impl fmt::Display for RootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, error } => {
                write!(f, "cannot read the trust roots {}: {error}; {}", file.display(), path::file_hint(file, error))
            }
            Self::Malformed { roots, error } => {
                write!(f, "broken PEM in the trust roots {roots} ({error}); download or export them again")
            }
            Self::NoCertificate { roots, left_out: Some(left_out), .. } => {
                write!(f, "no certificate to be trusted in {roots}: {left_out}; give the CA certificates in PEM form")
            }
            Self::NoCertificate { roots, found, left_out: None } => {
                write!(f, "no certificate in the trust roots {roots}: {found}; {}", found.hint(Expected::Roots))
            }
            Self::Environment { setting, error: Some(error) } => {
                write!(f, "{setting} is set in the environment: {error}, or unset it")
            }
            Self::Environment { setting, error: None } => write!(
                f,
                "{setting} is set in the environment, and there is no certificate; name a folder that has some, or unset it"
            ),
            Self::System { error } => {
                f.write_str("the certificate authorities of this system cannot be used (")?;
                match error {
                    Some(error) => write!(f, "{error}")?,
                    None => f.write_str("there is none among its certificates")?,
                }
                f.write_str("); mend its store, or name a file of authorities in SSL_CERT_FILE")
            }
            Self::Unusable { roots, position, error } => {
                write!(
                    f,
                    "certificate {position} of the trust roots {roots} cannot be used: {error}; remove or replace it"
                )
            }
        }
    }
}

impl std::error::Error for RootsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            Self::Environment { error, .. } => error.as_ref().map(|error| error.as_ref() as _),
            Self::Malformed { error, .. } => Some(error),
            Self::Unusable { error, .. } => Some(error),
            Self::System { error } => error.as_ref().map(|error| error.as_ref() as _),
            Self::NoCertificate { .. } => None,
        }
    }
}
