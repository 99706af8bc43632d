//! A product key with a newline from a text file, a client id that is too long: the platform answers both with "param
//! error" and names no field. So identifiers are checked once, here, before anything is built from them.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::config_error::ConfigError as Problem;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::http::{Request, Response};
use crate::secret::Secret;
use crate::signing::{NotSigned, Signing};

use super::{
    MqttCredentials, SignMethod, auth_request, lint, mqtt_auth_request, read_mqtt_auth_response, sign, signing_content,
};

/// The documented limit of a client id, in characters.
const MAX_CLIENT_ID: usize = 64;

/// A device, and where it reports to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub(super) endpoint: Endpoint,
    pub(super) product_key: String,
    pub(super) device_name: String,
    pub(super) client_id: String,
}

impl Device {
    /// Checks the identifiers. Without a client id it is `<product key>.<device name>`, cut to 64 characters.
    ///
    /// # Errors
    ///
    /// A product key, device name or client id that is empty, too long, or has characters that identifiers do not have.
    pub fn new(
        endpoint: Endpoint,
        product_key: &str,
        device_name: &str,
        client_id: Option<&str>,
    ) -> Result<Self, Problem> {
        check_identity(product_key, device_name)?;
        let client_id = match client_id {
            Some(client_id) => client_id.to_owned(),
            None => [product_key, ".", device_name].concat().chars().take(MAX_CLIENT_ID).collect(),
        };
        check("client id", &client_id)?;
        // As the console and the calculators of passwords show it, ready for an MQTT client. Signed as it is, it is another
        // client, or none.
        if let Some((bare, _)) = client_id.split_once('|') {
            return Err(Problem::ClientIdWithParameters(bare.to_owned()));
        }
        if client_id.chars().nth(MAX_CLIENT_ID).is_some() {
            return Err(Problem::ClientIdTooLong);
        }
        Ok(Self { endpoint, product_key: product_key.to_owned(), device_name: device_name.to_owned(), client_id })
    }
}

impl Device {
    /// What the device signs with this method and, if one is given, this timestamp.
    pub(super) fn signing(&self, method: SignMethod, timestamp_ms: Option<u64>) -> Signing {
        Signing {
            group: self.product_key.clone(),
            device: self.device_name.clone(),
            method,
            content: signing_content(&self.client_id, &self.device_name, &self.product_key, timestamp_ms),
            timestamp_ms,
            is_by_platform_clock: false,
        }
    }
}

/// Whether the authentication request carries the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampPolicy {
    /// No: a wrong clock then does no harm.
    None,
    /// Yes: the platform refuses a request that is 15 minutes off.
    Now,
    /// Yes; and when the platform refuses it and the `date` of its answer shows that the clock is wrong, once more with
    /// the time of the platform.
    Corrected,
}

/// What signs for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The exchange itself, with the secret of the device.
    Secret(Secret),
    /// A holder of the secret outside, which does not give it away.
    External,
}

/// A device and how it signs.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) device: Device,
    pub(super) signer: Signer,
    pub(super) sign_method: SignMethod,
    pub(super) timestamp: TimestampPolicy,
}

impl Config {
    /// Checks the secret as well, if there is one; it is used for signing only.
    ///
    /// # Errors
    ///
    /// A device secret that is empty, or has control characters in it or blanks around it.
    pub fn new(
        device: Device,
        signer: Signer,
        sign_method: SignMethod,
        timestamp: TimestampPolicy,
    ) -> Result<Self, Problem> {
        if let Signer::Secret(secret) = &signer {
            check("device secret", secret.reveal())?;
        }
        Ok(Self { device, signer, sign_method, timestamp })
    }

    /// What an answer must not give away, if it is known here.
    pub(crate) fn secret(&self) -> Option<&str> {
        match &self.signer {
            Signer::Secret(secret) => Some(secret.reveal()),
            Signer::External => None,
        }
    }

    /// Whether a wrong clock is corrected by that of the platform.
    pub(crate) fn corrects_clock(&self) -> bool {
        self.timestamp == TimestampPolicy::Corrected
    }

    /// The device, and where it reports to.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What is to be signed at this time.
    pub(crate) fn signing(&self, now_unix_ms: u64) -> Signing {
        let timestamp_ms = match self.timestamp {
            TimestampPolicy::None => None,
            TimestampPolicy::Now | TimestampPolicy::Corrected => Some(now_unix_ms),
        };
        self.device.signing(self.sign_method, timestamp_ms)
    }

    /// The signature, if it is we who sign.
    pub(crate) fn sign(&self, signing: &Signing) -> Option<String> {
        match &self.signer {
            Signer::Secret(secret) => Some(sign(signing.method, secret.reveal(), &signing.content)),
            Signer::External => None,
        }
    }

    /// Whether the signature comes from outside.
    pub(crate) fn is_signed_externally(&self) -> bool {
        self.signer == Signer::External
    }

