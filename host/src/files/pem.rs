//! Reading PEM as people have it, and saying what a file holds instead.
//!
//! Nearly every first attempt with device certificates fails on a file: the two files swapped, the public key given for the
//! private one, a key protected by a passphrase, DER where PEM is wanted. A parser only says "no item found", and of a file in
//! which one block is not as it should be it says nothing: the block is passed over. This module looks at what *is* in the file,
//! so that the errors of [`identity`](crate::identity) and [`roots`](crate::trust::roots) can name it.
//!
//! The same table, for users, is in `docs/files.md`.
//!
//! | found | what becomes of it |
//! |---|---|
//! | text before, between and after blocks (`Bag Attributes`, comments) | passed over |
//! | line ends of Windows and of old Macs, none at all, none between two blocks, lines of any length, indentation | taken |
//! | a mark of UTF-8; UTF-16 with and without a mark | decoded |
//! | `\n` as two characters, in JSON or out of a variable | taken |
//! | certificate, chain and key in one file, in any order of the kinds | taken, for `--cert` and `--key` alike |
//! | several keys | the one that belongs to the certificate |
//! | `X509 CERTIFICATE`; `TRUSTED CERTIFICATE` | taken; the latter not if its settings keep it from vouching for servers, which is said |
//! | a key under the label of another kind of key | taken as what it is |
//! | a block without END, with another END, or cut off; base64 that is none | refused, with the line |
//! | a certificate request, a public key, PKCS#7 under a label of PEM | refused, named |
//! | a key that needs a passphrase | refused, with the command that decrypts it |
//! | PKCS#12, PKCS#7, DER, JKS, keys for SSH, zip, web pages, base64 of PEM | refused, named, with the command that converts |
//! | more than 16 MB | refused |

mod block;
mod der_kind;
mod non_pem;

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::files::encoding::Encoding;

pub(crate) use block::Block;
pub use block::PemError;
pub(crate) use der_kind::DerKind;

use non_pem::NonPem;

/// The list of all authorities of the web has a few hundred kilobytes.
const LARGEST: u64 = 16 * 1024 * 1024;

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

/// All of a file, unless it has no end.
pub(crate) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(file)?.take(LARGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 16 MB"));
    }
    Ok(content)
}

/// What a file is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Certificate,
    PrivateKey,
    Roots,
}

/// The text of a file, in which blocks can be looked for.
pub(crate) struct PemText<'a>(Cow<'a, [u8]>);

impl<'a> PemText<'a> {
    pub(crate) fn of(content: &'a [u8]) -> Self {
        Self(Encoding::decode(content))
    }

    /// All its blocks, in their order.
    pub(crate) fn blocks(&self) -> Result<Vec<Block<'_>>, PemError> {
        block::blocks(&self.0)
    }

    /// What it holds, for an error that says that something is not in it.
    pub(crate) fn contents(&self, blocks: &[Block<'_>]) -> PemContents {
        PemContents {
            labels: blocks.iter().map(|block| block.label.to_owned()).collect(),
            non_pem: match blocks {
                [] => NonPem::of(&self.0),
                _ if blocks.iter().all(|block| non_pem::is_ssh(block.label)) => NonPem::SshKey,
                _ => NonPem::Unknown,
            },
        }
    }
}

/// What a PEM text holds, by its labels. Never any of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemContents {
    labels: Vec<String>,
    /// What it is if it has no blocks.
    non_pem: NonPem,
}

impl PemContents {
    /// Whether there is a certificate.
    pub fn has_certificate(&self) -> bool {
        self.labels.iter().any(|label| label.ends_with("CERTIFICATE"))
    }

    /// Whether there is a certificate request.
    pub fn has_certificate_request(&self) -> bool {
        self.labels.iter().any(|label| label.ends_with("CERTIFICATE REQUEST"))
    }

    /// Whether there is a private key of any kind.
    pub fn has_private_key(&self) -> bool {
        self.labels.iter().any(|l| l.ends_with("PRIVATE KEY"))
    }

    /// Whether there is a public key.
    pub fn has_public_key(&self) -> bool {
        self.labels.iter().any(|l| l.ends_with("PUBLIC KEY"))
    }

