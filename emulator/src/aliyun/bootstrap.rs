//! A device that may be moved between regions and instances asks one host that never moves where its own is. The
//! question is in the official SDK and the answer in no document, so what stands here is a reading of that SDK: it
//! looks for a `host` and a `port` anywhere in the answer.

use serde_json::{Value, json};

use super::cloud::State;
use super::code::iot_auth::{DEVICE_NOT_FOUND, PARAM_ERROR, PRODUCT_NOT_FOUND};
use super::form;
use super::registry::DeviceName;
use crate::http1::Request;

/// Where the device that a request names belongs, or the code to answer with. No signature is needed for that. The
/// codes are documented for what they say, though not for this door.
pub(super) fn find(request: &Request, state: &State) -> Result<Value, u32> {
    let parameters = form::parameters(request).ok_or(PARAM_ERROR)?;
    let required = |name: &str| form::required(&parameters, name).ok_or(PARAM_ERROR);
    let device = DeviceName::new(required("productKey")?, required("deviceName")?);
    if !state.registry.has_product(&device.product_key) {
        return Err(PRODUCT_NOT_FOUND);
    }
    if !state.registry.has_device(&device) {
        return Err(DEVICE_NOT_FOUND);
    }
    // Of the shape that /auth/devicename documents for the same thing.
    Ok(json!({ "resources": state.mqtt.resources(&device.product_key) }))
}
