//! Keys and certificates on a token: the one that a URI means, and what the token tells of it.

use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use rustls::pki_types::CertificateDer;

use super::error::{ObjectKind, Pkcs11Error, call_failed};
use super::percent::encode;
use super::uri::{PathAttribute as P, Pkcs11Uri};
use crate::identity::key::Curve;
use crate::x509::algorithm::{self, Parameter};
use crate::x509::der::{BIT_STRING, Elements, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, element};

/// A private key, as far as a token tells of it.
pub(super) struct PrivateKey {
    pub(super) handle: ObjectHandle,
    pub(super) kind: KeyKind,
    /// As it stands in a certificate. Not all tokens keep it beside the private one.
    pub(super) public_key: Option<Vec<u8>>,
    /// Whether the token wants the PIN for each signature.
    pub(super) is_always_authenticated: bool,
    /// The mechanisms that its maker has left to it, if not all.
    pub(super) allowed: Vec<MechanismType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// With so many bits, if the token tells.
    Rsa(Option<usize>),
    Ec(Curve),
}

/// What is asked of a private key. A token leaves out what it has not.
const OF_PRIVATE_KEY: [AttributeType; 9] = [
    AttributeType::Id,
    AttributeType::KeyType,
    AttributeType::Sign,
    AttributeType::AlwaysAuthenticate,
    AttributeType::AllowedMechanisms,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
    AttributeType::EcParams,
    AttributeType::PublicKeyInfo,
];

impl PrivateKey {
    pub(super) fn find(session: &Session, uri: &Pkcs11Uri, is_without_pin: bool) -> Result<Self, Pkcs11Error> {
        let handle = find(session, uri, ObjectKind::PrivateKey, is_without_pin)?;
        let told = session.get_attributes(handle, &OF_PRIVATE_KEY).map_err(call_failed)?;
        let mut key_type = None;
        let mut key = Self {
            handle,
            kind: KeyKind::Rsa(None),
            public_key: None,
            is_always_authenticated: false,
            allowed: Vec::new(),
        };
        let mut numbers = Numbers::default();
        let mut id = Vec::new();
        for attribute in told {
            match attribute {
                Attribute::KeyType(of) => key_type = Some(of),
                Attribute::Sign(false) => return Err(Pkcs11Error::MayNotSign { uri: uri.to_string() }),
                Attribute::AlwaysAuthenticate(it) => key.is_always_authenticated = it,
                Attribute::AllowedMechanisms(allowed) => key.allowed = allowed,
                Attribute::Id(of) => id = of,
                other => numbers.take(other),
            }
        }
        numbers.take_of_public_key(session, uri, &id);
        let unsupported = |what| Pkcs11Error::UnsupportedKey { uri: uri.to_string(), what };
        key.kind = match key_type {
            Some(KeyType::RSA) => KeyKind::Rsa(numbers.modulus_bits()),
            Some(KeyType::EC) => KeyKind::Ec(numbers.curve().map_err(unsupported)?),
            Some(KeyType::EC_EDWARDS) => return Err(unsupported("an Edwards curve on a token".to_owned())),
            Some(other) => return Err(unsupported(format!("a key of type {other}"))),
            None => return Err(unsupported("a key without a type".to_owned())),
        };
        key.public_key = numbers.public_key(key.kind);
        Ok(key)
    }
}

/// The certificate that a URI means.
pub(super) fn certificate(
    session: &Session,
    uri: &Pkcs11Uri,
    is_without_pin: bool,
) -> Result<CertificateDer<'static>, Pkcs11Error> {
    let handle = find(session, uri, ObjectKind::Certificate, is_without_pin)?;
    let told = session.get_attributes(handle, &[AttributeType::Value]).map_err(call_failed)?;
    let value = told.into_iter().find_map(|attribute| match attribute {
        Attribute::Value(value) => Some(value),
        _ => None,
    });
    Ok(value.unwrap_or_default().into())
}

