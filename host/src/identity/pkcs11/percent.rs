//! The values of a URI, byte by byte.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::percent;

/// What of a value cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueFault {
    /// A `%` without two hexadecimal digits behind it.
    Percent,
    /// A character that has to be written as a `%` and its number.
    Character(char),
}

/// What may stand for itself, beside letters, digits and what is not ASCII.
const UNRESERVED: &str = "-._~";
const IN_PATH: &str = ":[]@!$'()*+,=&";
const IN_QUERY: &str = ":[]@!$'()*+,=/?|";

/// The part of the URI that a value stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Query,
}

/// The bytes of a value. A label may be any bytes, and an id mostly is.
pub(super) fn decode(value: &str, part: Part) -> Result<Vec<u8>, ValueFault> {
    let allowed = match part {
        Part::Path => IN_PATH,
        Part::Query => IN_QUERY,
    };
    let stands_for_itself = |character: char| {
        character.is_ascii_alphanumeric()
            || UNRESERVED.contains(character)
            || allowed.contains(character)
            || (!character.is_ascii() && !character.is_whitespace() && !character.is_control())
    };
    match value.chars().find(|&character| character != '%' && !stands_for_itself(character)) {
        Some(character) => Err(ValueFault::Character(character)),
        None => percent::decode(value).ok_or(ValueFault::Percent),
    }
}

/// What is escaped in a path: all but letters, digits and [`UNRESERVED`].
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value as it may stand in a path.
pub(super) fn encode(value: &[u8]) -> String {
    percent_encode(value, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded_byte_by_byte() {
        for (value, bytes) in [
            ("", &b""[..]),
            ("device", b"device"),
            ("My%20Token", b"My Token"),
            ("%00%9d%9D%ff", &[0, 0x9d, 0x9d, 0xff]),
            ("%2", &[]),
            ("a+b:c=d&e", b"a+b:c=d&e"),
            ("Ger\u{e4}t", "Ger\u{e4}t".as_bytes()),
            ("%25%3b", b"%;"),
        ] {
            match decode(value, Part::Path) {
                Ok(decoded) => assert_eq!(decoded, bytes, "{value}"),
                Err(fault) => assert_eq!((value, fault), ("%2", ValueFault::Percent)),
            }
        }
    }

    #[test]
    fn what_has_to_be_escaped_is_refused() {
        for (value, part, fault) in [
            ("My Token", Part::Path, ValueFault::Character(' ')),
            ("a/b", Part::Path, ValueFault::Character('/')),
            ("a;b", Part::Query, ValueFault::Character(';')),
            ("a&b", Part::Query, ValueFault::Character('&')),
            ("a#b", Part::Path, ValueFault::Character('#')),
            ("a\u{a0}b", Part::Path, ValueFault::Character('\u{a0}')),
            ("%g0", Part::Path, ValueFault::Percent),
            ("100%", Part::Query, ValueFault::Percent),
            ("%+1", Part::Query, ValueFault::Percent),
        ] {
            assert_eq!(decode(value, part), Err(fault), "{value}");
        }
        assert_eq!(decode("/a/b?c|", Part::Query).unwrap(), b"/a/b?c|");
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all), Part::Path).unwrap(), all);
        assert_eq!(decode(&encode(&all), Part::Query).unwrap(), all);
        assert_eq!(encode(b"My Token"), "My%20Token");
    }
}
