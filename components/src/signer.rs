//! The signer that is not the component: the host, asked through the interface `signer`.
//!
//! Of every component whose world imports `signer`.

use alloc::string::String;

use thingpost::{SignMethod, Signing};

use crate::bindings::thingpost::iot::signer::{self, Method, Proof};

/// Has the host sign, where nothing but a signature will do.
pub fn signature(signing: &Signing) -> Result<String, String> {
    match sign(signing)? {
        Proof::Signature(signature) => Ok(signature),
        Proof::Credential(_) => Err("the host has a credential for what needs a signature".into()),
    }
}

/// Has the host sign, or hand out what another process has obtained.
pub fn sign(signing: &Signing) -> Result<Proof, String> {
    let method = match signing.method {
        SignMethod::HmacMd5 => Method::HmacMd5,
        SignMethod::HmacSha1 => Method::HmacSha1,
        SignMethod::HmacSha256 => Method::HmacSha256,
    };
    signer::sign(&signing.group, &signing.device, method, &signing.content)
}
