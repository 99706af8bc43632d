//! Who signs where it is not the component: the host.

use alloc::string::String;

use thingpost::aliyun::{SignMethod, Signing};
use thingpost::{ConfigurationProblem, Platform};

use crate::bindings::thingpost::iot::signer::{self, Method};

/// Every configuration will do.
pub fn check(_: &Platform) -> Result<(), ConfigurationProblem> {
    Ok(())
}

/// Has the host sign.
pub fn sign(signing: &Signing) -> Result<String, String> {
    let method = match signing.method {
        SignMethod::HmacMd5 => Method::HmacMd5,
        SignMethod::HmacSha1 => Method::HmacSha1,
        SignMethod::HmacSha256 => Method::HmacSha256,
    };
    signer::sign(&signing.product_key, &signing.device_name, method, &signing.content)
}
