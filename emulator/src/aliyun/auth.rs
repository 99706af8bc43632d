//! A device that authenticates wrongly is told 10001 or 20000 and nothing else. Which of the two it is, is the only hint
//! a developer gets, so the emulator must draw the line where the platform does: form first, then identity.

use std::collections::BTreeMap;

use serde_json::Value;

use super::code::{AUTH_CHECK_ERROR, PARAM_ERROR};
use super::registry::{DeviceName, Registry};
use super::sign::{self, Method};
use crate::http1::{Framing, Request};

const MAX_CLIENT_ID_CHARS: usize = 64;
const WINDOW_MS: u64 = 15 * 60 * 1000;

/// The device that has authenticated itself, or the code to answer with.
pub(super) fn check(request: &Request, registry: &Registry, now_ms: u64) -> Result<DeviceName, u32> {
    if request.framing != Framing::Complete || !request.has_content_type("application/json") {
        return Err(PARAM_ERROR);
    }
    let parameters = parameters(&request.body).ok_or(PARAM_ERROR)?;
    let required = |name: &str| parameters.get(name).ok_or(PARAM_ERROR);
    let device = DeviceName::new(required("productKey")?, required("deviceName")?);
    let signature = required("sign")?;
    if required("clientId")?.chars().count() > MAX_CLIENT_ID_CHARS {
        return Err(PARAM_ERROR);
    }
    let method = match parameters.get("signmethod") {
        None => Method::Md5,
        Some(name) => Method::from_name(name).ok_or(PARAM_ERROR)?,
    };
    if let Some(timestamp) = parameters.get("timestamp") {
        let timestamp: u64 = timestamp.parse().map_err(|_| PARAM_ERROR)?;
        if timestamp.abs_diff(now_ms) > WINDOW_MS {
            return Err(AUTH_CHECK_ERROR);
        }
    }
    let secret = registry.secret(&device).ok_or(AUTH_CHECK_ERROR)?;
    if !sign::is_right(method, &secret.0, &sign::content(&parameters, sign::UNSIGNED_OF_AUTH), signature) {
        return Err(AUTH_CHECK_ERROR);
    }
    Ok(device)
}

/// The device that a request names, be it right or wrong.
pub(super) fn named(request: &Request) -> Option<DeviceName> {
    let parameters = parameters(&request.body)?;
    Some(DeviceName::new(parameters.get("productKey")?, parameters.get("deviceName")?))
}

/// The fields of a flat JSON object as they enter the signature. Only the time stamp may be a number; that its digits
/// are signed as they were sent is why this is a type of its own and not a struct with a number in it.
fn parameters(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return None;
    };
    fields
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) if name == "timestamp" => Some((name, number.to_string())),
            _ => None,
        })
        .collect()
}
