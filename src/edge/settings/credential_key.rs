//! Under which name a device's credential is kept where others can list the names. It tells nothing, and it is another one as
//! soon as anything changes that the credential was obtained with: a new secret must not find the token of the old one.

use alloc::string::String;

use crate::aliyun::{self, SignMethod};

/// The name for a device of whom this is known, with the secret that it authenticates with, if that is not the host's.
pub(super) fn credential_key(known: &[&str], secret: &str) -> String {
    // What is between them is in none of them.
    let content = known.join("\0");
    ["thingpost-", &aliyun::sign(SignMethod::HmacSha256, secret, &content)].concat()
}
