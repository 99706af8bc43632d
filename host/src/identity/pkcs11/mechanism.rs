//! How a token is asked for a signature.
//!
//! TLS names a scheme, which is padding and hash together; tokens have mechanisms, and no two makers the same. What one does in the
//! token another leaves to its caller: the hash nearly all, the padding some. For RSA in TLS 1.3, which has nothing but PSS, that
//! decides whether there is a connection: many a smart card does bare RSA, and PSS has to be made here.

use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use rustls::SignatureScheme;

use super::hash::Hash;
use super::object::KeyKind;
use crate::identity::key::Curve;

/// One way to a signature of one scheme.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) scheme: SignatureScheme,
    pub(super) hash: Hash,
    pub(super) input: Input,
}

/// What the token is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// The message.
    Message,
    /// The hash of it.
    Hash,
    /// The hash with the name of its algorithm.
    DigestInfo,
    /// The whole block, padded by PKCS#1 v1.5.
    PaddedPkcs1,
    /// The whole block, padded by PSS.
    PaddedPss,
}

use SignatureScheme as S;

/// Those of RSA in the order of preference. Tokens that do not know all hashes know SHA-256.
const RSA: [(SignatureScheme, Hash); 6] = [
    (S::RSA_PSS_SHA256, Hash::Sha256),
    (S::RSA_PSS_SHA384, Hash::Sha384),
    (S::RSA_PSS_SHA512, Hash::Sha512),
    (S::RSA_PKCS1_SHA256, Hash::Sha256),
    (S::RSA_PKCS1_SHA384, Hash::Sha384),
    (S::RSA_PKCS1_SHA512, Hash::Sha512),
];

/// Of all schemes that go with a key those that the token can sign by.
pub(super) fn plans(
    kind: KeyKind,
    is_always_authenticated: bool,
    can_sign_by: impl Fn(MechanismType) -> bool,
) -> Vec<Plan> {
    let schemes = match kind {
        KeyKind::Rsa(_) => &RSA[..],
        KeyKind::Ec(Curve::P256) => &[(S::ECDSA_NISTP256_SHA256, Hash::Sha256)],
        KeyKind::Ec(Curve::P384) => &[(S::ECDSA_NISTP384_SHA384, Hash::Sha384)],
    };
    let is_possible = |plan: &Plan| {
        let is_known = match plan.input {
            // Without the length of the key there is no block.
            Input::PaddedPkcs1 | Input::PaddedPss => kind != KeyKind::Rsa(None),
            Input::Message | Input::Hash | Input::DigestInfo => true,
        };
        // The PIN is asked for between the beginning of a signature and its end, and only what a token hashes itself has two.
        is_known
            && (!is_always_authenticated || plan.input == Input::Message)
            && can_sign_by(plan.mechanism().mechanism_type())
    };
    let first = |&(scheme, hash): &(SignatureScheme, Hash)| {
        inputs(scheme).iter().map(|&input| Plan { scheme, hash, input }).find(is_possible)
    };
    schemes.iter().filter_map(first).collect()
}

/// Whatever gives a signature of this scheme, the way that most tokens have first.
fn inputs(scheme: SignatureScheme) -> &'static [Input] {
    match scheme {
        S::RSA_PSS_SHA256 | S::RSA_PSS_SHA384 | S::RSA_PSS_SHA512 => &[Input::Hash, Input::Message, Input::PaddedPss],
        S::RSA_PKCS1_SHA256 | S::RSA_PKCS1_SHA384 | S::RSA_PKCS1_SHA512 => {
            &[Input::DigestInfo, Input::Message, Input::PaddedPkcs1]
        }
        _ => &[Input::Hash, Input::Message],
    }
}

impl Plan {
    pub(super) fn mechanism(&self) -> Mechanism<'static> {
        let is_ecdsa = matches!(self.scheme, S::ECDSA_NISTP256_SHA256 | S::ECDSA_NISTP384_SHA384);
        let is_pss = matches!(self.scheme, S::RSA_PSS_SHA256 | S::RSA_PSS_SHA384 | S::RSA_PSS_SHA512);
        match self.input {
            Input::Hash if is_ecdsa => Mechanism::Ecdsa,
            Input::Hash => Mechanism::RsaPkcsPss(self.hash.pss()),
            Input::DigestInfo => Mechanism::RsaPkcs,
            Input::PaddedPkcs1 | Input::PaddedPss => Mechanism::RsaX509,
            Input::Message if is_ecdsa => self.hash.ecdsa(),
            Input::Message if is_pss => self.hash.rsa_pss(),
            Input::Message => self.hash.rsa_pkcs1(),
        }
    }
}

