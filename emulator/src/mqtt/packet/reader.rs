//! Every field of MQTT has its length in front of it or known before, and every one of them can be a lie. Reading one
//! either succeeds within the bytes that are there, or gives nothing.

/// Bytes of which some have been read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (&taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn two_bytes(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn four_bytes(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of one to four bytes.
    pub(super) fn variable(&mut self) -> Option<u32> {
        let mut value = 0;
        for index in 0..4 {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn binary(&mut self) -> Option<&'a [u8]> {
        let length = self.two_bytes()?;
        self.take(length.into())
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.binary()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_number_has_up_to_four_bytes() {
        for (bytes, number) in [
            (&[0][..], Some(0)),
            (&[0x7f], Some(127)),
            (&[0x80, 0x01], Some(128)),
            (&[0xff, 0xff, 0xff, 0x7f], Some(268_435_455)),
            (&[0xff, 0xff, 0xff, 0xff, 0x01], None),
            (&[0x80], None),
            (&[], None),
        ] {
            assert_eq!(Reader::new(bytes).variable(), number, "{bytes:?}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_gives_nothing_and_broken_utf8_is_no_text() {
        assert_eq!(Reader::new(&[0, 3, b'a', b'b']).binary(), None);
        assert_eq!(Reader::new(&[0, 1, 0xff]).text(), None);
        assert_eq!(Reader::new(&[0, 1, 0xff]).binary(), Some(&[0xff][..]));
        assert_eq!(Reader::new(&[0]).two_bytes(), None);
    }
}
