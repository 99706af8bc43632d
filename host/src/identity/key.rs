//! Private keys as tools write them, made into what can sign.
//!
//! The parser of the cryptographic library takes one spelling of each kind, and answers all others with one sentence for all of
//! them. But RFC 5915 lets an EC key come without its public point, and then the certificate beside it has the point; tools
//! write one kind of key under the label of another; and a key that is whole and of a kind that is not supported is neither
//! damaged nor of the wrong file. So a key is taken apart here, made into the one spelling, and called by its name if it cannot
//! be used.

mod ec;
mod rsa;

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;

use crate::connect::tls::provider;
use crate::files::pem::DerKind;
use crate::x509::algorithm::{self, Identifier};
use crate::x509::der::{Elements, INTEGER, OCTET_STRING, SEQUENCE};

#[cfg(feature = "pkcs11")]
pub(crate) use ec::Curve;

/// The reason why a private key cannot be used. Has nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// It is of a kind or a size that is not supported, which this names.
    Unsupported(String),
    /// The curve is given by its equation, and not by its name.
    ExplicitCurve,
    /// The block holds something else, which this names.
    NotAKey(&'static str),
    /// It is no key at all, or not all of it is there, or its numbers do not belong together.
    Damaged,
}

/// What keeps a key from being loaded.
#[derive(Debug)]
pub(crate) enum LoadError {
    Problem(PrivateKeyError),
    /// It needs a passphrase.
    Encrypted,
    /// An EC key without its point, and no certificate has one that fits.
    BelongsToNone,
}

impl From<PrivateKeyError> for LoadError {
    fn from(error: PrivateKeyError) -> Self {
        Self::Problem(error)
    }
}

/// Loads a key, whatever its label says. What it lacks it may find in the certificates.
pub(crate) fn load(der: &[u8], chain: &[CertificateDer<'_>]) -> Result<Arc<dyn SigningKey>, LoadError> {
    if !Elements::of(der).next().is_some_and(|element| element.is_whole) {
        return Err(PrivateKeyError::Damaged.into());
    }
    match DerKind::of(der) {
        Some(DerKind::Pkcs8) => load_pkcs8(der, chain),
        Some(DerKind::Pkcs1) => rsa::load(der),
        Some(DerKind::Sec1) => ec::load(None, der, chain),
        Some(DerKind::Dsa) => Err(PrivateKeyError::Unsupported("DSA".to_owned()).into()),
        Some(DerKind::EncryptedPkcs8) => Err(LoadError::Encrypted),
        Some(other) => Err(PrivateKeyError::NotAKey(other.name()).into()),
        None => Err(PrivateKeyError::Damaged.into()),
    }
}

fn load_pkcs8(der: &[u8], chain: &[CertificateDer<'_>]) -> Result<Arc<dyn SigningKey>, LoadError> {
    let (identifier, key) = taken_apart(der).ok_or(PrivateKeyError::Damaged)?;
    match identifier.algorithm.as_str() {
        algorithm::RSA => rsa::load(key),
        algorithm::EC => ec::load(Some(identifier.parameter), key, chain),
        algorithm::ED25519 => sign_with(PrivatePkcs8KeyDer::from(der.to_vec()).into()),
        other => Err(PrivateKeyError::Unsupported(algorithm::name(other)).into()),
    }
}

/// The algorithm of PKCS#8, and the key in it.
fn taken_apart(der: &[u8]) -> Option<(Identifier, &[u8])> {
    let mut inside = Elements::of(Elements::of(der).next_if(SEQUENCE)?);
    inside.next_if(INTEGER)?;
    let identifier = Identifier::of(inside.next_if(SEQUENCE)?)?;
    Some((identifier, inside.next_if(OCTET_STRING)?))
}

/// What the cryptographic library says to it.
fn sign_with(key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, LoadError> {
    provider().key_provider.load_private_key(key).map_err(|_| PrivateKeyError::Damaged.into())
}

impl fmt::Display for PrivateKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(kind) => write!(f, "{kind} is not supported"),
            Self::ExplicitCurve => f.write_str("its curve is given by an equation, and not by its name"),
            Self::NotAKey(what) => write!(f, "what stands there is {what}"),
            Self::Damaged => f.write_str("it is damaged, or no key at all"),
        }
    }
}

impl std::error::Error for PrivateKeyError {}

impl PrivateKeyError {
    /// What is to be done.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::ExplicitCurve => "convert it with `openssl ec -in KEY -param_enc named_curve -out KEY.named`",
            Self::Unsupported(_) | Self::NotAKey(_) | Self::Damaged => {
                "give RSA of 2048, 3072 or 4096 bits, ECDSA P-256 or P-384, or Ed25519"
            }
        }
    }
}