/// The mechanisms that would do for a key, as an error names them.
pub(super) fn wanted(kind: KeyKind, is_always_authenticated: bool) -> &'static str {
    match (kind, is_always_authenticated) {
        (KeyKind::Rsa(_), false) => {
            "CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS, CKM_RSA_X_509, CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS"
        }
        (KeyKind::Rsa(_), true) => "CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS",
        (KeyKind::Ec(Curve::P256), false) => "CKM_ECDSA, CKM_ECDSA_SHA256",
        (KeyKind::Ec(Curve::P256), true) => "CKM_ECDSA_SHA256",
        (KeyKind::Ec(Curve::P384), false) => "CKM_ECDSA, CKM_ECDSA_SHA384",
        (KeyKind::Ec(Curve::P384), true) => "CKM_ECDSA_SHA384",
    }
}

impl Hash {
    fn pss(self) -> PkcsPssParams {
        let (hash_alg, mgf) = match self {
            Self::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
            Self::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384),
            Self::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512),
        };
        // TLS wants a salt as long as the hash (RFC 8446, 4.2.3).
        PkcsPssParams { hash_alg, mgf, s_len: self.length().try_into().expect("a hash has at most 64 bytes") }
    }

    fn rsa_pss(self) -> Mechanism<'static> {
        match self {
            Self::Sha256 => Mechanism::Sha256RsaPkcsPss(self.pss()),
            Self::Sha384 => Mechanism::Sha384RsaPkcsPss(self.pss()),
            Self::Sha512 => Mechanism::Sha512RsaPkcsPss(self.pss()),
        }
    }

    fn rsa_pkcs1(self) -> Mechanism<'static> {
        match self {
            Self::Sha256 => Mechanism::Sha256RsaPkcs,
            Self::Sha384 => Mechanism::Sha384RsaPkcs,
            Self::Sha512 => Mechanism::Sha512RsaPkcs,
        }
    }

    fn ecdsa(self) -> Mechanism<'static> {
        match self {
            Self::Sha256 => Mechanism::EcdsaSha256,
            Self::Sha384 => Mechanism::EcdsaSha384,
            Self::Sha512 => Mechanism::EcdsaSha512,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = Vec<(SignatureScheme, Input)>;

    fn found(kind: KeyKind, is_always_authenticated: bool, mechanisms: &[MechanismType]) -> Found {
        let plans = plans(kind, is_always_authenticated, |mechanism| mechanisms.contains(&mechanism));
        plans.iter().map(|plan| (plan.scheme, plan.input)).collect()
    }

    #[test]
    fn a_token_is_asked_by_what_it_has() {
        use MechanismType as M;
        let rsa = KeyKind::Rsa(Some(2048));
        let all = |input_pss, input_pkcs1| -> Found {
            RSA.iter()
                .zip([input_pss, input_pss, input_pss, input_pkcs1, input_pkcs1, input_pkcs1])
                .map(|((scheme, _), input)| (*scheme, input))
                .collect()
        };
        assert_eq!(
            found(rsa, false, &[M::RSA_PKCS, M::RSA_PKCS_PSS, M::RSA_X_509]),
            all(Input::Hash, Input::DigestInfo)
        );
        assert_eq!(found(rsa, false, &[M::RSA_X_509]), all(Input::PaddedPss, Input::PaddedPkcs1), "bare RSA");
        assert_eq!(
            found(rsa, false, &[M::RSA_X_509, M::RSA_PKCS]),
            all(Input::PaddedPss, Input::DigestInfo),
            "a smart card"
        );
        assert_eq!(found(KeyKind::Rsa(None), false, &[M::RSA_X_509]), [], "a key of unknown length");
        let hashing = [M::SHA256_RSA_PKCS_PSS, M::SHA256_RSA_PKCS];
        let of_sha256 = [(S::RSA_PSS_SHA256, Input::Message), (S::RSA_PKCS1_SHA256, Input::Message)];
        assert_eq!(found(rsa, false, &hashing), of_sha256);
        assert_eq!(found(rsa, true, &[&hashing[..], &[M::RSA_PKCS, M::RSA_PKCS_PSS]].concat()), of_sha256);
        assert_eq!(found(rsa, true, &[M::RSA_PKCS, M::RSA_PKCS_PSS]), []);
        let ec = KeyKind::Ec(Curve::P384);
        assert_eq!(found(ec, false, &[M::ECDSA, M::ECDSA_SHA384]), [(S::ECDSA_NISTP384_SHA384, Input::Hash)]);
        assert_eq!(found(ec, false, &[M::ECDSA_SHA384]), [(S::ECDSA_NISTP384_SHA384, Input::Message)]);
        assert_eq!(found(ec, false, &[M::ECDSA_SHA256, M::RSA_PKCS]), []);
    }
}
