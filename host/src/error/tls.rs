//! Errors of TLS in words. The library prints most of its own as they stand in its source: names of variants, and lists of bytes
//! a screen long. Here each is a sentence that names what was wrong and the way out, the likeliest first.

use std::fmt::Debug;
use std::time::Duration;

use rustls::{CertificateError, Error, InvalidMessage};

use super::untrusted::UntrustedCertificate;
use crate::x509::algorithm::spoken;
use crate::x509::validity::OutsideValidity;

/// What is wrong with a server's certificate, and what to do about it.
pub(super) fn certificate(error: &CertificateError) -> (String, &'static str) {
    use CertificateError as E;
    match error {
        E::UnknownIssuer => {
            ("it leads to no authority that is trusted".to_owned(), "add the server's CA to the trust roots")
        }
        E::ExpiredContext { time, not_after: limit } | E::NotValidYetContext { time, not_before: limit } => {
            let seconds = |time: &rustls::pki_types::UnixTime| Duration::from_secs(time.as_secs());
            let outside_validity = OutsideValidity::new(seconds(limit), seconds(time));
            (format!("it {outside_validity}"), clock_or_certificate(outside_validity))
        }
        E::Expired => ("it has expired".to_owned(), "check this machine's clock"),
        E::NotValidYet => ("it is not valid yet".to_owned(), "check this machine's clock"),
        E::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().take(MOST_NAMES).map(|name| bare(name)).collect();
            let others = if presented.len() > MOST_NAMES { " and others" } else { "" };
            let names = match names.is_empty() {
                true => "it has no name of a host in it".to_owned(),
                false => format!("it is for {}{others}", names.join(", ")),
            };
            (format!("{names}, and not for {}", expected.to_str()), "use the host name that the certificate names")
        }
        E::NotValidForName => ("it is for another name".to_owned(), "use the host name that the certificate names"),
        E::UnsupportedSignatureAlgorithmContext { signature_algorithm_id, .. } => {
            (format!("it is signed by {}, which is not supported", spoken(signature_algorithm_id)), SUPPORTED)
        }
        E::UnsupportedSignatureAlgorithmForPublicKeyContext { signature_algorithm_id, public_key_algorithm_id } => {
            let (signature, key) = (spoken(signature_algorithm_id), spoken(public_key_algorithm_id));
            (format!("it is signed by {signature} with a key of {key}, which is not supported"), SUPPORTED)
        }
        E::BadSignature => (
            "its signature is wrong, or made with RSA of less than 2048 bits".to_owned(),
            "the server needs another certificate",
        ),
        E::Revoked => ("it was revoked".to_owned(), "the server needs another certificate"),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            ("it is not meant for servers".to_owned(), "the server needs another certificate")
        }
        E::BadEncoding => ("it is damaged".to_owned(), "the server needs another certificate"),
        // `CaUsedAsEndEntity` above all, which comes as a text from another library.
        E::Other(other) => match UntrustedCertificate::within(error) {
            Some(untrusted) => (untrusted.to_string(), untrusted.hint()),
            None => (words(other), "the server needs another certificate"),
        },
        other => (words(other), "the server needs another certificate"),
    }
}

/// `a.example` of `DnsName("a.example")`, which is how the library passes a name on.
fn bare(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, inside)| inside.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}

/// As many as a line has place for.
const MOST_NAMES: usize = 5;

const SUPPORTED: &str = "the server needs a certificate that is signed by RSA of 2048 to 8192 bits, or ECDSA P-256 or P-384, with \
                         SHA-256 or SHA-384 (RSA with SHA-512 too), or by Ed25519";

fn clock_or_certificate(outside_validity: OutsideValidity) -> &'static str {
    match (outside_validity.is_clock_wrong(), outside_validity.has_expired()) {
        (true, _) => "set this machine's clock",
        (false, true) => "check this machine's clock; if it is right, the server needs a new certificate",
        (false, false) => "check this machine's clock",
    }
}

