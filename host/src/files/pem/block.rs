//! Finding the blocks of a PEM text.
//!
//! The parsers that there are go line by line and pass over what they do not know. So a second block that begins on the line on
//! which the first one ends (`cat a.pem b.pem`, where `a.pem` has no last line end) is gone without a word, and a mark of UTF-8
//! takes the first block away. Here a block is what stands between `-----BEGIN X-----` and `-----END X-----`, wherever that is,
//! and a block that has no end is an error with the number of its line.

use std::fmt;

use memchr::memmem;
use rustls::pki_types::pem::{PemObject, SectionKind};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Longer than any label.
const LONGEST_LABEL: usize = 64;

/// One block, not decoded yet.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    /// Of its beginning, counted from 1.
    pub(crate) line: usize,
    /// What stands above the base64 (RFC 1421).
    header: &'a [u8],
    base64: &'a [u8],
}

/// What is wrong with a PEM text. Never quotes more of it than a label: what follows may be a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PemError {
    /// A BEGIN line is cut off.
    CutBegin {
        /// Its number, counted from 1.
        line: usize,
    },
    /// A block has no END line before the next one begins, or before the text ends.
    MissingEnd {
        /// The label of the block.
        label: String,
        /// Where it begins.
        line: usize,
    },
    /// A block ends under another label than it begins.
    OtherEnd {
        /// The label of the block.
        label: String,
        /// Where it begins.
        line: usize,
    },
    /// What stands between BEGIN and END is not base64.
    NotBase64 {
        /// The label of the block.
        label: String,
        /// Where it begins.
        line: usize,
    },
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutBegin { line } => write!(f, "the BEGIN in line {line} is cut off"),
            Self::MissingEnd { label, line } => write!(f, "an END line is missing for the {label} of line {line}"),
            Self::OtherEnd { label, line } => write!(f, "the {label} of line {line} ends with another label"),
            Self::NotBase64 { label, line } => {
                write!(f, "what stands between BEGIN and END of the {label} of line {line} is not base64")
            }
        }
    }
}

impl std::error::Error for PemError {}

/// All blocks of a text, in their order.
pub(super) fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, PemError> {
    let mut blocks = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    while let Some(begin) = memmem::find(&text[at..], BEGIN).map(|found| at + found) {
        line += text[counted..begin].iter().filter(|byte| **byte == b'\n').count();
        counted = begin;
        let (label, body) = label(text, begin + BEGIN.len()).ok_or(PemError::CutBegin { line })?;
        let next = memmem::find(&text[body..], BEGIN).map_or(text.len(), |next| body + next);
        let end = memmem::find(&text[body..next], END).map(|end| body + end);
        let end = end.ok_or_else(|| PemError::MissingEnd { label: label.to_owned(), line })?;
        let ends_alike =
            text[end + END.len()..].strip_prefix(label.as_bytes()).is_some_and(|rest| rest.starts_with(DASHES));
        if !ends_alike {
            return Err(PemError::OtherEnd { label: label.to_owned(), line });
        }
        let (header, base64) = without_header(&text[body..end]);
        blocks.push(Block { label, line, header, base64 });
        at = end + END.len() + label.len() + DASHES.len();
    }
    Ok(blocks)
}

/// The label that begins here, and where what follows it begins.
fn label(text: &[u8], begin: usize) -> Option<(&str, usize)> {
    let rest = &text[begin..text.len().min(begin + LONGEST_LABEL + DASHES.len())];
    let length = memmem::find(rest, DASHES)?;
    let label = str::from_utf8(&rest[..length]).ok()?;
    let is_label = !label.is_empty() && label.chars().all(|character| character == ' ' || character.is_ascii_graphic());
    is_label.then_some((label, begin + length + DASHES.len()))
}

/// A header has colons, which base64 has not, and ends with an empty line, or with its last colon.
fn without_header(body: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = memchr::memrchr(b':', body) else { return (&[], body) };
    let lines = body[colon..].split_inclusive(|byte| *byte == b'\n');
    let mut end = colon;
    for (index, line) in lines.enumerate() {
        // The lines that go on a line of the header are indented.
        if index > 0 && !line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            break;
        }
        end += line.len();
    }
    body.split_at(end)
}

