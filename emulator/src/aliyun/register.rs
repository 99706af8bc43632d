//! A fleet is flashed with one product secret, and each device fetches its own secret by it, once. What goes wrong is
//! told in codes that no other door has, and a device that registers twice before its first use ends up with two
//! secrets of which one is good; so this door has its state, and remembers who came by.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::code::iot_auth::{
    ALREADY_ACTIVE, DEVICE_NOT_FOUND, PARAM_ERROR, PRODUCT_NOT_FOUND, REGISTRATION_OFF, SUCCESS, UNKNOWN_SIGN_METHOD,
    WRONG_SIGNATURE,
};
use super::form;
use super::registry::{DeviceName, Registry};
use super::sign::{self, Method};
use crate::http1::Request;

/// A request to `/auth/register/device` that had all its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliyunRegistration {
    /// Of which product the device says it is.
    pub product_key: String,
    /// What the device says it is called.
    pub device_name: String,
    /// What it has put into its signature so that no two of them are equal. Several clients always send the same.
    pub random: String,
    /// As it was spelt.
    pub sign_method: String,
    /// What it was told: 200 when it got a secret.
    pub code: u32,
}

/// The parameters that are not signed. On this door the method has a capital.
const UNSIGNED: &[&str] = &["sign", "signMethod"];

/// The answer to a device that gets a secret, or the code to answer with.
pub(super) fn register(request: &Request, registry: &mut Registry) -> Result<Value, u32> {
    let parameters = form::parameters(request).ok_or(PARAM_ERROR)?;
    let required = |name: &str| form::required(&parameters, name).ok_or(PARAM_ERROR);
    let device = DeviceName::new(required("productKey")?, required("deviceName")?);
    let (random, sign, sign_method) = (required("random")?, required("sign")?, required("signMethod")?);

    let admitted = admit(&device, &parameters, sign, sign_method, registry);
    registry.registrations.push(AliyunRegistration {
        product_key: device.product_key.clone(),
        device_name: device.device_name.clone(),
        random: random.to_owned(),
        sign_method: sign_method.to_owned(),
        code: admitted.err().unwrap_or(SUCCESS),
    });
    admitted?;
    let secret = registry.issue_secret(&device);
    Ok(json!({
        "deviceName": device.device_name,
        "deviceSecret": secret,
        "productKey": device.product_key,
    }))
}

/// Whether a device gets a secret. The codes are documented, but not which one wins: here nothing is said of a device
/// to a caller that has not proved to know the product's secret. A device that was not registered beforehand has no
/// code of its own either; 6100 is the one for devices that are not found.
fn admit(
    device: &DeviceName,
    parameters: &BTreeMap<String, String>,
    sign: &str,
    sign_method: &str,
    registry: &Registry,
) -> Result<(), u32> {
    let product = registry.product(&device.product_key).ok_or(PRODUCT_NOT_FOUND)?;
    if !product.registration {
        return Err(REGISTRATION_OFF);
    }
    let method = Method::from_any_spelling(sign_method).ok_or(UNKNOWN_SIGN_METHOD)?;
    if !sign::is_right(method, &product.secret.0, &sign::content(parameters, UNSIGNED), sign) {
        return Err(WRONG_SIGNATURE);
    }
    match registry.is_active(device) {
        None => Err(DEVICE_NOT_FOUND),
        Some(true) => Err(ALREADY_ACTIVE),
        Some(false) => Ok(()),
    }
}