/// What else went wrong on this side of a handshake or a connection.
pub(crate) fn fault(error: &Error) -> String {
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            "what came is not TLS".to_owned()
        }
        Error::InvalidMessage(fault) => format!("a message of TLS is wrong: {}", words(fault)),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "a message of TLS came out of turn".to_owned()
        }
        Error::PeerIncompatible(why) => format!("the server cannot do what is needed: {}", words(why)),
        Error::PeerMisbehaved(why) => format!("the server breaks the rules of TLS: {}", words(why)),
        Error::InvalidCertificate(error) => format!("the server's certificate is refused: {}", certificate(error).0),
        Error::AlertReceived(alert) => format!("alert {}", crate::error::alert::name(*alert)),
        Error::InvalidEncryptedClientHello(why) => format!("the client hello could not be encrypted: {}", words(why)),
        Error::InvalidCertRevocationList(why) => format!("a list of revoked certificates is wrong: {}", words(why)),
        Error::InconsistentKeys(why) => format!("certificate and key do not fit: {}", words(why)),
        Error::Other(other) => match token_fault(other) {
            Some(fault) => fault,
            None => format!("something else: {}", words(other)),
        },
        // These are texts.
        other => other.to_string(),
    }
}

/// What a PKCS#11 token says in place of a signature.
#[cfg(feature = "pkcs11")]
fn token_fault(error: &rustls::OtherError) -> Option<String> {
    error.0.downcast_ref::<crate::identity::Pkcs11Error>().map(ToString::to_string)
}

#[cfg(not(feature = "pkcs11"))]
fn token_fault(_: &rustls::OtherError) -> Option<String> {
    None
}

/// The name of a variant as words: `NoCipherSuitesInCommon` as `no cipher suites in common`. What it holds is left out.
fn words(variant: &impl Debug) -> String {
    let name = format!("{variant:?}");
    // What wraps a text or another error says nothing itself.
    let name = name.strip_prefix("OtherError(").or(name.strip_prefix("Other(")).unwrap_or(&name);
    let mut words = String::new();
    for character in name.chars().take_while(char::is_ascii_alphanumeric) {
        if character.is_ascii_uppercase() && words.chars().last().is_some_and(|last| !last.is_ascii_uppercase()) {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    match words.is_empty() {
        true => "something that is not known".to_owned(),
        false => words,
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{ServerName, UnixTime};
    use rustls::{PeerIncompatible, PeerMisbehaved};

    use super::*;

    /// Of ECDSA with SHA-512, and of a key on P-521.
    const SHA512: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4];
    const P521: [u8; 16] = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x23];

    #[test]
    fn an_algorithm_that_is_not_supported_is_named_and_so_are_those_that_are() {
        let error = CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: SHA512.to_vec(),
            supported_algorithms: Vec::new(),
        };
        let (what, hint) = certificate(&error);
        assert_eq!(what, "it is signed by ECDSA with SHA-512, which is not supported");
        assert!(hint.contains("P-384"));
        let error = CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: SHA512.to_vec(),
            public_key_algorithm_id: P521.to_vec(),
        };
        assert!(certificate(&error).0.contains("with a key of ECDSA P-521"));
    }

    #[test]
    fn of_a_certificate_for_other_names_the_names_are_said() {
        let error = |presented: &[&str]| CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("a.example").unwrap(),
            presented: presented.iter().map(|name| (*name).to_owned()).collect(),
        };
        let names = ["DnsName(\"b.example\")", "IpAddress(127.0.0.1)"];
        assert_eq!(certificate(&error(&names)).0, "it is for b.example, 127.0.0.1, and not for a.example");
        assert_eq!(certificate(&error(&[])).0, "it has no name of a host in it, and not for a.example");
        assert!(certificate(&error(&["b"; 9])).0.contains("b and others, and not for a.example"));
    }

    #[test]
    fn a_clock_that_is_long_past_is_the_likelier_cause() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let early = CertificateError::NotValidYetContext { time: at(60), not_before: at(1_600_000_000) };
        let (what, hint) = certificate(&early);
        assert!(what.contains("2020-09-13") && what.contains("1970-01-01") && what.contains("long past"), "{what}");
        assert_eq!(hint, "set this machine's clock");
        let late = CertificateError::ExpiredContext { time: at(1_900_000_000), not_after: at(1_600_000_000) };
        assert!(certificate(&late).1.contains("new certificate"));
    }

    #[test]
    fn names_of_variants_are_words() {
        for (error, said) in [
            (Error::InvalidMessage(InvalidMessage::InvalidContentType), "what came is not TLS"),
            (Error::InvalidMessage(InvalidMessage::MissingData("Hello")), "a message of TLS is wrong: missing data"),
            (
                Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "the server cannot do what is needed: no cipher suites in common",
            ),
            (
                Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedKxGroup),
                "the server breaks the rules of TLS: selected unoffered kx group",
            ),
            (Error::DecryptError, "cannot decrypt peer's message"),
        ] {
            assert_eq!(fault(&error), said);
        }
    }
}
