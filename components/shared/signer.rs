//! Who signs where it is not the component: the host.
//!
//! Part of every component whose world imports `signer`.

use alloc::string::String;

use thingpost::aliyun::{SignMethod, Signing};

use crate::bindings::thingpost::iot::signer::{self, Method};

/// Has the host sign.
pub fn sign(signing: &Signing) -> Result<String, String> {
    let method = match signing.method {
        SignMethod::HmacMd5 => Method::HmacMd5,
        SignMethod::HmacSha1 => Method::HmacSha1,
        SignMethod::HmacSha256 => Method::HmacSha256,
    };
    signer::sign(&signing.product_key, &signing.device_name, method, &signing.content)
}