/// The only object of this kind that fits.
fn find(
    session: &Session,
    uri: &Pkcs11Uri,
    wanted: ObjectKind,
    is_without_pin: bool,
) -> Result<ObjectHandle, Pkcs11Error> {
    let named = uri.get(P::Type).map(|named| named == wanted.in_uri().as_bytes());
    if named == Some(false) {
        return Err(Pkcs11Error::Type { uri: uri.to_string(), wanted });
    }
    let class = Attribute::Class(match wanted {
        ObjectKind::PrivateKey => ObjectClass::PRIVATE_KEY,
        ObjectKind::Certificate => ObjectClass::CERTIFICATE,
    });
    let label = uri.get(P::Object).map(|label| Attribute::Label(label.to_vec()));
    let id = uri.get(P::Id).map(|id| Attribute::Id(id.to_vec()));
    let template: Vec<_> = [Some(class.clone()), label, id].into_iter().flatten().collect();
    let found = session.find_objects(&template).map_err(call_failed)?;
    match found[..] {
        [only] => Ok(only),
        [] => {
            let all = session.find_objects(&[class]).map_err(call_failed)?;
            let objects = uris_of(session, &all);
            let is_without_pin = is_without_pin && objects.is_empty();
            Err(Pkcs11Error::NoObject { uri: uri.to_string(), wanted, objects, is_without_pin })
        }
        _ => Err(Pkcs11Error::SeveralObjects { uri: uri.to_string(), wanted, objects: uris_of(session, &found) }),
    }
}

fn uris_of(session: &Session, objects: &[ObjectHandle]) -> Vec<String> {
    let uri = |object: &ObjectHandle| {
        let told = session.get_attributes(*object, &[AttributeType::Label, AttributeType::Id]).ok()?;
        let parts = told.iter().filter_map(|attribute| match attribute {
            Attribute::Label(label) if !label.is_empty() => Some(format!("object={}", encode(label))),
            Attribute::Id(id) if !id.is_empty() => Some(format!("id={}", every_byte(id))),
            _ => None,
        });
        Some(format!("pkcs11:{}", parts.collect::<Vec<_>>().join(";")))
    };
    objects.iter().filter_map(uri).collect()
}

/// The bytes of an id, all of which people think of as numbers.
fn every_byte(id: &[u8]) -> String {
    id.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// What of a public key a token tells, with the private key or with the public one beside it.
#[derive(Default)]
struct Numbers {
    modulus: Option<Vec<u8>>,
    exponent: Option<Vec<u8>>,
    curve: Option<Vec<u8>>,
    point: Option<Vec<u8>>,
    whole: Option<Vec<u8>>,
}

impl Numbers {
    fn take(&mut self, attribute: Attribute) {
        match attribute {
            Attribute::Modulus(modulus) => self.modulus = Some(modulus),
            Attribute::PublicExponent(exponent) => self.exponent = Some(exponent),
            Attribute::EcParams(curve) => self.curve = Some(curve),
            Attribute::EcPoint(point) => self.point = Some(point),
            Attribute::PublicKeyInfo(whole) if !whole.is_empty() => self.whole = Some(whole),
            _ => {}
        }
    }

    /// What the token tells with the public key that has the same id, or else the same label. A token that says nothing of a public
    /// key is none that would fail: then a signature shows what the key belongs to.
    fn take_of_public_key(&mut self, session: &Session, uri: &Pkcs11Uri, id: &[u8]) {
        let is_same = match (id, uri.get(P::Object)) {
            ([], None) => return,
            ([], Some(label)) => Attribute::Label(label.to_vec()),
            (id, _) => Attribute::Id(id.to_vec()),
        };
        let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), is_same];
        let found = session.find_objects(&template).unwrap_or_default();
        let [public_key] = found[..] else { return };
        let asked = [
            AttributeType::Modulus,
            AttributeType::PublicExponent,
            AttributeType::EcParams,
            AttributeType::EcPoint,
            AttributeType::PublicKeyInfo,
        ];
        for attribute in session.get_attributes(public_key, &asked).unwrap_or_default() {
            self.take(attribute);
        }
    }

    fn modulus_bits(&self) -> Option<usize> {
        let modulus = significant(self.modulus.as_deref()?);
        let first = modulus.first()?;
        Some(modulus.len() * 8 - first.leading_zeros() as usize)
    }

    fn curve(&self) -> Result<Curve, String> {
        match self.curve.as_deref().map(Parameter::of) {
            Some(Parameter::Curve(number)) => Curve::of(&number).ok_or_else(|| algorithm::name(&number)),
            Some(Parameter::Explicit) => Err("a curve that is given by an equation, and not by its name".to_owned()),
            Some(Parameter::None) | None => Err("a curve without a name".to_owned()),
        }
    }

    /// As it stands in a certificate.
    fn public_key(&self, kind: KeyKind) -> Option<Vec<u8>> {
        let put_together = match kind {
            KeyKind::Rsa(_) => rsa_public_key(self.modulus.as_deref()?, self.exponent.as_deref()?),
            KeyKind::Ec(curve) => ec_public_key(curve, self.point.as_deref()?),
        };
        put_together.or_else(|| self.whole.clone())
    }
}

