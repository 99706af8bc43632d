//! Reading PEM, and saying what a file holds instead.
//!
//! Nearly every first attempt with device certificates fails on a file: the two files swapped, the public key given
//! for the private one, a key protected by a passphrase, DER where PEM is wanted. A parser only says "no item found".
//! This module looks at what *is* in the file, so that the errors of [`identity`](crate::identity) and
//! [`roots`](crate::roots) can name it.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem;

/// Where a PEM text came from; names it in errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PemSource {
    /// A file.
    File(PathBuf),
    /// Bytes handed over by the embedder.
    Memory,
}

impl From<&Path> for PemSource {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl fmt::Display for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Memory => f.write_str("the PEM text"),
        }
    }
}

/// What a PEM text holds, by its labels. Never any of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemContents {
    labels: Vec<String>,
    encrypted: bool,
    empty: bool,
}

impl PemContents {
    pub(crate) fn of(pem: &[u8]) -> Self {
        let mut labels = Vec::new();
        let mut encrypted = false;
        for line in pem.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii();
            if let Some(label) = line.strip_prefix(b"-----BEGIN ").and_then(|rest| rest.strip_suffix(b"-----")) {
                let label = String::from_utf8_lossy(label).into_owned();
                encrypted |= label == "ENCRYPTED PRIVATE KEY";
                labels.push(label);
            }
            // How a passphrase is announced inside PKCS#1 and SEC1 (RFC 1421).
            encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
        }
        Self { labels, encrypted, empty: pem.trim_ascii().is_empty() }
    }

    /// Whether there is a certificate.
    pub fn has_certificate(&self) -> bool {
        self.labels.iter().any(|label| label == "CERTIFICATE")
    }

    /// Whether there is a private key of any kind.
    pub fn has_private_key(&self) -> bool {
        self.labels.iter().any(|l| l.ends_with("PRIVATE KEY"))
    }

    /// Whether there is a public key.
    pub fn has_public_key(&self) -> bool {
        self.labels.iter().any(|l| l.ends_with("PUBLIC KEY"))
    }

    /// Whether there is a private key that needs a passphrase.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

impl fmt::Display for PemContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.empty {
            f.write_str("it is empty")
        } else if self.labels.is_empty() {
            f.write_str("it is not PEM; if it is DER, convert it with `openssl ... -inform DER`")
        } else {
            write!(f, "it holds: {}", self.labels.join(", "))
        }
    }
}

/// What is broken, for people: the parser shows lines as lists of byte values.
pub(crate) fn fault(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "an END line is missing",
        pem::Error::IllegalSectionStart { .. } => "a BEGIN line is cut off",
        pem::Error::Base64Decode(_) => "what stands between BEGIN and END is not base64",
        pem::Error::SectionTooLarge => "a section is larger than 10 MB",
        _ => "the PEM parser does not say what",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_tell_what_a_file_holds() {
        let found = PemContents::of(b"-----BEGIN PUBLIC KEY-----\r\nAAAA\r\n-----END PUBLIC KEY-----\r\n");
        assert!(found.has_public_key() && !found.has_private_key() && !found.has_certificate());
        assert_eq!(found.to_string(), "it holds: PUBLIC KEY");
    }

    #[test]
    fn both_ways_to_encrypt_a_key_are_recognised() {
        assert!(PemContents::of(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n").is_encrypted());
        assert!(PemContents::of(b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n").is_encrypted());
        assert!(!PemContents::of(b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n").is_encrypted());
    }

    #[test]
    fn an_empty_file_and_der_are_told_apart() {
        assert_eq!(PemContents::of(b" \n").to_string(), "it is empty");
        assert!(PemContents::of(&[0x30, 0x82]).to_string().contains("DER"));
    }
}
