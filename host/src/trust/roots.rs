//! The certificate authorities that a server's certificate must lead to, or the server's own certificate.
//!
//! A verifier takes whatever is in its store for an authority, so one that is none must not come in there: a user who
//! named the certificate of one server trusts that server, and not all those for whom its key signs.
//!
//! An empty trust store accepts nothing and explains nothing: every connection fails with "unknown issuer", however
//! right the server is. A store here is never empty, and a file that yields no authority is refused when it is read.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use x509_cert::certificate::{CertificateInner, Raw, Version};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::BasicConstraints;

use crate::files::pem::{self, Block, PemError, PemSource, PemText};
use crate::x509::certificate::{CertificateFormatError, Trust, certificate_of};

mod environment;
mod error;
mod system;

pub use error::RootsError;

/// The certificates to trust: authorities, or servers by their very certificates. Cheap to clone, never empty.
#[derive(Clone)]
pub struct TrustRoots {
    /// The authorities.
    store: Arc<RootCertStore>,
    /// Those that the user named; not the system's.
    named: Arc<[CertificateDer<'static>]>,
    left_out: Arc<[LeftOut]>,
    /// What of the environment names them, as `SSL_CERT_FILE=/etc/ca.pem`.
    setting: Option<Arc<str>>,
    generation: u64,
}

impl TrustRoots {
    /// Trusts what the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as other tools have it: the certificates in that file and in
    /// the files of these folders, and no others. None if neither is set, or both to nothing.
    ///
    /// They are set so that these are trusted. So if there is none to be found, that is an error, and no reason to trust
    /// others.
    ///
    /// # Errors
    ///
    /// A variable is set, and what it names has no certificate that can be used.
    pub fn from_environment() -> Result<Option<Self>, RootsError> {
        environment::roots()
    }

    /// Trusts what this machine trusts; if it has no store of its own (a bare container), Mozilla's list as compiled in. The two
    /// variables of [`from_environment`](Self::from_environment) take the place of both, and where nothing is to be found there,
    /// nothing else is trusted.
    ///
    /// # Errors
    ///
    /// As with [`from_environment`](Self::from_environment); and if this machine has a store of which nothing can be used.
    pub fn system_or_webpki() -> Result<Self, RootsError> {
        if let Some(roots) = Self::from_environment()? {
            return Ok(roots);
        }
        system::roots()
    }

    /// Trusts exactly the certificates in this file, and nothing else: authorities, or the server's own.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is broken, or has no certificate that can be used.
    pub fn from_pem_file(file: &Path) -> Result<Self, RootsError> {
        let pem = pem::read(file).map_err(|error| RootsError::Unreadable { file: file.to_owned(), error })?;
        Self::load(&pem, file.into())
    }

    /// Trusts exactly the certificates in this PEM text, and nothing else: authorities, or the server's own.
    ///
    /// # Errors
    ///
    /// The text is broken, or has no certificate that can be used.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        Self::load(pem, PemSource::Memory)
    }

    fn load(content: &[u8], source: PemSource) -> Result<Self, RootsError> {
        let mut found = Gathered::default();
        found.add(content, &source, OddCertificates::Refused)?;
        if found.named.is_empty() {
            let text = PemText::of(content);
            let blocks = text.blocks().unwrap_or_default();
            let left_out = found.left_out.into_iter().next();
            return Err(RootsError::NoCertificate { roots: source, found: text.contents(&blocks), left_out });
        }
        Ok(found.into())
    }

    fn new(store: RootCertStore, named: Vec<CertificateDer<'static>>) -> Self {
        static GENERATIONS: AtomicU64 = AtomicU64::new(1);
        Self {
            store: Arc::new(store),
            named: named.into(),
            left_out: Arc::default(),
            setting: None,
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The blocks of the file that are not trusted, so that its user can be told.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Whether the user named this very certificate.
    pub(crate) fn names(&self, certificate: &CertificateDer<'_>) -> bool {
        self.named.contains(certificate)
    }

    /// The authorities as rustls has them, for those who check certificates of clients. Empty where only servers are named.
    pub fn authorities(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.store)
    }

    /// What of the environment names them, if it does: `SSL_CERT_FILE=/etc/ca.pem`.
    pub(crate) fn setting(&self) -> Option<Arc<str>> {
        self.setting.clone()
    }

    /// Tells trust stores apart, so that a connection checked against one is not reused under another.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}

/// A block of a file that names no authority and no server to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    source: PemSource,
    label: String,
    /// Where it begins, counted from 1.
    line: usize,
    is_for_other_purposes: bool,
}

impl LeftOut {
    /// Where it is.
    pub fn source(&self) -> &PemSource {
        &self.source
    }
}

/// `the X509 CRL of line 7 is left out`
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} of line {} is left out", self.label, self.line)?;
        match self.is_for_other_purposes {
            true => f.write_str(", as its settings keep it from vouching for servers"),
            false => Ok(()),
        }
    }
}

