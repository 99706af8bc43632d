//! What an edge function is told: where to publish, and as whom. Hosts hand settings over in many ways (a header, a store of
//! names and values, variables), so there is one form for all: names in lower snake case, which every host takes, and
//! texts.
//!
//! | name | what it is |
//! |---|---|
//! | `platform` | `aws` or `aliyun`; without it `endpoint` decides nothing, and it is missed |
//! | `endpoint`, `port` | where the platform takes messages; the port is 443, and 8443 for a certificate on AWS |
//! | `scheme` | `https` (the default), or `http` for a stand-in of the platform on this machine |
//! | `token` | what callers have to show as bearer token; without it everyone may publish who reaches the function |
//! | `timeout_ms` | how long a message may take, 30000 |
//! | `auth` (AWS) | `certificate`, which the host has (the default), `sigv4`, `authorizer` or `role-alias` |
//! | `access_key_id`, `secret_access_key`, `session_token`, `region` (AWS) | for `sigv4`; the region is in most endpoints |
//! | `authorizer_name`, `authorizer_token_name`, `authorizer_token`, `authorizer_signature` (AWS) | for `authorizer` |
//! | `credentials_endpoint`, `credentials_port`, `role_alias`, `thing_name` (AWS) | for `role-alias`; the port is 443 |
//! | `product_key`, `device_name`, `device_secret`, `client_id` (Aliyun) | who the device is |
//! | `sign_method` (Aliyun) | `hmac-md5`, `hmac-sha1` (the default) or `hmac-sha256` |
//! | `timestamp` (Aliyun) | `corrected` (the default), `now` or `none` |
//! | `devices` | further devices, as JSON: `[{"name":"pump-1","platform":"aliyun",..},..]` |
//! | `bucket` | the bucket of the key-value store that keeps tokens; without it the default one |
//!
//! What is above `devices` belongs to the default device, and is not there where there is none.

mod aliyun;
mod aws;
mod credential_key;
mod error;
mod fields;
mod header;
mod scheme;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use self::error::SettingsError;
use self::error::SettingsErrorKind;
use self::fields::Fields;
use super::head::Publication;
use super::refusal::Refusal;
use crate::exchange::Options;
use crate::http::Scheme;
use crate::platform::Platform;
use crate::secret::Secret;

/// All settings of an edge function.
#[derive(Debug)]
pub struct Settings {
    devices: Vec<Device>,
    bucket: String,
}

/// A device that messages are published for.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its name in paths; the default device may have none.
    pub name: Option<String>,
    /// Where it publishes, and as whom.
    pub platform: Arc<dyn Platform>,
    /// What its callers have to show.
    pub token: Option<Secret>,
    /// How patient its exchanges are.
    pub options: Options,
    /// What its messages travel over.
    pub scheme: Scheme,
    /// Under which name a credential that it obtains can be kept. The name itself tells nothing. `None` where it
    /// obtains none.
    pub credential_key: Option<String>,
    is_default: bool,
}

impl Settings {
    /// Reads settings that are one object in JSON. There is nothing else in it, so a name that is not known is a mistake.
    ///
    /// # Errors
    ///
    /// It is none, or a setting is missing, wrong or unknown.
    pub fn from_json(json: &str) -> Result<Self, SettingsError> {
        let mut fields =
            Fields::of_object(json).ok_or_else(|| SettingsError::new(None, SettingsErrorKind::NotAnObject))?;
        let settings = Self::take(&mut fields)?;
        fields.finish().map_err(|problem| SettingsError::new(None, problem))?;
        Ok(settings)
    }

