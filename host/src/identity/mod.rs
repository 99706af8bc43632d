//! A device's certificate and private key.
//!
//! A wrong pair of files shows up, in most clients, as a TLS alert from the other side of the world, without a word on
//! which file was wrong. So everything that can be known without a network is checked here, at load: that both files
//! are what they are given as, that the key is of a kind that can sign, and that it belongs to the first certificate.
//!
//! What is *not* checked is time. The clock of an edge box is often wrong, and the peer will say so if the certificate
//! has expired; refusing it here would turn a wrong clock into a dead device.

mod error;
pub(crate) mod key;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod possession;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SigningKey};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::BasicConstraints;

use crate::files::pem::{self, PemSource, PemText};
use crate::x509::certificate::{CertificateFormatError, certificate_of};
use crate::x509::validity::{self, ExpiresSoon, OutsideValidity, now};
use key::LoadError;

pub use error::{IdentityError, IdentitySource};
#[cfg(feature = "pkcs11")]
pub use pkcs11::{ObjectKind, PinError, Pkcs11Error, Pkcs11Key, Pkcs11Uri, Pkcs11UriError};

/// A certificate chain with its private key. Cheap to clone; the key exists once in memory and cannot be read back, or is not in memory
/// at all.
#[derive(Clone)]
pub struct Identity {
    key: Arc<CertifiedKey>,
    generation: u64,
}

impl Identity {
    /// Loads the two PEM files, as AWS hands them out: the certificate (and, after it, any intermediates), and the
    /// private key in PKCS#8, PKCS#1 or SEC1 form. They may be one file.
    ///
    /// # Errors
    ///
    /// A file cannot be read, is broken or holds something else, the key is of a kind that cannot sign, or it does not belong
    /// to the first certificate. The [`IdentityError`] names the file and what to do.
    pub fn from_pem_files(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let read =
            |file: &Path| pem::read(file).map_err(|error| IdentityError::Unreadable { file: file.to_owned(), error });
        Self::load((&read(certificate)?, certificate.into()), (&read(key)?, key.into()))
    }