    /// The request for credentials for MQTT at this time, and the signature in it, which is good for ever where no time is
    /// sent. `sign` is for those who have left that to another party.
    ///
    /// # Errors
    ///
    /// What `sign` says when it does not sign.
    pub fn mqtt_auth_request(
        &self,
        now_unix_ms: u64,
        sign: impl FnOnce(&Signing) -> Result<String, NotSigned>,
    ) -> Result<(Request, Secret), Error> {
        let signing = self.signing(now_unix_ms);
        let signature = match self.sign(&signing) {
            Some(signature) => signature,
            None => sign(&signing).map_err(Error::not_signed)?,
        };
        let request = mqtt_auth_request(&self.device, signing.method, signing.timestamp_ms, &signature);
        Ok((request, Secret::new(signature)))
    }

    /// The credentials for MQTT in the answer. An error gives away neither the secret, if it is known here, nor the
    /// signature of the request.
    ///
    /// # Errors
    ///
    /// What the platform refused, or why its answer cannot be read.
    pub fn read_mqtt_auth_response(&self, response: &Response, signature: &Secret) -> Result<MqttCredentials, Error> {
        let secrets = || self.secret().into_iter().chain([signature.reveal()]);
        read_mqtt_auth_response(response).map_err(|error| error.without(secrets()))
    }

    /// The signed request for a token.
    pub(crate) fn auth_request(&self, signing: &Signing, signature: &str) -> Request {
        auth_request(&self.device, signing.method, signing.timestamp_ms, signature)
    }
}

/// Refuses what the platform has never given out.
pub(super) fn check_identity(product_key: &str, device_name: &str) -> Result<(), Problem> {
    check("product key", product_key)?;
    check("device name", device_name)?;
    if !lint::is_product_key(product_key) {
        return Err(Problem::Malformed("product key"));
    }
    match lint::is_device_name(device_name) {
        true => Ok(()),
        false => Err(Problem::Malformed("device name")),
    }
}

pub(super) fn check(option: &'static str, value: &str) -> Result<(), Problem> {
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
    fn an_answer_that_quotes_the_secret_does_not_give_it_away() {
        let device = device("pk", "dn", None).unwrap();
        let signer = Signer::Secret(Secret::new("hunter2hunter2"));
        let config = Config::new(device, signer, SignMethod::HmacMd5, TimestampPolicy::None).unwrap();
        let (_, signature) = config.mqtt_auth_request(0, |_| unreachable!("it signs itself")).unwrap();
        let body =
            format!(r#"{{"code":6221,"message":"not hunter2hunter2, not {}"}}"#, signature.reveal()).into_bytes();
        let response = Response { status: 200, headers: vec![], body };
        let error = config.read_mqtt_auth_response(&response, &signature).unwrap_err();
        assert_eq!(error.answer.unwrap().message.as_deref(), Some("not (hidden), not (hidden)"));
    }

    #[test]
    fn an_identifier_with_white_space_around_it_is_refused_by_name() {
        assert_eq!(device("\npk", "dn", None), Err(Problem::WhiteSpace("product key")));
        assert_eq!(device("pk", "", None), Err(Problem::Empty("device name")));
        assert_eq!(device("pk", "dn", Some("")), Err(Problem::Empty("client id")));
        let device = device("pk", "dn", None).unwrap();
        let config =
            Config::new(device, Signer::Secret(Secret::new("secret\n")), SignMethod::HmacMd5, TimestampPolicy::None);
        assert_eq!(config.unwrap_err(), Problem::WhiteSpace("device secret"));
    }

    #[test]
    fn a_client_id_has_up_to_64_characters() {
        assert!(device("pk", "dn", Some(&"ä".repeat(64))).is_ok());
        assert_eq!(device("pk", "dn", Some(&"a".repeat(65))), Err(Problem::ClientIdTooLong));
    }

    #[test]
    fn a_client_id_with_the_parameters_of_mqtt_is_refused_with_what_stands_before_them() {
        for (given, bare) in [
            ("pk.dn|securemode=2,signmethod=hmacsha256,timestamp=1524448722000|", "pk.dn"),
            ("12345|securemode=3,signmethod=hmacsha1|", "12345"),
            ("a|", "a"),
            ("|securemode=2|", ""),
        ] {
            let problem = device("pk", "dn", Some(given)).unwrap_err();
            assert_eq!(problem, Problem::ClientIdWithParameters(bare.into()), "{given}");
            let words = if bare.is_empty() { "leave it out" } else { bare };
            assert!(problem.text().ends_with(words), "{}", problem.text());
        }
    }

    #[test]
    fn the_client_id_of_a_long_device_name_is_cut() {
        assert_eq!(device("pk", "dn", None).unwrap().client_id, "pk.dn");
        assert_eq!(device("pk", &"d".repeat(80), None).unwrap().client_id.len(), 64);
    }

    #[test]
    fn debug_output_does_not_show_the_device_secret() {
        let device = device("pk", "dn", None).unwrap();
        let config =
            Config::new(device, Signer::Secret(Secret::new("hunter2")), SignMethod::HmacMd5, TimestampPolicy::None)
                .unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
