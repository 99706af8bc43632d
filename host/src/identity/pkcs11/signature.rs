//! Signatures as tokens hand them over, made into those of TLS.

use crate::x509::der::{Elements, INTEGER, SEQUENCE, element};

/// Of ECDSA: two numbers side by side, of which TLS wants a structure (RFC 3279, 2.2.3). Some libraries make it themselves.
pub(super) fn ecdsa(made: &[u8], size: usize) -> Option<Vec<u8>> {
    if made.len() == 2 * size {
        let (r, s) = made.split_at(size);
        return Some(element(SEQUENCE, &[&unsigned(r), &unsigned(s)]));
    }
    let mut outside = Elements::of(made);
    let structure = outside.next().filter(|element| element.tag == SEQUENCE && element.is_whole)?;
    let mut inside = Elements::of(structure.content);
    let mut is_number = || inside.next().is_some_and(|element| element.tag == INTEGER && element.is_whole);
    let is_structure = is_number() && is_number() && inside.rest().is_empty() && outside.rest().is_empty();
    is_structure.then(|| made.to_vec())
}

/// Of RSA: as long as the key. Some libraries leave out zeros in front.
pub(super) fn rsa(made: &[u8], bits: Option<usize>) -> Option<Vec<u8>> {
    let length = bits.map_or(made.len(), |bits| bits.div_ceil(8));
    let missing = length.checked_sub(made.len())?;
    (!made.is_empty()).then(|| [&vec![0; missing], made].concat())
}

fn unsigned(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count().min(number.len() - 1);
    let number = &number[zeros..];
    let sign: &[u8] = if number[0] & 0x80 == 0 { &[] } else { &[0] };
    element(INTEGER, &[sign, number])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_become_a_structure_of_the_shortest_spelling() {
        for (made, structure) in [
            ([1, 2, 3, 4], &[0x30, 8, 2, 2, 1, 2, 2, 2, 3, 4][..]),
            ([0, 0x80, 0x80, 0], &[0x30, 9, 2, 2, 0, 0x80, 2, 3, 0, 0x80, 0]),
            ([0, 1, 0, 0], &[0x30, 6, 2, 1, 1, 2, 1, 0]),
        ] {
            assert_eq!(ecdsa(&made, 2).unwrap(), structure);
            assert_eq!(ecdsa(structure, 2).unwrap(), structure, "one that is made already");
        }
        for made in
            [&[][..], &[1, 2, 3], &[0x30, 8, 2, 2, 1, 2, 2, 2, 3], &[0x30, 3, 2, 1, 1], &[0x30, 6, 2, 1, 1, 2, 1, 0, 9]]
        {
            assert_eq!(ecdsa(made, 2), None, "{made:?}");
        }
    }

    #[test]
    fn a_signature_of_rsa_is_as_long_as_the_key() {
        assert_eq!(rsa(&[7; 256], Some(2048)).unwrap().len(), 256);
        assert_eq!(rsa(&[7; 255], Some(2048)).unwrap()[..2], [0, 7]);
        assert_eq!(rsa(&[7; 257], Some(2048)), None);
        assert_eq!(rsa(&[7; 256], None).unwrap().len(), 256);
        assert_eq!(rsa(&[], None), None);
    }
}
