//! Trace ids and tokens must differ between calls and between runs: two equal ids in a ledger would make a doubled
//! message look like a single one. They need not be secret; the emulator is not reachable from outside.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// Bytes that no other call in this or, most likely, any other process returns.
pub(crate) fn unique_bytes() -> [u8; 32] {
    static PROCESS: LazyLock<[u64; 2]> = LazyLock::new(|| {
        let random = || RandomState::new().hash_one("thingpost");
        [random(), random()]
    });
    static CALLS: AtomicU64 = AtomicU64::new(0);

    let mut hash = Sha256::new();
    hash.update(PROCESS[0].to_le_bytes());
    hash.update(PROCESS[1].to_le_bytes());
    hash.update(CALLS.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    hash.finalize().into()
}

/// A version 4 UUID in lower case.
pub(crate) fn uuid() -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&unique_bytes()[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_the_length_that_the_captured_answer_depends_on() {
        let uuid = uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert_ne!(uuid, super::uuid());
    }
}