/// Without zeros in front.
fn significant(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

/// `SubjectPublicKeyInfo` (RFC 3279, 2.3.1).
fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    let unsigned = |number: &[u8]| {
        let number = significant(number);
        let sign: &[u8] = if number.first()? & 0x80 == 0 { &[] } else { &[0] };
        Some(element(INTEGER, &[sign, number]))
    };
    let key = element(SEQUENCE, &[&unsigned(modulus)?, &unsigned(exponent)?]);
    let identifier = element(SEQUENCE, &[&element(OBJECT_IDENTIFIER, &[algorithm::RSA_NUMBER]), &element(NULL, &[])]);
    Some(element(SEQUENCE, &[&identifier, &element(BIT_STRING, &[&[0], &key])]))
}

/// `SubjectPublicKeyInfo` (RFC 5480). The point stands in an octet string, but not with every token.
fn ec_public_key(curve: Curve, point: &[u8]) -> Option<Vec<u8>> {
    let inside = Elements::of(point).next_if(OCTET_STRING).filter(|inside| curve.has_point(inside));
    let point = inside.or_else(|| curve.has_point(point).then_some(point))?;
    Some(element(SEQUENCE, &[&curve.identifier(), &element(BIT_STRING, &[&[0], point])]))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;
    use crate::connect::tls::provider;

    fn fixture(name: &str) -> Vec<u8> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let key = PrivateKeyDer::from_pem_file(path).unwrap();
        let key = provider().key_provider.load_private_key(key).unwrap();
        key.public_key().unwrap().to_vec()
    }

    /// The content of the bit string.
    fn content(public_key: &[u8]) -> Vec<u8> {
        let mut inside = Elements::of(Elements::of(public_key).next_if(SEQUENCE).unwrap());
        inside.next_if(SEQUENCE).unwrap();
        inside.next_if(BIT_STRING).unwrap()[1..].to_vec()
    }

    #[test]
    fn a_public_key_is_put_together_as_it_stands_in_a_certificate() {
        let whole = fixture("rsa-pkcs1.key.pem");
        let key = content(&whole);
        let mut numbers = Elements::of(Elements::of(&key).next_if(SEQUENCE).unwrap());
        let (modulus, exponent) = (numbers.next_if(INTEGER).unwrap(), numbers.next_if(INTEGER).unwrap());
        assert_eq!(rsa_public_key(modulus, exponent).unwrap(), whole, "with a zero in front");
        assert_eq!(rsa_public_key(&modulus[1..], exponent).unwrap(), whole, "without");

        let whole = fixture("ec-sec1.key.pem");
        let point = content(&whole);
        assert_eq!(ec_public_key(Curve::P256, &point).unwrap(), whole, "bare");
        assert_eq!(ec_public_key(Curve::P256, &element(OCTET_STRING, &[&point])).unwrap(), whole, "wrapped");
        assert_eq!(ec_public_key(Curve::P384, &point), None, "of another curve");
        assert_eq!(ec_public_key(Curve::P256, &point[..33]), None, "compressed");
    }
}
