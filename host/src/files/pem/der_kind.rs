//! What a piece of DER is, by its first elements. Labels and file names lie: `.pem` is the name of a good many stores, and some
//! tools write `RSA PRIVATE KEY` above whatever key it is.

use crate::x509::der::{BIT_STRING, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, context};

/// The kinds that people give for a certificate or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DerKind {
    Certificate,
    CertificateRequest,
    RevocationList,
    PublicKey,
    /// PKCS#8 (RFC 5208 and 5958).
    Pkcs8,
    /// RSA alone (RFC 8017).
    Pkcs1,
    /// An elliptic curve alone (RFC 5915).
    Sec1,
    /// DSA alone, as OpenSSL writes it.
    Dsa,
    EncryptedPkcs8,
    Pkcs12,
    Pkcs7,
}

/// What begins the object identifiers of PKCS#7, of which PKCS#12 is made as well.
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

impl DerKind {
    /// None of these if there is none.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let mut outer = Elements::of(der);
        let mut inside = Elements::of(outer.next_if(SEQUENCE)?);
        let first = inside.next()?;
        let second = inside.next();
        let second_tag = second.map(|element| element.tag);
        match first.tag {
            SEQUENCE => {
                if second_tag == Some(SEQUENCE) {
                    return Self::of_signed(first.content);
                }
                Elements::of(first.content).next_if(OBJECT_IDENTIFIER)?;
                match second_tag? {
                    BIT_STRING => Some(Self::PublicKey),
                    OCTET_STRING => Some(Self::EncryptedPkcs8),
                    _ => None,
                }
            }
            OBJECT_IDENTIFIER => first.content.starts_with(PKCS7).then_some(Self::Pkcs7),
            INTEGER => match (first.content, second_tag?) {
                ([3], SEQUENCE) => {
                    let content_type = Elements::of(second?.content).next_if(OBJECT_IDENTIFIER)?;
                    content_type.starts_with(PKCS7).then_some(Self::Pkcs12)
                }
                ([0 | 1], SEQUENCE) => Some(Self::Pkcs8),
                ([1], OCTET_STRING) => Some(Self::Sec1),
                // RSA has nine numbers, or more with more than two primes, and DSA has six.
                ([0 | 1], INTEGER) => {
                    let more = inside.take_while(|element| element.tag == INTEGER).count();
                    Some(if more == 4 { Self::Dsa } else { Self::Pkcs1 })
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The kind of what has been signed.
    fn of_signed(content: &[u8]) -> Option<Self> {
        let mut inside = Elements::of(content);
        if inside.next_if(context(0)).is_some() {
            return Some(Self::Certificate);
        }
        let number = inside.next_if(INTEGER);
        let second = Elements::of(inside.next_if(SEQUENCE)?).next();
        match second.map(|element| element.tag) {
            // An algorithm, then the issuer, and then the time for which it is valid, or the one at which it was made.
            Some(OBJECT_IDENTIFIER) => {
                inside.next_if(SEQUENCE)?;
                match (number, inside.next()?.tag) {
                    (Some(_), SEQUENCE) => Some(Self::Certificate),
                    _ => Some(Self::RevocationList),
                }
            }
            // A name, which may be empty.
            Some(SET) | None if number.is_some() => Some(Self::CertificateRequest),
            _ => None,
        }
    }

    pub(crate) fn is_private_key(self) -> bool {
        matches!(self, Self::Pkcs8 | Self::Pkcs1 | Self::Sec1 | Self::Dsa | Self::EncryptedPkcs8)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Certificate => "a certificate",
            Self::CertificateRequest => "a certificate request (CSR)",
            Self::RevocationList => "a list of revoked certificates (CRL)",
            Self::PublicKey => "a public key",
            Self::Pkcs8 | Self::Pkcs1 | Self::Sec1 | Self::Dsa => "a private key",
            Self::EncryptedPkcs8 => "a private key that needs a passphrase",
            Self::Pkcs12 => "a PKCS#12 store (.p12, .pfx)",
            Self::Pkcs7 => "a PKCS#7 bundle (.p7b)",
        }
    }
}
