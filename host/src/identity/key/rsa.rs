//! Keys of RSA. The cryptographic library signs with three sizes and with exponents from 65537 on.

use std::sync::Arc;

use rustls::pki_types::PrivatePkcs1KeyDer;
use rustls::sign::SigningKey;

use super::{LoadError, PrivateKeyError, sign_with};
use crate::x509::der::{Elements, INTEGER, SEQUENCE};

const SIZES: [usize; 3] = [2048, 3072, 4096];
const LEAST_EXPONENT: u64 = 65537;

/// From `RSAPrivateKey` (RFC 8017).
pub(super) fn load(der: &[u8]) -> Result<Arc<dyn SigningKey>, LoadError> {
    let (version, bits, exponent) = numbers(der).ok_or(PrivateKeyError::Damaged)?;
    let unsupported = |kind: String| Err(PrivateKeyError::Unsupported(kind).into());
    if version != 0 {
        return unsupported("RSA with more than two primes".to_owned());
    }
    if !SIZES.contains(&bits) {
        return unsupported(format!("RSA of {bits} bits"));
    }
    if exponent.is_some_and(|exponent| exponent < LEAST_EXPONENT) {
        return unsupported(format!("RSA with the public exponent {}", exponent.unwrap_or_default()));
    }
    sign_with(PrivatePkcs1KeyDer::from(der.to_vec()).into())
}

/// The version, the length of the modulus in bits, and the exponent if it is not a very large one.
fn numbers(der: &[u8]) -> Option<(u64, usize, Option<u64>)> {
    let mut inside = Elements::of(Elements::of(der).next_if(SEQUENCE)?);
    let version = small(inside.next_if(INTEGER)?)?;
    let modulus = without_zeros(inside.next_if(INTEGER)?);
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    Some((version, bits, small(inside.next_if(INTEGER)?)))
}

fn small(number: &[u8]) -> Option<u64> {
    let number = without_zeros(number);
    (number.len() <= 8).then(|| number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
