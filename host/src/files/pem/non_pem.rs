//! What a file without a block of PEM is. "Not PEM" is true of all of them and helps with none.

use std::fmt;

use memchr::memmem;

use super::Expected;
use super::der_kind::DerKind;

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NonPem {
    Empty,
    Der(DerKind),
    JavaKeyStore,
    SshKey,
    SshPublicKey,
    PuttyKey,
    Zip,
    WebPage,
    /// PEM in base64, as Kubernetes keeps what it calls secrets.
    PemInBase64,
    /// What stands between BEGIN and END alone.
    BareBase64,
    Unknown,
}

impl NonPem {
    pub(super) fn of(content: &[u8]) -> Self {
        let text = content.trim_ascii();
        let begins = |with: &[u8]| text.len() >= with.len() && text[..with.len()].eq_ignore_ascii_case(with);
        if text.is_empty() {
            Self::Empty
        } else if let Some(der_kind) = DerKind::of(content) {
            Self::Der(der_kind)
        } else if content.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) || content.starts_with(&[0xce, 0xce, 0xce, 0xce]) {
            Self::JavaKeyStore
        } else if begins(b"PuTTY-User-Key-File-") {
            Self::PuttyKey
        } else if begins(b"ssh-") || begins(b"ecdsa-sha2-") || begins(b"---- BEGIN SSH2 PUBLIC KEY") {
            Self::SshPublicKey
        } else if begins(b"PK\x03\x04") {
            Self::Zip
        } else if begins(b"<") {
            Self::WebPage
        } else if begins(b"LS0tLS1CRUdJTi") {
            Self::PemInBase64
        } else if begins(b"MI") && text.iter().all(|byte| is_base64(*byte) || byte.is_ascii_whitespace()) {
            Self::BareBase64
        } else {
            Self::Unknown
        }
    }

    /// What is to be done with it for what is wanted, where that is known.
    pub(super) fn hint(self, wanted: Expected) -> Option<&'static str> {
        use Expected::{Certificate, PrivateKey, Roots};
        Some(match (self, wanted) {
            (Self::Der(DerKind::Pkcs12), Certificate) => {
                "take the certificate out with `openssl pkcs12 -in FILE -clcerts -nokeys -out device.pem`"
            }
            (Self::Der(DerKind::Pkcs12), PrivateKey) => {
                "take the key out with `openssl pkcs12 -in FILE -nocerts -nodes -out key.pem`"
            }
            (Self::Der(DerKind::Pkcs12), Roots) => {
                "take the authorities out with `openssl pkcs12 -in FILE -cacerts -nokeys -out ca.pem`"
            }
            (Self::Der(DerKind::Pkcs7), Certificate | Roots) => {
                "take the certificates out with `openssl pkcs7 -inform DER -in FILE -print_certs -out FILE.pem`"
            }
            (Self::Der(DerKind::Certificate), Certificate | Roots) => {
                "convert it with `openssl x509 -inform DER -in FILE -out FILE.pem`"
            }
            (Self::Der(DerKind::EncryptedPkcs8), PrivateKey) => {
                "decrypt and convert it with `openssl pkcs8 -inform DER -in FILE -out FILE.pem`"
            }
            (Self::Der(der_kind), PrivateKey) if der_kind.is_private_key() => {
                "convert it with `openssl pkey -inform DER -in FILE -out FILE.pem`"
            }
            (Self::JavaKeyStore, _) => {
                "convert it with `keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype \
                 PKCS12`, and then with `openssl pkcs12`"
            }
            (Self::PuttyKey | Self::SshKey | Self::SshPublicKey, _) => {
                "a key for SSH is not the key of a device: give the files that came with the device's certificate"
            }
            (Self::Zip, _) => "unpack it, and give the file in it",
            (Self::WebPage, _) => "download it once more, and look at what has come",
            (Self::PemInBase64, _) => "decode it with `base64 -d FILE > FILE.pem`",
            (Self::BareBase64, Certificate | Roots) => {
                "put `-----BEGIN CERTIFICATE-----` above and `-----END CERTIFICATE-----` below it, each on a line"
            }
            (Self::BareBase64, PrivateKey) => "export the key once more, with its BEGIN and END lines",
            (Self::Unknown, Certificate | Roots) => {
                "if it is DER, convert it with `openssl x509 -inform DER -in FILE -out FILE.pem`"
            }
            (Self::Unknown, PrivateKey) => {
                "if it is DER, convert it with `openssl pkey -inform DER -in FILE -out FILE.pem`"
            }
            _ => return None,
        })
    }
}

/// Whether this stands anywhere in a file that has no other blocks.
pub(super) fn is_ssh(label: &str) -> bool {
    memmem::find(label.as_bytes(), b"SSH").is_some()
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

impl fmt::Display for NonPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::Der(der_kind) => return write!(f, "it is not PEM but {} in binary form (DER)", der_kind.name()),
            Self::JavaKeyStore => "it is not PEM but a Java key store",
            Self::SshKey | Self::SshPublicKey => "it is a key for SSH",
            Self::PuttyKey => "it is a key for SSH, in the form of PuTTY",
            Self::Zip => "it is not PEM but a zip archive",
            Self::WebPage => "it is not PEM but a web page or XML",
            Self::PemInBase64 => "it is PEM, but in base64 once more",
            Self::BareBase64 => "it is base64 without the BEGIN and END lines of PEM",
            Self::Unknown => "it is not PEM",
        })
    }
}
