//! The settings of a device on Aliyun IoT Platform.

use alloc::string::String;

use super::credential_key::credential_key;
use super::error::SettingsErrorKind;
use super::fields::Fields;
use super::scheme;
use crate::aliyun::{Config, Device, Signer, TimestampPolicy};
use crate::config_error::ConfigError;
use crate::endpoint::Endpoint;
use crate::http::Scheme;
use crate::secret::Secret;
use crate::signing::SignMethod;

pub(super) fn take(fields: &mut Fields, scheme: Scheme) -> Result<(Config, String), SettingsErrorKind> {
    let port = super::port(fields, 443)?;
    let endpoint = Endpoint::new(&fields.required("endpoint")?, port).map_err(ConfigError::Endpoint)?;
    scheme::check(scheme, &endpoint)?;
    let (product_key, device_name) = (fields.required("product_key")?, fields.required("device_name")?);
    let (authority, client_id) = (endpoint.authority(), fields.take("client_id"));
    let device = Device::new(endpoint, &product_key, &device_name, client_id.as_deref())?;
    let method = match fields.choice("sign_method", &["hmac-md5", "hmac-sha1", "hmac-sha256"])? {
        Some("hmac-md5") => SignMethod::HmacMd5,
        Some("hmac-sha256") => SignMethod::HmacSha256,
        _ => SignMethod::HmacSha1,
    };
    let timestamp = match fields.choice("timestamp", &["corrected", "now", "none"])? {
        Some("none") => TimestampPolicy::None,
        Some("now") => TimestampPolicy::Now,
        _ => TimestampPolicy::Corrected,
    };
    let secret = Secret::new(fields.required("device_secret")?);
    let known = ["aliyun", &authority, &product_key, &device_name, client_id.as_deref().unwrap_or_default()];
    let key = credential_key(&known, secret.reveal());
    Ok((Config::new(device, Signer::Secret(secret), method, timestamp)?, key))
}
