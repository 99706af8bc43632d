//! `/auth/devicename` looks like `/auth` and is not: it takes a form, never looks at the time stamp, numbers its errors
//! in another way, and what it gives is good for MQTT alone. Clients have mixed the two up, so both are here.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::cloud::State;
use super::code::iot_auth::{AUTH_ERROR, META_DEVICE_NOT_FOUND, PARAM_ERROR};
use super::form;
use super::registry::DeviceName;
use super::sign::{self, Method};
use crate::http1::Request;
use crate::unique::unique_bytes;

/// The parameters that are not signed: those of `/auth`, and which resources are asked for.
const UNSIGNED: &[&str] = &["version", "sign", "signmethod", "resources"];

/// What a device needs for MQTT, or the code to answer with. It does not make the device active: that is left to the
/// MQTT connection, which is not emulated.
pub(super) fn prepare(request: &Request, state: &State) -> Result<Value, u32> {
    let parameters = form::parameters(request).ok_or(PARAM_ERROR)?;
    let required = |name: &str| form::required(&parameters, name).ok_or(PARAM_ERROR);
    let device = DeviceName::new(required("productKey")?, required("deviceName")?);
    let signature = required("sign")?;
    required("clientId")?;
    let method = match parameters.get("signmethod") {
        None => Method::Md5,
        Some(name) => Method::from_name(name).ok_or(PARAM_ERROR)?,
    };
    if !state.registry.has_device(&device) {
        return Err(META_DEVICE_NOT_FOUND);
    }
    let secret = state.registry.secret(&device).ok_or(AUTH_ERROR)?;
    if !sign::is_right(method, &secret.0, &sign::content(&parameters, UNSIGNED), signature) {
        return Err(AUTH_ERROR);
    }
    Ok(json!({
        "iotId": iot_id(&device),
        "iotToken": hex::encode(&unique_bytes()[..16]),
        "resources": state.mqtt.resources(&device.product_key),
    }))
}

/// What the platform calls a device: always the same, and 20 characters long as in the documentation.
fn iot_id(device: &DeviceName) -> String {
    let mut hash = Sha256::new();
    hash.update(&device.product_key);
    hash.update([0]);
    hash.update(&device.device_name);
    hex::encode(hash.finalize())[..20].to_owned()
}
