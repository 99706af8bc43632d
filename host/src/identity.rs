//! A device's certificate and private key.
//!
//! A wrong pair of files shows up, in most clients, as a TLS alert from the other side of the world, without a word on
//! which file was wrong. So everything that can be known without a network is checked here, at load: that both files
//! are what they are given as, that the key is of a kind that can sign, and that it belongs to the first certificate.
//!
//! What is *not* checked is time. The clock of an edge box is often wrong, and the peer will say so if the certificate
//! has expired; refusing it here would turn a wrong clock into a dead device.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use crate::pem::{PemContents, PemSource, fault};
use crate::tls::provider;

/// A certificate chain with its private key. Cheap to clone; the key exists once in memory and cannot be read back.
#[derive(Clone)]
pub struct Identity {
    key: Arc<CertifiedKey>,
    generation: u64,
}

impl Identity {
    /// Loads the two PEM files, as AWS hands them out: the certificate (and, after it, any intermediates), and the
    /// private key in PKCS#8, PKCS#1 or SEC1 form.
    pub fn from_pem_files(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let read = |file: &Path| {
            std::fs::read(file).map_err(|error| IdentityError::Unreadable { file: file.to_owned(), error })
        };
        Self::load((&read(certificate)?, certificate.into()), (&read(key)?, key.into()))
    }

    /// The same, from PEM text in memory.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        Self::load((certificate, PemSource::Memory), (key, PemSource::Memory))
    }

    /// A number that no other identity of this process has. A reloaded identity is a new one, even from the same
    /// files; pooled connections are bound to it.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }

    fn load(
        (certificate, certificate_source): (&[u8], PemSource),
        (key, key_source): (&[u8], PemSource),
    ) -> Result<Self, IdentityError> {
        let chain = read_chain(certificate, &certificate_source)?;
        let key = read_key(key, &key_source)?;
        let key = provider()
            .key_provider
            .load_private_key(key)
            .map_err(|error| IdentityError::UnsupportedKey { key: key_source.clone(), error })?;

        let position = match position_of_leaf(&chain, key.as_ref()) {
            Ok(position) => position,
            Err((index, error)) => {
                let position = index + 1;
                return Err(IdentityError::UnusableCertificate { certificate: certificate_source, position, error });
            }
        };
        match position {
            Some(0) => {}
            Some(index) => {
                return Err(IdentityError::LeafNotFirst { certificate: certificate_source, position: index + 1 });
            }
            None => return Err(IdentityError::Mismatch { certificate: certificate_source, key: key_source }),
        }
        let certified = CertifiedKey::new(chain, key);

        static GENERATIONS: AtomicU64 = AtomicU64::new(1);
        Ok(Self { key: Arc::new(certified), generation: GENERATIONS.fetch_add(1, Ordering::Relaxed) })
    }
}

/// Never the key, and not the certificate either: it names the device.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("generation", &self.generation)
            .field("certificates", &self.key.cert.len())
            .finish_non_exhaustive()
    }
}

fn read_chain(pem: &[u8], source: &PemSource) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| IdentityError::Malformed { file: source.clone(), error })?;
    if chain.is_empty() {
        return Err(IdentityError::NoCertificate { certificate: source.clone(), found: PemContents::of(pem) });
    }
    Ok(chain)
}

fn read_key(pem: &[u8], source: &PemSource) -> Result<PrivateKeyDer<'static>, IdentityError> {
    // Before the parser: to it, an encrypted PKCS#1 key is merely broken base64.
    let found = PemContents::of(pem);
    if found.is_encrypted() {
        return Err(IdentityError::EncryptedKey { key: source.clone() });
    }
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(IdentityError::NoPrivateKey { key: source.clone(), found }),
        Err(error) => Err(IdentityError::Malformed { file: source.clone(), error }),
    }
}

/// Which certificate of the chain the key belongs to, or which cannot be read.
///
/// rustls could tell (`CertifiedKey::keys_match`), but only of certificates of version 3: those of version 1, which
/// `openssl x509 -req` makes without being asked, are good enough for a client.
fn position_of_leaf(
    chain: &[CertificateDer<'_>],
    key: &dyn SigningKey,
) -> Result<Option<usize>, (usize, x509_cert::der::Error)> {
    let public_key = key.public_key();
    for (index, certificate) in chain.iter().enumerate() {
        let of_certificate = Certificate::from_der(certificate)
            .and_then(|certificate| certificate.tbs_certificate().subject_public_key_info().to_der())
            .map_err(|error| (index, error))?;
        if public_key.as_ref().is_some_and(|public_key| public_key.as_ref() == of_certificate) {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Why a certificate and a key do not make an [`Identity`].
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
        /// What the parser says.
        error: pem::Error,
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
        /// What the crypto provider says.
        error: rustls::Error,
    },
    /// A certificate is PEM, but not a certificate that TLS can use.
    UnusableCertificate {
        /// Where the certificate is.
        certificate: PemSource,
        /// Its position there, counted from 1.
        position: usize,
        /// What the parser says.
        error: x509_cert::der::Error,
    },
    /// The key belongs to a certificate of the chain, but not to the first one.
    LeafNotFirst {
        /// Where the chain is.
        certificate: PemSource,
        /// The position of the device's certificate, counted from 1.
        position: usize,
    },
    /// The key belongs to another certificate.
    Mismatch {
        /// Where the certificate is.
        certificate: PemSource,
        /// Where the key is.
        key: PemSource,
    },
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, error } => {
                write!(f, "cannot read {}: {error}; check the path and the permissions", file.display())
            }
            Self::Malformed { file, error } => {
                write!(f, "broken PEM in {file} ({}); download or export it again", fault(error))
            }
            Self::NoCertificate { certificate, found } => {
                write!(f, "no certificate in {certificate}: {found}")?;
                if found.has_private_key() {
                    f.write_str("; are the certificate and the key swapped?")
                } else {
                    f.write_str("; give the device certificate (`-----BEGIN CERTIFICATE-----`)")
                }
            }
            Self::NoPrivateKey { key, found } => {
                write!(f, "no private key in {key}: {found}")?;
                if found.has_certificate() {
                    f.write_str("; are the certificate and the key swapped?")
                } else if found.has_public_key() {
                    f.write_str("; that is the public half, give the private key that was created with it")
                } else {
                    f.write_str("; give an unencrypted PKCS#8, PKCS#1 or SEC1 key in PEM form")
                }
            }
            Self::EncryptedKey { key } => write!(
                f,
                "the private key in {key} needs a passphrase; decrypt it with `openssl pkey -in KEY -out KEY.plain`"
            ),
            Self::UnsupportedKey { key, error } => write!(
                f,
                "the private key in {key} cannot be used ({error}); give RSA of 2048 to 8192 bits, ECDSA P-256 or P-384, or Ed25519"
            ),
            Self::UnusableCertificate { certificate, position, error } => write!(
                f,
                "certificate {position} in {certificate} cannot be used ({error}); download or export it again"
            ),
            Self::LeafNotFirst { certificate, position } => write!(
                f,
                "the device's certificate is number {position} in {certificate}; put it first, before those that signed it"
            ),
            Self::Mismatch { certificate, key } => write!(
                f,
                "the private key in {key} does not belong to the certificate in {certificate}; give the pair that was created together"
            ),
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
            Self::NoCertificate { .. }
            | Self::NoPrivateKey { .. }
            | Self::EncryptedKey { .. }
            | Self::LeafNotFirst { .. }
            | Self::Mismatch { .. } => None,
        }
    }
}