    /// Loads certificate and key from PEM text in memory.
    ///
    /// # Errors
    ///
    /// As with [`from_pem_files`](Self::from_pem_files), but for reading.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        Self::load((certificate, PemSource::Memory), (key, PemSource::Memory))
    }

    /// Takes a chain of certificates, the device's own first, and whatever can sign for it: a key in an enclave, behind a service, or
    /// of another cryptographic library. That the key belongs to the certificate is checked by the public key that
    /// [`SigningKey::public_key`] gives, and where it gives none by a signature.
    ///
    /// rustls calls [`Signer::sign`](rustls::sign::Signer::sign) in the middle of a handshake and waits for it, and with it all that
    /// runs on that thread.
    ///
    /// # Errors
    ///
    /// There is no certificate, one of them is none, the key does not belong to the first, or a signature was needed and failed.
    pub fn from_signing_key(
        chain: Vec<CertificateDer<'static>>,
        key: Arc<dyn SigningKey>,
    ) -> Result<Self, IdentityError> {
        Self::of_signing_key(chain, key, &IdentitySource::Chain, &IdentitySource::SigningKey)
    }

    /// Loads the certificate from a PEM file, and takes the key that a PKCS#11 token has under this URI.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is broken, the token or the key cannot be used, or the key does not belong to the first
    /// certificate.
    #[cfg(feature = "pkcs11")]
    pub fn from_pem_file_and_token(certificate: &Path, key: &Pkcs11Uri) -> Result<Self, IdentityError> {
        let content = pem::read(certificate)
            .map_err(|error| IdentityError::Unreadable { file: certificate.to_owned(), error })?;
        let chain = read_chain(&content, &certificate.into())?;
        let signing_key = Pkcs11Key::open(key).map_err(IdentityError::Token)?;
        let source = IdentitySource::from(PemSource::from(certificate));
        Self::of_chain(chain, Arc::new(signing_key), &source, &IdentitySource::Token(key.to_string()))
    }

    /// Takes certificate and key from a PKCS#11 token, by a URI each.
    ///
    /// # Errors
    ///
    /// The token, the certificate or the key cannot be used, or the two do not belong together.
    #[cfg(feature = "pkcs11")]
    pub fn from_token(certificate: &Pkcs11Uri, key: &Pkcs11Uri) -> Result<Self, IdentityError> {
        // The key first: its login shows certificates that are private too.
        let signing_key = Pkcs11Key::open(key).map_err(IdentityError::Token)?;
        let of_token = pkcs11::certificate(certificate).map_err(IdentityError::Token)?;
        let source = IdentitySource::Token(certificate.to_string());
        Self::of_signing_key(vec![of_token], Arc::new(signing_key), &source, &IdentitySource::Token(key.to_string()))
    }

    /// A number that no other identity of this process has. A reloaded identity is a new one, even from the same
    /// files; pooled connections are bound to it.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The pair as rustls has it, for those who show it themselves, as a server does.
    pub fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }

    /// Whether its key signs in TLS 1.2 and not in 1.3: RSA on a token that pads by PKCS#1 v1.5 alone. Then TLS 1.2 is all that is
    /// offered, unless its route demands [1.3](crate::MinimumTls::V1_3), where the server will miss the certificate.
    pub fn is_limited_to_tls12(&self) -> bool {
        use SignatureScheme as S;
        let signs_by = |schemes: &[SignatureScheme]| self.key.key.choose_scheme(schemes).is_some();
        signs_by(&[S::RSA_PKCS1_SHA256, S::RSA_PKCS1_SHA384, S::RSA_PKCS1_SHA512])
            && !signs_by(&[S::RSA_PSS_SHA256, S::RSA_PSS_SHA384, S::RSA_PSS_SHA512])
    }

    /// The end of the device's own certificate. None if it says none that can be read.
    pub fn not_after(&self) -> Option<SystemTime> {
        let not_after = validity::not_after(self.key.cert.first()?)?;
        UNIX_EPOCH.checked_add(not_after)
    }

    /// The end of the device's own certificate, if it is soon: within 14 days, or within the last third of its time where that is
    /// less, as those that live for hours are renewed by machines.
    pub fn expires_soon(&self) -> Option<ExpiresSoon> {
        ExpiresSoon::of(self.key.cert.first()?, now())
    }

    /// The time of the device's own certificate, if the clock of this machine is outside of it. The certificate is not refused
    /// for that: the clock may be wrong, and then it is good anyway.
    pub fn outside_validity(&self) -> Option<OutsideValidity> {
        OutsideValidity::of(self.key.cert.first()?, now())
    }

    fn load(
        (certificate, certificate_source): (&[u8], PemSource),
        (key, key_source): (&[u8], PemSource),
    ) -> Result<Self, IdentityError> {
        let chain = read_chain(certificate, &certificate_source)?;
        let key = read_key(key, &key_source, &chain, &certificate_source)?;
        Ok(Self::new(chain, key))
    }

    fn of_signing_key(
        chain: Vec<CertificateDer<'static>>,
        key: Arc<dyn SigningKey>,
        certificate_source: &IdentitySource,
        key_source: &IdentitySource,
    ) -> Result<Self, IdentityError> {
        let with_public_key = |(position, certificate)| match public_key(&certificate) {
            Ok(public_key) => Ok((certificate, public_key)),
            Err(error) => {
                Err(IdentityError::UnusableCertificate { certificate: certificate_source.clone(), position, error })
            }
        };
        let chain = (1..).zip(chain).map(with_public_key).collect::<Result<Vec<_>, _>>()?;
        Self::of_chain(chain, key, certificate_source, key_source)
    }

    /// With a key that is nowhere to be read.
    fn of_chain(
        chain: Vec<WithPublicKey>,
        key: Arc<dyn SigningKey>,
        certificate: &IdentitySource,
        source: &IdentitySource,
    ) -> Result<Self, IdentityError> {
        let position = match key.public_key().is_some() {
            true => position_of_leaf(&chain, key.as_ref()),
            false => {
                let signed = possession::sign(key.as_ref());
                let signed = signed.map_err(|error| IdentityError::Signature { key: source.clone(), error })?;
                chain.iter().position(|(_, public_key)| signed.was_made_for(public_key))
            }
        };
        match position {
            Some(0) => Ok(Self::new(chain, key)),
            Some(index) => Err(IdentityError::LeafNotFirst { certificate: certificate.clone(), position: index + 1 }),
            None => Err(mismatch(&chain, certificate, source)),
        }
    }

    fn new(chain: Vec<WithPublicKey>, key: Arc<dyn SigningKey>) -> Self {
        let certified = CertifiedKey::new(chain.into_iter().map(|(certificate, _)| certificate).collect(), key);
        static GENERATIONS: AtomicU64 = AtomicU64::new(1);
        Self { key: Arc::new(certified), generation: GENERATIONS.fetch_add(1, Ordering::Relaxed) }
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

/// A certificate with its public key.
type WithPublicKey = (CertificateDer<'static>, Vec<u8>);

fn read_chain(content: &[u8], source: &PemSource) -> Result<Vec<WithPublicKey>, IdentityError> {
    let malformed = |error| IdentityError::Malformed { file: source.clone(), error };
    let text = PemText::of(content);
    let blocks = text.blocks().map_err(malformed)?;
    let mut chain = Vec::new();
    for (position, block) in (1..).zip(blocks.iter().filter(|block| block.is_certificate())) {
        let (certificate, _) = certificate_of(block.der().map_err(malformed)?);
        let public_key = public_key(&certificate).map_err(|error| IdentityError::UnusableCertificate {
            certificate: source.clone().into(),
            position,
            error,
        })?;
        chain.push((certificate, public_key));
    }
    if chain.is_empty() {
        return Err(IdentityError::NoCertificate { certificate: source.clone(), found: text.contents(&blocks) });
    }
    Ok(chain)
}

/// Of the keys in a file the one that belongs to the first certificate.
fn read_key(
    content: &[u8],
    source: &PemSource,
    chain: &[WithPublicKey],
    certificate_source: &PemSource,
) -> Result<Arc<dyn SigningKey>, IdentityError> {
    let text = PemText::of(content);
    let malformed = |error| IdentityError::Malformed { file: source.clone(), error };
    let blocks = text.blocks().map_err(malformed)?;
    let certificates: Vec<_> = chain.iter().map(|(certificate, _)| certificate.clone()).collect();
    let mut first_error = None;
    for block in blocks.iter().filter(|block| block.is_private_key()) {
        let loaded = match block.is_encrypted() {
            true => Err(IdentityError::EncryptedKey { key: source.clone() }),
            false => block.der().map_err(malformed).and_then(|der| {
                key::load(&der, &certificates).map_err(|error| match error {
                    LoadError::Problem(error) => IdentityError::UnsupportedKey { key: source.clone(), error },
                    LoadError::Encrypted => IdentityError::EncryptedKey { key: source.clone() },
                    LoadError::BelongsToNone => {
                        mismatch(chain, &certificate_source.clone().into(), &source.clone().into())
                    }
                })
            }),
        };
        let belongs = loaded.and_then(|key| match position_of_leaf(chain, key.as_ref()) {
            Some(0) => Ok(key),
            Some(index) => {
                Err(IdentityError::LeafNotFirst { certificate: certificate_source.clone().into(), position: index + 1 })
            }
            None => Err(mismatch(chain, &certificate_source.clone().into(), &source.clone().into())),
        });
        match belongs {
            Ok(key) => return Ok(key),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error
        .unwrap_or_else(|| IdentityError::NoPrivateKey { key: source.clone(), found: text.contents(&blocks) }))
}

/// The key belongs to none of the certificates.
fn mismatch(chain: &[WithPublicKey], certificate: &IdentitySource, key: &IdentitySource) -> IdentityError {
    let are_authorities = chain.iter().all(|(certificate, _)| is_authority(certificate));
    IdentityError::Mismatch { certificate: certificate.clone(), key: key.clone(), are_authorities }
}

/// Which certificate of the chain the key belongs to.
///
/// rustls could tell (`CertifiedKey::keys_match`), but only of certificates of version 3: those of version 1, which
/// `openssl x509 -req` makes without being asked, are good enough for a client.
fn position_of_leaf(chain: &[WithPublicKey], key: &dyn SigningKey) -> Option<usize> {
    let public_key = key.public_key()?;
    chain.iter().position(|(_, of_certificate)| public_key.as_ref() == of_certificate)
}

fn public_key(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, CertificateFormatError> {
    CertificateInner::<Raw>::from_der(certificate)
        .and_then(|certificate| certificate.tbs_certificate().subject_public_key_info().to_der())
        .map_err(|_| CertificateFormatError::of(certificate))
}

fn is_authority(certificate: &CertificateDer<'_>) -> bool {
    let constraints = CertificateInner::<Raw>::from_der(certificate)
        .ok()
        .and_then(|certificate| certificate.tbs_certificate().get_extension::<BasicConstraints>().ok().flatten());
    constraints.is_some_and(|(_, constraints)| constraints.ca)
}
