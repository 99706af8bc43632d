//! How to sign, at the border.

use thingpost::SignMethod;

use crate::bindings::exports::thingpost::iot::types as wit;

pub fn sign_method(method: wit::SignMethod) -> SignMethod {
    match method {
        wit::SignMethod::HmacMd5 => SignMethod::HmacMd5,
        wit::SignMethod::HmacSha1 => SignMethod::HmacSha1,
        wit::SignMethod::HmacSha256 => SignMethod::HmacSha256,
    }
}
