//! As much of DER as it takes to see what something is.
//!
//! A parser of certificates says that something is none. To say what it *is*, a PKCS#12 store or a certificate request, takes a
//! look at the tags of its first elements, and such a look must stand what no parser does: files that are cut off, and the
//! lengths without an end that stores made by Java and Windows have.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
#[cfg(feature = "pkcs11")]
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The tag of what is optional and has this number.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One element: what it is, what is in it, and how long it is with its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// Whether all of it is there.
    pub(crate) is_whole: bool,
}

/// The elements that stand one after the other; ends where there is no more, or nothing that is to be read.
#[derive(Debug, Clone)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next one, if it has this tag.
    pub(crate) fn next_if(&mut self, tag: u8) -> Option<&'a [u8]> {
        let element = self.clone().next().filter(|element| element.tag == tag)?;
        self.next();
        Some(element.content)
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&length, rest) = rest.split_first()?;
        let (length, rest) = match length {
            // Without an end: up to where there is nothing more.
            0x80 => (usize::MAX, rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            0..=0x7f => (usize::from(length), rest),
            _ => return None,
        };
        let (content, rest) = rest.split_at(length.min(rest.len()));
        self.0 = rest;
        Some(Element { tag, content, is_whole: content.len() == length })
    }
}

/// An element made of these parts.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut element = vec![tag];
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    match *length {
        [] => element.push(0),
        [short @ 0..=0x7f] => element.push(short),
        _ => {
            element.push(0x80 | length.len() as u8);
            element.extend_from_slice(length);
        }
    }
    element.extend_from_slice(&content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let made = element(OCTET_STRING, &[&vec![7; length]]);
            let mut elements = Elements::of(&made);
            let read = elements.next().unwrap();
            assert_eq!((read.tag, read.content.len(), read.is_whole), (OCTET_STRING, length, true));
            assert!(elements.next().is_none() && elements.rest().is_empty());
        }
    }

    #[test]
    fn what_is_cut_off_or_has_no_end_is_read_as_far_as_it_goes() {
        for bytes in [&[0x30, 0x82, 0xff, 0, 1][..], &[0x30, 0x80, 1]] {
            let element = Elements::of(bytes).next().unwrap();
            assert_eq!((element.tag, element.content, element.is_whole), (SEQUENCE, &[1][..], false));
        }
        for bytes in [&[][..], &[0x30], &[0x30, 0x82, 1], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 0xff]] {
            assert!(Elements::of(bytes).next().is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn an_element_is_taken_only_if_it_is_what_is_wanted() {
        let made = [element(INTEGER, &[&[1]]), element(SEQUENCE, &[])].concat();
        let mut elements = Elements::of(&made);
        assert_eq!(elements.next_if(SEQUENCE), None);
        assert_eq!(elements.next_if(INTEGER), Some(&[1][..]));
        assert_eq!(elements.next_if(SEQUENCE), Some(&[][..]));
        assert_eq!(elements.next_if(SEQUENCE), None);
    }
}