    /// What is to be done about it.
    pub(crate) fn hint(&self, wanted: Expected) -> &'static str {
        if let Some(hint) = self.foreign_hint(wanted) {
            return hint;
        }
        let has = |label: &str| self.labels.iter().any(|other| other == label);
        match wanted {
            Expected::Certificate | Expected::Roots if has("PKCS7") || has("CMS") => {
                "take the certificates out with `openssl pkcs7 -in FILE -print_certs -out FILE.pem`"
            }
            Expected::Certificate if self.has_certificate_request() => {
                "that is what a certificate is asked for with: give the certificate that came back"
            }
            Expected::Certificate if self.has_private_key() => "are the certificate and the key swapped?",
            Expected::Certificate => "give the device certificate (`-----BEGIN CERTIFICATE-----`)",
            Expected::PrivateKey if self.has_certificate() => "are the certificate and the key swapped?",
            Expected::PrivateKey if self.has_public_key() => {
                "that is the public half, give the private key that was created with it"
            }
            Expected::PrivateKey => "give an unencrypted PKCS#8, PKCS#1 or SEC1 key in PEM form",
            Expected::Roots => "give the CA certificates in PEM form",
        }
    }

    fn foreign_hint(&self, wanted: Expected) -> Option<&'static str> {
        match self.non_pem {
            NonPem::Unknown if !self.labels.is_empty() => None,
            non_pem => non_pem.hint(wanted),
        }
    }
}

impl fmt::Display for PemContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.labels.is_empty() {
            return self.non_pem.fmt(f);
        }
        f.write_str("it holds: ")?;
        for (index, label) in self.labels.iter().enumerate().take(MOST_LABELS) {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{label}")?;
        }
        match self.labels.len().saturating_sub(MOST_LABELS) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// As many as a line has place for.
const MOST_LABELS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &[u8]) -> PemContents {
        let text = PemText::of(text);
        text.contents(&text.blocks().unwrap())
    }

    #[test]
    fn the_labels_tell_what_a_file_holds() {
        let found = contents(b"-----BEGIN PUBLIC KEY-----\r\nAAAA\r\n-----END PUBLIC KEY-----\r\n");
        assert!(found.has_public_key() && !found.has_private_key() && !found.has_certificate());
        assert_eq!(found.to_string(), "it holds: PUBLIC KEY");
    }

    #[test]
    fn both_ways_to_encrypt_a_key_are_recognised() {
        for (text, is_encrypted) in [
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", true),
            ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----", true),
            ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", false),
        ] {
            let text = PemText::of(text.as_bytes());
            assert_eq!(text.blocks().unwrap()[0].is_encrypted(), is_encrypted);
        }
    }

    #[test]
    fn what_is_not_pem_is_named_and_comes_with_a_way_out() {
        for (content, what, hint) in [
            (&b" \n"[..], "it is empty", "give the device certificate"),
            (&[0x30, 0x82], "it is not PEM", "-inform DER"),
            (
                &[0x30, 0x80, 2, 1, 3, 0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1],
                "PKCS#12",
                "pkcs12",
            ),
            (&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], "a Java key store", "keytool"),
            (b"PK\x03\x04connect_device_package", "zip", "unpack"),
            (b"<!DOCTYPE html>", "web page", "download"),
            (b"ssh-ed25519 AAAA me@here", "SSH", "came with the device's certificate"),
            (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", "OPENSSH", "SSH"),
            (b"PuTTY-User-Key-File-3: ssh-rsa", "PuTTY", "SSH"),
            (b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t", "base64 once more", "base64 -d"),
            (b"MIIB\nAAAA\n", "without the BEGIN and END lines", "-----BEGIN CERTIFICATE-----"),
            (b"hello", "it is not PEM", "if it is DER"),
        ] {
            let found = contents(content);
            assert!(found.to_string().contains(what), "{what}: {found}");
            assert!(found.hint(Expected::Certificate).contains(hint), "{what}: {}", found.hint(Expected::Certificate));
        }
    }

    #[test]
    fn of_many_labels_the_first_are_named() {
        let text = "-----BEGIN X-----\nAAAA\n-----END X-----".repeat(40);
        assert_eq!(contents(text.as_bytes()).to_string(), "it holds: X, X, X, X, X, X and 34 more");
    }
}
