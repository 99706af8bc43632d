//! Hashes, and the blocks of RSA that are made of them.

use rustls::crypto::SecureRandom;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::x509::der::{NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, element};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn of(self, parts: &[&[u8]]) -> Vec<u8> {
        fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut digest = D::new();
            for part in parts {
                digest.update(part);
            }
            digest.finalize().to_vec()
        }
        match self {
            Self::Sha256 => digest::<Sha256>(parts),
            Self::Sha384 => digest::<Sha384>(parts),
            Self::Sha512 => digest::<Sha512>(parts),
        }
    }

    /// In bytes.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The content of its object identifier, all of which are of NIST (`2.16.840.1.101.3.4.2`).
    fn number(self) -> [u8; 9] {
        let last = match self {
            Self::Sha256 => 1,
            Self::Sha384 => 2,
            Self::Sha512 => 3,
        };
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last]
    }

    /// The hash with the name of its algorithm (RFC 8017, 9.2).
    pub(super) fn digest_info(self, message: &[u8]) -> Vec<u8> {
        let identifier = element(SEQUENCE, &[&element(OBJECT_IDENTIFIER, &[&self.number()]), &element(NULL, &[])]);
        element(SEQUENCE, &[&identifier, &element(OCTET_STRING, &[&self.of(&[message])])])
    }

    /// A block as long as the key, by EMSA-PKCS1-v1_5 (RFC 8017, 9.2), if the key is long enough.
    pub(super) fn pad_pkcs1(self, message: &[u8], bits: usize) -> Option<Vec<u8>> {
        let info = self.digest_info(message);
        let padding = bits.div_ceil(8).checked_sub(info.len() + 3).filter(|length| *length >= 8)?;
        Some([&[0, 1], &vec![0xff; padding][..], &[0], &info].concat())
    }

    /// A block as long as the key, by EMSA-PSS (RFC 8017, 9.1.1), with a salt as long as the hash.
    pub(super) fn pad_pss(self, message: &[u8], bits: usize, random: &dyn SecureRandom) -> Option<Vec<u8>> {
        let mut salt = vec![0; self.length()];
        random.fill(&mut salt).ok()?;
        let hash = self.of(&[&[0; 8], &self.of(&[message]), &salt]);
        // The highest bit of the key is none of the block.
        let used_bits = bits.checked_sub(1)?;
        let length = used_bits.div_ceil(8);
        let padding = length.checked_sub(2 * self.length() + 2)?;
        let mut block = [&vec![0; padding][..], &[1], &salt].concat();
        let mask = self.mask(&hash, block.len());
        for (byte, mask) in block.iter_mut().zip(mask) {
            *byte ^= mask;
        }
        block[0] &= 0xff >> (8 * length - used_bits);
        block.extend_from_slice(&hash);
        block.push(0xbc);
        let in_front = bits.div_ceil(8) - block.len();
        Some([&vec![0; in_front], &block[..]].concat())
    }

    /// MGF1 (RFC 8017, B.2.1).
    fn mask(self, seed: &[u8], length: usize) -> Vec<u8> {
        let blocks = (0..length.div_ceil(self.length()) as u32).flat_map(|n| self.of(&[seed, &n.to_be_bytes()]));
        blocks.take(length).collect()
    }
}
