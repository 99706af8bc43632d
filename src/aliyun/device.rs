//! A product key with a newline from a text file, a client id that is too long: the platform answers both with "param
//! error" and names no field. So identifiers are checked once, here, before anything is built from them.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::endpoint::Endpoint;
use crate::http::Request;
use crate::platform::ConfigurationProblem as Problem;
use crate::secret::Secret;

use super::{SignMethod, auth_request, sign, signing_content};

/// The documented limit of a client id, in characters.
const MAX_CLIENT_ID: usize = 64;

/// Who reports, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub(super) endpoint: Endpoint,
    pub(super) product_key: String,
    pub(super) device_name: String,
    pub(super) client_id: String,
}

impl Device {
    /// Checks the identifiers. Without a client id it is `<product key>.<device name>`, cut to 64 characters.
    pub fn new(
        endpoint: Endpoint,
        product_key: &str,
        device_name: &str,
        client_id: Option<&str>,
    ) -> Result<Self, Problem> {
        check("product key", product_key)?;
        check("device name", device_name)?;
        let client_id = match client_id {
            Some(client_id) => client_id.to_owned(),
            None => [product_key, ".", device_name].concat().chars().take(MAX_CLIENT_ID).collect(),
        };
        check("client id", &client_id)?;
        if client_id.chars().nth(MAX_CLIENT_ID).is_some() {
            return Err(Problem::ClientIdTooLong);
        }
        Ok(Self { endpoint, product_key: product_key.to_owned(), device_name: device_name.to_owned(), client_id })
    }
}

/// Whether the authentication request carries the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampPolicy {
    /// No: a wrong clock then does no harm.
    None,
    /// Yes: the platform refuses a request that is 15 minutes off.
    Now,
}

/// A device and how it signs.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) device: Device,
    pub(super) device_secret: Secret,
    pub(super) sign_method: SignMethod,
    pub(super) timestamp: TimestampPolicy,
}

impl Config {
    /// Checks the secret as well; it is used for signing only.
    pub fn new(
        device: Device,
        device_secret: &str,
        sign_method: SignMethod,
        timestamp: TimestampPolicy,
    ) -> Result<Self, Problem> {
        check("device secret", device_secret)?;
        Ok(Self { device, device_secret: Secret::new(device_secret), sign_method, timestamp })
    }

    /// Who reports, and where.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The signed request for a token.
    pub(crate) fn auth_request(&self, now_unix_ms: u64) -> Request {
        let timestamp_ms = match self.timestamp {
            TimestampPolicy::None => None,
            TimestampPolicy::Now => Some(now_unix_ms),
        };
        let Device { client_id, device_name, product_key, .. } = &self.device;
        let content = signing_content(client_id, device_name, product_key, timestamp_ms);
        let signature = sign(self.sign_method, self.device_secret.reveal(), &content);
        auth_request(&self.device, self.sign_method, timestamp_ms, &signature)
    }
}

fn check(option: &'static str, value: &str) -> Result<(), Problem> {
    if value.is_empty() {
        return Err(Problem::Empty(option));
    }
    let is_outside = |character: Option<char>| character.is_some_and(char::is_whitespace);
    let mut characters = value.chars();
    if value.chars().any(char::is_control) || is_outside(characters.next()) || is_outside(characters.next_back()) {
        return Err(Problem::WhiteSpace(option));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(product_key: &str, device_name: &str, client_id: Option<&str>) -> Result<Device, Problem> {
        Device::new(Endpoint::new("a.example", 443).unwrap(), product_key, device_name, client_id)
    }

    #[test]
    fn an_identifier_with_white_space_around_it_is_refused_by_name() {
        assert_eq!(device("\npk", "dn", None), Err(Problem::WhiteSpace("product key")));
        assert_eq!(device("pk", "", None), Err(Problem::Empty("device name")));
        assert_eq!(device("pk", "dn", Some("")), Err(Problem::Empty("client id")));
        let device = device("pk", "dn", None).unwrap();
        let config = Config::new(device, "secret\n", SignMethod::HmacMd5, TimestampPolicy::None);
        assert_eq!(config.unwrap_err(), Problem::WhiteSpace("device secret"));
    }

    #[test]
    fn a_client_id_has_up_to_64_characters() {
        assert!(device("pk", "dn", Some(&"ä".repeat(64))).is_ok());
        assert_eq!(device("pk", "dn", Some(&"a".repeat(65))), Err(Problem::ClientIdTooLong));
    }

    #[test]
    fn the_client_id_of_a_long_device_name_is_cut() {
        assert_eq!(device("pk", "dn", None).unwrap().client_id, "pk.dn");
        assert_eq!(device("pk", &"d".repeat(80), None).unwrap().client_id.len(), 64);
    }

    #[test]
    fn debug_output_does_not_show_the_device_secret() {
        let device = device("pk", "dn", None).unwrap();
        let config = Config::new(device, "hunter2", SignMethod::HmacMd5, TimestampPolicy::None).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
