//! The certificate authorities that a server's certificate must lead to, or the server's own certificate.
//!
//! A verifier takes whatever is in its store for an authority, so one that is none must not come in there: somebody who
//! named the certificate of one server trusts that server, and not everybody for whom its key signs.
//!
//! An empty trust store accepts nothing and explains nothing: every connection fails with "unknown issuer", however
//! right the server is. A store here is never empty, and a file that yields no authority is refused when it is read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};
use x509_cert::certificate::{CertificateInner, Raw, Version};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::BasicConstraints;

use crate::pem::{PemContents, PemSource, fault};

/// Whom to trust: authorities, or servers by their very certificates. Cheap to clone, never empty.
#[derive(Clone)]
pub struct TrustRoots {
    /// The authorities.
    store: Arc<RootCertStore>,
    /// Those that the user named; not the system's.
    named: Arc<[CertificateDer<'static>]>,
    generation: u64,
}

impl TrustRoots {
    /// What this machine trusts; if it has no store of its own (a bare container), Mozilla's list as compiled in.
    pub fn system_or_webpki() -> Self {
        let mut store = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!("the system's trust store is only partly readable: {error}");
        }
        // System stores hold oddities (old encodings, private extensions); one of them must not take away the rest.
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            tracing::debug!("the system has no trust store; using the compiled-in list");
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Self::new(store, Vec::new())
    }

    /// Trusts exactly the certificates in this file, and nothing else: authorities, or the server's own.
    pub fn from_pem_file(file: &Path) -> Result<Self, RootsError> {
        let pem = std::fs::read(file).map_err(|error| RootsError::Unreadable { file: file.to_owned(), error })?;
        Self::load(&pem, file.into())
    }

    /// Trusts exactly the certificates in this PEM text, and nothing else: authorities, or the server's own.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        Self::load(pem, PemSource::Memory)
    }

    fn load(pem: &[u8], source: PemSource) -> Result<Self, RootsError> {
        let mut store = RootCertStore::empty();
        let mut named = Vec::new();
        for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let certificate = certificate.map_err(|error| RootsError::Malformed { roots: source.clone(), error })?;
            let added = match may_be_authority(&certificate) {
                Ok(true) => store.add(certificate.clone()),
                Ok(false) => ParsedCertificate::try_from(&certificate).map(drop),
                Err(error) => Err(error),
            };
            let position = index + 1;
            added.map_err(|error| RootsError::Unusable { roots: source.clone(), position, error })?;
            named.push(certificate);
        }
        if named.is_empty() {
            return Err(RootsError::NoCertificate { roots: source, found: PemContents::of(pem) });
        }
        Ok(Self::new(store, named))
    }

    fn new(store: RootCertStore, named: Vec<CertificateDer<'static>>) -> Self {
        static GENERATIONS: AtomicU64 = AtomicU64::new(1);
        Self { store: Arc::new(store), named: named.into(), generation: GENERATIONS.fetch_add(1, Ordering::Relaxed) }
    }

    /// Whether the user named this very certificate.
    pub(crate) fn names(&self, certificate: &CertificateDer<'_>) -> bool {
        self.named.contains(certificate)
    }

    /// The authorities. None where only servers are named.
    pub(crate) fn store(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.store)
    }

    /// Tells trust stores apart, so that a connection checked against one is not reused under another.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}

/// Whether it says so, or is of version 1, in which it cannot say.
fn may_be_authority(certificate: &CertificateDer<'_>) -> Result<bool, rustls::Error> {
    let unreadable = |_| rustls::Error::from(CertificateError::BadEncoding);
    let certificate = CertificateInner::<Raw>::from_der(certificate).map_err(unreadable)?;
    let certificate = certificate.tbs_certificate();
    let constraints = certificate.get_extension::<BasicConstraints>().map_err(unreadable)?;
    Ok(certificate.version() == Version::V1 || constraints.is_some_and(|(_, constraints)| constraints.ca))
}

/// How many there are; the list itself fills screens.
impl fmt::Debug for TrustRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustRoots")
            .field("authorities", &self.store.len())
            .field("named", &self.named.len())
            .finish_non_exhaustive()
    }
}

/// Why a file does not make [`TrustRoots`].
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
        /// What the parser says.
        error: pem::Error,
    },
    /// There is no certificate.
    NoCertificate {
        /// Where they were looked for.
        roots: PemSource,
        /// What is there instead.
        found: PemContents,
    },
    /// A certificate cannot serve as an authority, nor as a server's own.
    Unusable {
        /// Where.
        roots: PemSource,
        /// Which one, counted from 1.
        position: usize,
        /// What the parser says.
        error: rustls::Error,
    },
}

impl fmt::Display for RootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, error } => {
                write!(f, "cannot read the trust roots {}: {error}; check the path and the permissions", file.display())
            }
            Self::Malformed { roots, error } => {
                write!(f, "broken PEM in the trust roots {roots} ({}); download or export them again", fault(error))
            }
            Self::NoCertificate { roots, found } => {
                write!(f, "no certificate in the trust roots {roots}: {found}; give the CA certificates in PEM form")
            }
            Self::Unusable { roots, position, error } => write!(
                f,
                "certificate {position} of the trust roots {roots} cannot be used ({error}); remove or replace it"
            ),
        }
    }
}

impl std::error::Error for RootsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            Self::Malformed { error, .. } => Some(error),
            Self::Unusable { error, .. } => Some(error),
            Self::NoCertificate { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_always_trusts_somebody() {
        assert!(!TrustRoots::system_or_webpki().store().is_empty());
    }

    #[test]
    fn a_text_without_certificates_is_refused_and_says_what_it_holds() {
        let error = TrustRoots::from_pem(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").unwrap_err();
        assert!(matches!(error, RootsError::NoCertificate { .. }));
        assert!(error.to_string().contains("it holds: PUBLIC KEY"), "{error}");
    }

    #[test]
    fn a_certificate_that_is_none_is_refused_with_its_position() {
        let error =
            TrustRoots::from_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap_err();
        assert!(matches!(error, RootsError::Unusable { position: 1, .. }), "{error:?}");
    }

    #[test]
    fn who_says_so_is_an_authority_and_who_cannot_say() {
        for (name, authorities) in [("rsa.cert.pem", 1), ("rsa-v1.cert.pem", 1)] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
            assert_eq!(TrustRoots::from_pem_file(&file).unwrap().store().len(), authorities, "{name}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = TrustRoots::from_pem_file(Path::new("/nowhere/ca.pem")).unwrap_err();
        assert!(matches!(error, RootsError::Unreadable { .. }));
        assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
    }
}