/// What is done with a certificate that cannot be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OddCertificates {
    Refused,
    /// Stores of systems hold old encodings and private extensions; one of them must not take away the rest.
    PassedOver,
}

/// Roots that are being gathered.
#[derive(Default)]
struct Gathered {
    store: Option<RootCertStore>,
    named: Vec<CertificateDer<'static>>,
    left_out: Vec<LeftOut>,
}

impl Gathered {
    fn add(&mut self, content: &[u8], source: &PemSource, oddity: OddCertificates) -> Result<(), RootsError> {
        let malformed = |error: PemError| RootsError::Malformed { roots: source.clone(), error };
        let mut position = 0;
        for block in PemText::of(content).blocks().map_err(malformed)? {
            if !block.is_certificate() {
                if matches!(block.label, "PKCS7" | "CMS" | "X509 CRL") {
                    self.leave_out(source, &block, false);
                }
                continue;
            }
            position += 1;
            let (certificate, trust) = certificate_of(block.der().map_err(malformed)?);
            if trust == Trust::OtherPurposes {
                self.leave_out(source, &block, true);
                continue;
            }
            match self.take(&certificate) {
                Ok(()) => self.named.push(certificate),
                Err(error) if oddity == OddCertificates::PassedOver => tracing::debug!("{source}: {error}"),
                Err(error) => return Err(RootsError::Unusable { roots: source.clone(), position, error }),
            }
        }
        Ok(())
    }

    fn take(&mut self, certificate: &CertificateDer<'static>) -> Result<(), CertificateFormatError> {
        let unusable = |_| CertificateFormatError::of(certificate);
        match is_authority(certificate)? {
            true => self.store.get_or_insert_with(RootCertStore::empty).add(certificate.clone()).map_err(unusable),
            false => ParsedCertificate::try_from(certificate).map(drop).map_err(unusable),
        }
    }

    fn leave_out(&mut self, source: &PemSource, block: &Block<'_>, is_for_other_purposes: bool) {
        let (source, label) = (source.clone(), block.label.to_owned());
        self.left_out.push(LeftOut { source, label, line: block.line, is_for_other_purposes });
    }
}

impl From<Gathered> for TrustRoots {
    fn from(found: Gathered) -> Self {
        let roots = Self::new(found.store.unwrap_or_else(RootCertStore::empty), found.named);
        Self { left_out: found.left_out.into(), ..roots }
    }
}

/// Whether it says so. One of version 1 cannot say, and authorities of that time are roots, which issue themselves. Any other
/// of version 1 is somebody's leaf, whose owner could vouch for every server with it; and as the certificate of that server
/// alone it is of no use, because a handshake with it fails.
fn is_authority(certificate: &CertificateDer<'_>) -> Result<bool, CertificateFormatError> {
    let unusable = |_| CertificateFormatError::of(certificate);
    let parsed = CertificateInner::<Raw>::from_der(certificate).map_err(unusable)?;
    let parsed = parsed.tbs_certificate();
    match parsed.version() {
        Version::V1 if parsed.subject() != parsed.issuer() => Err(CertificateFormatError::Version1),
        Version::V1 => Ok(true),
        Version::V2 | Version::V3 => {
            let constraints = parsed.get_extension::<BasicConstraints>().map_err(unusable)?;
            Ok(constraints.is_some_and(|(_, constraints)| constraints.ca))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_always_trusts_somebody() {
        assert!(!TrustRoots::system_or_webpki().unwrap().authorities().is_empty());
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
            assert_eq!(TrustRoots::from_pem_file(&file).unwrap().authorities().len(), authorities, "{name}");
        }
    }

    #[test]
    fn a_leaf_of_version_1_is_no_authority_and_that_is_said() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1-leaf.cert.pem");
        let error = TrustRoots::from_pem_file(&file).unwrap_err();
        assert!(
            matches!(error, RootsError::Unusable { error: CertificateFormatError::Version1, position: 1, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("version 1"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = TrustRoots::from_pem_file(Path::new("/nowhere/ca.pem")).unwrap_err();
        assert!(matches!(error, RootsError::Unreadable { .. }));
        assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
    }
}
