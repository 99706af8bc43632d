//! Topics travel percent-encoded inside a path. Decoding must happen exactly once and must not touch `+`, which is a
//! space in forms but a wildcard in topics; general URL libraries differ on both.

/// Decodes every `%XX` once. `None` when an escape is cut short or not hexadecimal, or when the result is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = (bytes.next()? as char).to_digit(16)?;
            let low = (bytes.next()? as char).to_digit(16)?;
            decoded.push((high * 16 + low) as u8);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_decoded_once_and_a_plus_stays_a_plus() {
        assert_eq!(decode("a%2Fb").as_deref(), Some("a/b"));
        assert_eq!(decode("%252F").as_deref(), Some("%2F"));
        assert_eq!(decode("a+b%2B").as_deref(), Some("a+b+"));
        assert_eq!(decode("%C3%A9").as_deref(), Some("é"));
    }

    #[test]
    fn a_broken_escape_or_broken_utf8_is_not_decoded() {
        for broken in ["%", "%4", "%zz", "%+1", "%C3"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }
}