impl Block<'_> {
    /// Whether its header says that it takes a passphrase.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.label == "ENCRYPTED PRIVATE KEY" || memmem::find(self.header, b"ENCRYPTED").is_some()
    }

    pub(crate) fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }

    pub(crate) fn is_certificate(&self) -> bool {
        matches!(self.label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
    }

    /// What is in it. Line ends that came as `\n`, two characters, out of JSON or a variable, count as line ends.
    pub(crate) fn der(&self) -> Result<Vec<u8>, PemError> {
        // Under a label of its choice the parser decodes in constant time, as fits a key.
        let mut pem = b"-----BEGIN PRIVATE KEY-----\n".to_vec();
        let mut bytes = self.base64.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' if bytes.next_if(|next| matches!(next, b'n' | b'r')).is_some() => {}
                byte if byte.is_ascii_whitespace() => {}
                byte => pem.push(byte),
            }
        }
        pem.extend_from_slice(b"\n-----END PRIVATE KEY-----\n");
        let decoded = <(SectionKind, Vec<u8>)>::from_pem_slice(&pem);
        decoded.map(|(_, der)| der).map_err(|_| PemError::NotBase64 { label: self.label.to_owned(), line: self.line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "-----BEGIN A-----\nAAAA\n-----END A-----";
    const B: &str = "-----BEGIN B C-----\r\nAQID\r\nBAUG\r\n-----END B C-----\r\n";

    fn found(text: &str) -> Vec<(String, usize, Vec<u8>)> {
        let blocks = blocks(text.as_bytes()).unwrap();
        blocks.iter().map(|block| (block.label.to_owned(), block.line, block.der().unwrap())).collect()
    }

    #[test]
    fn blocks_are_found_wherever_they_begin() {
        let (a, b) = (vec![0, 0, 0], vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(found(&format!("{A}{B}")), [("A".to_owned(), 1, a.clone()), ("B C".to_owned(), 3, b.clone())]);
        assert_eq!(found(&format!("Bag Attributes\n  name: x\n{B}")), [("B C".to_owned(), 3, b.clone())]);
        let indented = B.replace("\r\n", "\n    ");
        assert_eq!(found(&indented), [("B C".to_owned(), 1, b.clone())]);
        let escaped = format!("{{\"pem\": \"{}\"}}", B.replace("\r\n", "\\n"));
        assert_eq!(found(&escaped), [("B C".to_owned(), 1, b.clone())]);
        let on_one_line = B.replace("\r\n", " ");
        assert_eq!(found(&on_one_line), [("B C".to_owned(), 1, b)]);
        assert!(found("no block").is_empty());
    }

    #[test]
    fn a_header_is_no_base64() {
        let block = "-----BEGIN K-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAQID\n-----END K-----\n";
        let blocks = blocks(block.as_bytes()).unwrap();
        assert!(blocks[0].is_encrypted());
        assert_eq!(blocks[0].der().unwrap(), [1, 2, 3]);
        let long = "-----BEGIN K-----\nComment: a\n b\nAQID\n-----END K-----\n";
        assert_eq!(found(long), [("K".to_owned(), 1, vec![1, 2, 3])]);
    }

    #[test]
    fn what_is_wrong_comes_with_its_line() {
        let fault = |text: &str| blocks(text.as_bytes()).err().unwrap().to_string();
        assert!(fault(&format!("{A}\n-----BEGIN B-----\nAAAA\n")).contains("missing for the B of line 4"));
        assert!(fault(&format!("-----BEGIN B-----\nAAAA\n{A}")).contains("missing for the B of line 1"));
        assert!(fault("\n-----BEGIN B\nAAAA").contains("line 2 is cut off"));
        assert!(fault("-----BEGIN A-----\n-----END B-----").contains("another label"));
        for base64 in ["A", "*AAA", "A\\AA", "AAAA="] {
            let text = format!("-----BEGIN A-----\n{base64}\n-----END A-----");
            let fault = blocks(text.as_bytes()).unwrap()[0].der().unwrap_err();
            assert_eq!(fault, PemError::NotBase64 { label: "A".to_owned(), line: 1 }, "{base64}");
        }
    }
}
