//! Names of what a key or a signature is made with.
//!
//! What cannot be used has to be called by its name: to the owner of a key of a good and common kind, "unsupported" says
//! that the file is broken. Certificates have numbers for it, and errors of TLS have the bytes of these numbers.

use x509_cert::der::asn1::ObjectIdentifier;

use crate::x509::der::{Elements, OBJECT_IDENTIFIER, SEQUENCE};

pub(crate) const RSA: &str = "1.2.840.113549.1.1.1";
pub(crate) const EC: &str = "1.2.840.10045.2.1";
pub(crate) const ED25519: &str = "1.3.101.112";
pub(crate) const P256: &str = "1.2.840.10045.3.1.7";
pub(crate) const P384: &str = "1.3.132.0.34";

/// The content of the object identifier of RSA.
#[cfg(feature = "pkcs11")]
pub(crate) const RSA_NUMBER: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// With the name that people know.
const NAMES: &[(&str, &str)] = &[
    (RSA, "RSA"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.10040.4.1", "DSA"),
    (EC, "ECDSA"),
    (ED25519, "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
    (P256, "ECDSA P-256"),
    (P384, "ECDSA P-384"),
    ("1.3.132.0.35", "ECDSA P-521"),
    ("1.3.132.0.33", "ECDSA P-224"),
    ("1.2.840.10045.3.1.1", "ECDSA P-192"),
    ("1.3.132.0.10", "ECDSA secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "ECDSA brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "ECDSA brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "ECDSA brainpoolP512r1"),
    ("1.2.156.10197.1.301", "SM2"),
    ("1.2.840.10045.4.1", "ECDSA with SHA-1"),
    ("1.2.840.10045.4.3.1", "ECDSA with SHA-224"),
    ("1.2.840.10045.4.3.2", "ECDSA with SHA-256"),
    ("1.2.840.10045.4.3.3", "ECDSA with SHA-384"),
    ("1.2.840.10045.4.3.4", "ECDSA with SHA-512"),
    ("1.2.840.113549.1.1.4", "RSA with MD5"),
    ("1.2.840.113549.1.1.5", "RSA with SHA-1"),
    ("1.2.840.113549.1.1.14", "RSA with SHA-224"),
    ("1.2.840.113549.1.1.11", "RSA with SHA-256"),
    ("1.2.840.113549.1.1.12", "RSA with SHA-384"),
    ("1.2.840.113549.1.1.13", "RSA with SHA-512"),
    ("1.2.840.10040.4.3", "DSA with SHA-1"),
    ("2.16.840.1.101.3.4.3.2", "DSA with SHA-256"),
    ("1.2.156.10197.1.501", "SM2 with SM3"),
];

/// The number in its usual form.
pub(crate) fn number(content: &[u8]) -> Option<String> {
    ObjectIdentifier::from_bytes(content).ok().map(|number| number.to_string())
}

/// The name of a number, or the number itself.
pub(crate) fn name(number: &str) -> String {
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("the algorithm {number}"),
    }
}

/// The number of an algorithm, and that of the curve it is used with.
pub(crate) struct Identifier {
    pub(crate) algorithm: String,
    pub(crate) parameter: Parameter,
}

/// What goes with an algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parameter {
    None,
    Curve(String),
    /// A curve by its equation in place of its name.
    Explicit,
}

impl Identifier {
    /// From what is inside an `AlgorithmIdentifier`.
    pub(crate) fn of(content: &[u8]) -> Option<Self> {
        let mut elements = Elements::of(content);
        let algorithm = number(elements.next_if(OBJECT_IDENTIFIER)?)?;
        Some(Self { algorithm, parameter: Parameter::of(elements.rest()) })
    }

    /// `RSA with SHA-256`, `ECDSA P-521`
    pub(crate) fn name(&self) -> String {
        match &self.parameter {
            Parameter::Curve(curve) if self.algorithm == EC => name(curve),
            _ => name(&self.algorithm),
        }
    }
}

impl Parameter {
    pub(crate) fn of(parameter: &[u8]) -> Self {
        let mut elements = Elements::of(parameter);
        match elements.next_if(OBJECT_IDENTIFIER).and_then(number) {
            Some(curve) => Self::Curve(curve),
            None if elements.next_if(SEQUENCE).is_some() => Self::Explicit,
            None => Self::None,
        }
    }
}

/// The name of what is in an `AlgorithmIdentifier`, for a sentence.
pub(crate) fn spoken(identifier: &[u8]) -> String {
    Identifier::of(identifier).map_or_else(|| "an unknown algorithm".to_owned(), |identifier| identifier.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_called_by_its_name_or_else_by_its_number() {
        for (bytes, name) in [
            (&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4][..], "ECDSA with SHA-512"),
            (&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x23], "ECDSA P-521"),
            (&[6, 3, 0x2b, 0x65, 0x71], "Ed448"),
            (&[6, 3, 0x2b, 0x65, 0x01], "the algorithm 1.3.101.1"),
            (&[5, 0], "an unknown algorithm"),
            (&[], "an unknown algorithm"),
        ] {
            assert_eq!(spoken(bytes), name);
        }
    }
}
