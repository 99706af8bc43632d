//! In what characters a text file is written.
//!
//! Editors and shells of Windows put a mark before a text (Notepad, "CSV UTF-8" of Excel) or write it in 16-bit characters
//! (`>` of Windows PowerShell, "Unicode text" of Excel). Nothing of that shows on a screen; what shows is that a line does not
//! begin with what one sees there.

use std::borrow::Cow;

/// The encoding of a text, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One byte for each ASCII character: UTF-8, or one of its elders.
    Bytes,
    /// UTF-8 after its mark.
    MarkedUtf8,
    /// Two bytes for each character, the lower one first.
    Utf16Le,
    /// Two bytes for each character, the higher one first.
    Utf16Be,
}

/// What stands before a text in UTF-8 that wants to be known as such.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

impl Encoding {
    /// What the beginning of a text says: a mark, or two ASCII characters with a zero beside each.
    pub fn of(text: &[u8]) -> Self {
        match text {
            [0xef, 0xbb, 0xbf, ..] => Self::MarkedUtf8,
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] => Self::Utf16Be,
            [a, 0, b, 0, ..] if is_text(*a) && is_text(*b) => Self::Utf16Le,
            [0, a, 0, b, ..] if is_text(*a) && is_text(*b) => Self::Utf16Be,
            _ => Self::Bytes,
        }
    }

    /// The text in bytes: without a mark, and 16-bit characters as UTF-8. What is no character in 16 bits becomes `U+FFFD`.
    pub fn decode(text: &[u8]) -> Cow<'_, [u8]> {
        match Self::of(text) {
            Self::Bytes => Cow::Borrowed(text),
            Self::MarkedUtf8 => Cow::Borrowed(&text[UTF8_MARK.len()..]),
            Self::Utf16Le => Cow::Owned(utf16(text, u16::from_le_bytes)),
            Self::Utf16Be => Cow::Owned(utf16(text, u16::from_be_bytes)),
        }
    }

    /// Whether it takes two bytes for a character.
    pub fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}

fn utf16(text: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units: Vec<u16> = text.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units).trim_start_matches('\u{feff}').to_owned().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_the_same_in_every_encoding() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let le = |text| units(text).into_iter().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let be = |text| units(text).into_iter().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        for (bytes, encoding) in [
            (b"a\xc3\xa9\n".to_vec(), Encoding::Bytes),
            (b"\xef\xbb\xbfa\xc3\xa9\n".to_vec(), Encoding::MarkedUtf8),
            (le("\u{feff}aé\n"), Encoding::Utf16Le),
            (be("\u{feff}aé\n"), Encoding::Utf16Be),
        ] {
            assert_eq!(Encoding::of(&bytes), encoding);
            assert_eq!(*Encoding::decode(&bytes), *"aé\n".as_bytes(), "{encoding:?}");
        }
        assert_eq!(*Encoding::decode(&le("ab")), *b"ab", "without a mark too");
        assert_eq!(*Encoding::decode(&be("ab")), *b"ab", "without a mark too");
    }

    #[test]
    fn what_is_no_text_stays_as_it_is() {
        for bytes in [&b""[..], b"\0", b"a", b"\x30\x82\0\0", b"\0\0\0\0", b"\x01\0\x02\0", b"\xef\xbb"] {
            assert_eq!(*Encoding::decode(bytes), *bytes);
        }
    }
}
