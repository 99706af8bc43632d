//! Whether a key that shows nothing of itself belongs to a certificate.
//!
//! A smart card may keep the private key alone, and an embedder's signer may not know more than how to sign. That the wrong one was
//! chosen is then seen by the server only, which says "decrypt error". But a certificate can check a signature, so one is made.

use rustls::sign::SigningKey;
use rustls::{Error, SignatureScheme};

use crate::connect::tls::provider;
use crate::x509::der::{BIT_STRING, Elements, SEQUENCE};

/// A message with its signature.
pub(super) struct Signed {
    message: Vec<u8>,
    scheme: SignatureScheme,
    signature: Vec<u8>,
}

/// No message of any protocol begins so.
const PURPOSE: &[u8] = b"thingpost asks whether this key belongs to its certificate: ";

/// Has the key sign something that was never signed before.
pub(super) fn sign(key: &dyn SigningKey) -> Result<Signed, Error> {
    let mut random = [0; 32];
    provider().secure_random.fill(&mut random)?;
    let message = [PURPOSE, &random].concat();
    let schemes = provider().signature_verification_algorithms.supported_schemes();
    let signer = key
        .choose_scheme(&schemes)
        .ok_or_else(|| Error::General("it has no scheme of signatures that TLS could use".to_owned()))?;
    Ok(Signed { scheme: signer.scheme(), signature: signer.sign(&message)?, message })
}

impl Signed {
    /// Whether it was made with the private key of this public key.
    pub(super) fn was_made_for(&self, public_key: &[u8]) -> bool {
        let algorithms = provider().signature_verification_algorithms.mapping.iter();
        let of_scheme = algorithms.filter(|(scheme, _)| *scheme == self.scheme).flat_map(|(_, algorithms)| *algorithms);
        // The first byte counts the bits that are left over.
        let content = key_of(public_key).unwrap_or_default();
        of_scheme
            .filter(|algorithm| algorithm_of(public_key) == Some(algorithm.public_key_alg_id().as_ref()))
            .any(|algorithm| algorithm.verify_signature(content, &self.message, &self.signature).is_ok())
    }
}

/// What is inside the `AlgorithmIdentifier` of a `SubjectPublicKeyInfo`.
fn algorithm_of(public_key: &[u8]) -> Option<&[u8]> {
    Elements::of(Elements::of(public_key).next_if(SEQUENCE)?).next_if(SEQUENCE)
}

fn key_of(public_key: &[u8]) -> Option<&[u8]> {
    let mut inside = Elements::of(Elements::of(public_key).next_if(SEQUENCE)?);
    inside.next_if(SEQUENCE)?;
    inside.next_if(BIT_STRING)?.get(1..)
}
