//! A device without an access key of its own gets one for a while: its certificate is worth a role, and the role a key
//! that ends. What a client makes of the end can only be tried with keys that end by a clock a test can move, or that
//! are revoked before.

use std::collections::HashMap;
use std::time::Duration;

use super::access_key::AccessKey;
use crate::base64;
use crate::unique::unique_bytes;

/// The role aliases of an account, and the keys that were issued for them.
#[derive(Default)]
pub(super) struct Roles {
    lifetimes: HashMap<String, Duration>,
    issued: HashMap<String, IssuedKey>,
    count: usize,
}

/// An access key that was issued for a role alias.
pub(super) struct IssuedKey {
    pub(super) key: AccessKey,
    /// Its holder as the policies know it.
    pub(super) alias: String,
    /// Seconds since 1970.
    pub(super) expires: u64,
}

impl Roles {
    /// Replaces one of the same name. Keys that were issued for it stay as they are.
    pub(super) fn add(&mut self, alias: &str, lifetime: Duration) {
        self.lifetimes.insert(alias.to_owned(), lifetime);
    }

    /// A new key, or nothing for an alias that is not known.
    pub(super) fn issue(&mut self, alias: &str, now: u64) -> Option<&IssuedKey> {
        let lifetime = self.lifetimes.get(alias)?.as_secs();
        let key = new_key();
        let issued = IssuedKey { alias: alias.to_owned(), expires: now.saturating_add(lifetime), key };
        self.count += 1;
        Some(self.issued.entry(issued.key.access_key_id.clone()).insert_entry(issued).into_mut())
    }

    pub(super) fn issued(&self, access_key_id: &str) -> Option<&IssuedKey> {
        self.issued.get(access_key_id)
    }

    /// Forgets the keys that were issued so far.
    pub(super) fn revoke_all(&mut self) {
        self.issued.clear();
    }

    /// How many keys were issued, revoked ones included.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

/// Of the forms that AWS's temporary keys have.
fn new_key() -> AccessKey {
    let session_token = [unique_bytes(), unique_bytes(), unique_bytes()].concat();
    AccessKey {
        access_key_id: format!("ASIA{}", hex::encode_upper(&unique_bytes()[..8])),
        secret_access_key: base64::encode(&unique_bytes()[..30]),
        session_token: Some(format!("IQoJb3JpZ2luX2Vj{}", base64::encode(&session_token[..94]))),
    }
}
