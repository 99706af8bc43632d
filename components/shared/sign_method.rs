//! How to sign, at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use thingpost::aliyun::SignMethod;

use crate::bindings::exports::thingpost::iot::types as wit;

pub(crate) fn sign_method(method: wit::SignMethod) -> SignMethod {
    match method {
        wit::SignMethod::HmacMd5 => SignMethod::HmacMd5,
        wit::SignMethod::HmacSha1 => SignMethod::HmacSha1,
        wit::SignMethod::HmacSha256 => SignMethod::HmacSha256,
    }
}