    /// Reads settings from a store of names and values, in which there may be others as well.
    ///
    /// # Errors
    ///
    /// A setting is missing or wrong.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        Self::take(&mut Fields::of_pairs(pairs))
    }

    fn take(fields: &mut Fields) -> Result<Self, SettingsError> {
        let bucket = fields.take("bucket").unwrap_or_default();
        let further = fields.take("devices");
        if !fields.has("platform")
            && let Some(stray) = OF_A_DEVICE.into_iter().find(|name| fields.has(name))
            && further.is_some()
        {
            // A token that is passed over leaves open what it was to close.
            return Err(SettingsError::new(None, SettingsErrorKind::NoDefault(stray)));
        }
        let mut devices = Vec::new();
        if further.is_none() || fields.has("platform") {
            devices.push(Device::take(fields, true).map_err(|problem| SettingsError::new(None, problem))?);
        }
        for mut fields in further.as_deref().map(list).transpose()?.unwrap_or_default() {
            let name = fields.get("name").map(str::to_owned);
            let of_it = |problem| SettingsError::new(name.clone(), problem);
            let device = Device::take(&mut fields, false).map_err(of_it)?;
            fields.finish().map_err(of_it)?;
            match &device.name {
                None => return Err(of_it(SettingsErrorKind::Missing("name"))),
                twice if devices.iter().any(|other| other.name == *twice) => {
                    return Err(of_it(SettingsErrorKind::Twice));
                }
                Some(_) => devices.push(device),
            }
        }
        match devices.is_empty() {
            true => Err(SettingsError::new(None, SettingsErrorKind::Missing("platform"))),
            false => Ok(Self { devices, bucket }),
        }
    }

    /// The device of a publication.
    ///
    /// # Errors
    ///
    /// There is none of this name, or no default.
    pub fn device(&self, publication: &Publication) -> Result<&Device, Refusal> {
        let is_wanted = |device: &&Device| match &publication.device {
            Some(_) => device.name == publication.device,
            None => device.is_default,
        };
        self.devices.iter().find(is_wanted).ok_or_else(|| Refusal::NoSuchDevice(publication.device.clone()))
    }

    /// The names of all settings, for a store that does not list what it has.
    pub fn names() -> impl Iterator<Item = &'static str> {
        OF_A_DEVICE.into_iter().chain(["platform", "devices", "bucket"])
    }

    /// The bucket that keeps tokens.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }
}

/// What is a setting of one device.
const OF_A_DEVICE: [&str; 25] = [
    "token",
    "endpoint",
    "port",
    "scheme",
    "timeout_ms",
    "auth",
    "region",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "authorizer_name",
    "authorizer_token_name",
    "authorizer_token",
    "authorizer_signature",
    "credentials_endpoint",
    "credentials_port",
    "role_alias",
    "thing_name",
    "product_key",
    "device_name",
    "device_secret",
    "client_id",
    "sign_method",
    "timestamp",
    "name",
];

/// A port, or this one.
fn port(fields: &mut Fields, default: u16) -> Result<u16, SettingsErrorKind> {
    let port = fields.number("port", 1..=u16::MAX.into())?;
    Ok(port.and_then(|port| u16::try_from(port).ok()).unwrap_or(default))
}

/// The objects of `devices`.
fn list(json: &str) -> Result<Vec<Fields>, SettingsError> {
    Fields::of_list(json).ok_or_else(|| SettingsError::new(None, SettingsErrorKind::NotAList))
}

impl Device {
    fn take(fields: &mut Fields, is_default: bool) -> Result<Self, SettingsErrorKind> {
        let name = fields.take("name").filter(|name| !name.is_empty());
        let token = fields.take("token").map(Secret::new);
        if token.as_ref().is_some_and(|token| token.reveal().is_empty()) {
            return Err(SettingsErrorKind::Rule("token", "it is empty, and an empty token keeps nobody out"));
        }
        let timeout_ms = fields.number("timeout_ms", 1..=3_600_000)?;
        let defaults = Options::default();
        let options = Options { timeout_ms: timeout_ms.unwrap_or(defaults.timeout_ms), ..defaults };
        let scheme = scheme::take(fields)?;
        let (platform, credential_key): (Arc<dyn Platform>, _) =
            match fields.choice("platform", &["aws", "aliyun"])?.ok_or(SettingsErrorKind::Missing("platform"))? {
                "aws" => {
                    let config = aws::take(fields, scheme)?;
                    let key = aws::credential_key(&config);
                    (Arc::new(config), key)
                }
                _ => {
                    let (config, key) = aliyun::take(fields, scheme)?;
                    (Arc::new(config), Some(key))
                }
            };
        Ok(Self { name, platform, token, options, scheme, credential_key, is_default })
    }
}
