//! Percent-decoding that takes nothing for an escape that is none. The library leaves `%zz` as it stands, and a password or a label
//! with that in it would be another one than was meant.

use percent_encoding::percent_decode_str;

/// The bytes of a text, if each `%` has two hexadecimal digits behind it.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    parts.next();
    let is_escape = |part: &str| part.len() >= 2 && part.bytes().take(2).all(|digit| digit.is_ascii_hexdigit());
    parts.all(is_escape).then(|| percent_decode_str(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_escape_has_two_digits() {
        assert_eq!(decode("a%20%fF\u{e4}+").as_deref(), Some(&b"a \xff\xc3\xa4+"[..]));
        for text in ["%", "a%2", "%g0", "%%20", "%+1", "%2\u{e4}"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
