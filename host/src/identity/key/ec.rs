//! Keys of elliptic curves.
//!
//! RFC 5915 lets a key come without the public point that belongs to it, and some tools (those of hardware vendors, Java,
//! `openssl ec -no_public`) make use of that. The cryptographic library wants the point and checks it, and cannot be asked for it.
//! But a device's key comes with a certificate, and the point is in there. A point that does not belong to the key is refused by
//! that check, so nothing is taken on trust.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::{Decode, Encode};

use super::{LoadError, PrivateKeyError, sign_with};
use crate::x509::algorithm::{self, Identifier, P256, P384, Parameter};
use crate::x509::der::{BIT_STRING, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, context, element};

/// What a point begins with that has both its coordinates.
const UNCOMPRESSED: u8 = 4;

/// A curve that the cryptographic library can sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

impl Curve {
    pub(crate) fn of(number: &str) -> Option<Self> {
        match number {
            P256 => Some(Self::P256),
            P384 => Some(Self::P384),
            _ => None,
        }
    }

    /// Bytes of a number.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    /// The content of its object identifier.
    fn number(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
        }
    }

    /// Whether this has the form of a point of it, with both coordinates.
    pub(crate) fn has_point(self, point: &[u8]) -> bool {
        point.first() == Some(&UNCOMPRESSED) && point.len() == 1 + 2 * self.size()
    }

    /// `AlgorithmIdentifier` of a key of it.
    pub(crate) fn identifier(self) -> Vec<u8> {
        element(
            SEQUENCE,
            &[&element(OBJECT_IDENTIFIER, &[EC_PUBLIC_KEY]), &element(OBJECT_IDENTIFIER, &[self.number()])],
        )
    }
}

/// The content of the object identifier of keys of elliptic curves.
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// From `ECPrivateKey` (RFC 5915), and what stood beside it in PKCS#8.
pub(super) fn load(
    beside: Option<Parameter>,
    der: &[u8],
    chain: &[CertificateDer<'_>],
) -> Result<Arc<dyn SigningKey>, LoadError> {
    let key = Key::of(der).ok_or(PrivateKeyError::Damaged)?;
    let of_certificates: Vec<_> = chain.iter().filter_map(point_of_certificate).collect();
    let parameter = match beside {
        Some(Parameter::None) | None => key.parameter.clone(),
        Some(beside) => beside,
    };
    let curves = match parameter {
        Parameter::Explicit => return Err(PrivateKeyError::ExplicitCurve.into()),
        Parameter::Curve(number) => match Curve::of(&number) {
            Some(curve) => vec![curve],
            None => return Err(PrivateKeyError::Unsupported(algorithm::name(&number)).into()),
        },
        Parameter::None => vec![Curve::P256, Curve::P384],
    };
    for curve in curves {
        let Some(number) = key.number(curve) else { continue };
        let own = key.point.filter(|point| curve.has_point(point)).map(<[u8]>::to_vec);
        let others = of_certificates.iter().filter(|(of, _)| *of == curve).map(|(_, point)| point.clone());
        for point in own.into_iter().chain(others) {
            if let Ok(key) = sign_with(PrivatePkcs8KeyDer::from(pkcs8(curve, &number, &point)).into()) {
                return Ok(key);
            }
        }
    }
    match key.point {
        Some([UNCOMPRESSED, ..]) => Err(PrivateKeyError::Damaged.into()),
        _ => Err(LoadError::BelongsToNone),
    }
}

struct Key<'a> {
    number: &'a [u8],
    parameter: Parameter,
    point: Option<&'a [u8]>,
}

impl<'a> Key<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let mut inside = Elements::of(Elements::of(der).next_if(SEQUENCE)?);
        inside.next_if(INTEGER)?;
        let number = inside.next_if(OCTET_STRING)?;
        let parameter = inside.next_if(context(0)).map_or(Parameter::None, Parameter::of);
        // The first byte counts the bits that are left over.
        let point = inside.next_if(context(1)).and_then(|point| Elements::of(point).next_if(BIT_STRING)?.get(1..));
        Some(Self { number, parameter, point })
    }

    /// The number with as many bytes as the curve wants: some tools leave zeros out in front, or put one there.
    fn number(&self, curve: Curve) -> Option<Vec<u8>> {
        let zeros = self.number.iter().take_while(|byte| **byte == 0).count();
        let number = &self.number[zeros..];
        let missing = curve.size().checked_sub(number.len())?;
        Some([&vec![0; missing], number].concat())
    }
}

/// The public key of a certificate, if it is one of these curves.
fn point_of_certificate(certificate: &CertificateDer<'_>) -> Option<(Curve, Vec<u8>)> {
    let certificate = CertificateInner::<Raw>::from_der(certificate).ok()?;
    let public_key = certificate.tbs_certificate().subject_public_key_info().to_der().ok()?;
    let mut inside = Elements::of(Elements::of(&public_key).next_if(SEQUENCE)?);
    let Identifier { parameter: Parameter::Curve(number), .. } = Identifier::of(inside.next_if(SEQUENCE)?)? else {
        return None;
    };
    let curve = Curve::of(&number)?;
    let point = inside.next_if(BIT_STRING)?.get(1..)?;
    curve.has_point(point).then(|| (curve, point.to_vec()))
}

/// The one spelling that the cryptographic library takes.
fn pkcs8(curve: Curve, number: &[u8], point: &[u8]) -> Vec<u8> {
    let bits = element(BIT_STRING, &[&[0], point]);
    let key = element(
        SEQUENCE,
        &[&element(INTEGER, &[&[1]]), &element(OCTET_STRING, &[number]), &element(context(1), &[&bits])],
    );
    element(SEQUENCE, &[&element(INTEGER, &[&[0]]), &curve.identifier(), &element(OCTET_STRING, &[&key])])
}
