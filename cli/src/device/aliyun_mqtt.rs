//! Over MQTT a device of Aliyun has three things to show, each with an option for its file and a variable, and the platform
//! answers every mix-up of them alike.

use std::env;

use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::Signer;
use thingpost_host::runtime::types::mqtt::{AliyunIotToken, AliyunMqttAuthentication, AliyunMqttSignature};

use super::aliyun::{SECRET_VARIABLE, secrets};
use super::aws::auth_method::{refuse_strays, the_only_one};
use super::secret::{self, SecretForm};
use crate::args::{MqttAliyunArgs, SignMethod};
use crate::error::CliError;

const TOKEN_VARIABLE: &str = "THINGPOST_DEVICE_TOKEN";
const IOT_TOKEN_VARIABLE: &str = "THINGPOST_IOT_TOKEN";

const CHOICES: &str =
    "give --device-secret-file, or --device-token-file with --client-id, or --iot-id with --iot-token-file";

/// What the device shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AliyunMqttAuthMethod<'a> {
    DeviceSecret,
    DeviceToken,
    IotToken(&'a str),
}

impl<'a> AliyunMqttAuthMethod<'a> {
    /// The one that was typed, or the one that a variable is set for.
    fn of(arguments: &'a MqttAliyunArgs) -> Result<Self, CliError> {
        let MqttAliyunArgs { secret, device_token_file, iot_id, .. } = arguments;
        let by_secret = match (&secret.device_secret, &secret.device_secret_file) {
            (Some(_), _) => Some("--device-secret"),
            (None, Some(_)) => Some("--device-secret-file"),
            (None, None) => None,
        };
        let typed = [
            by_secret.map(|option| (option, Self::DeviceSecret)),
            device_token_file.as_ref().map(|_| ("--device-token-file", Self::DeviceToken)),
            iot_id.as_deref().map(|id| ("--iot-id", Self::IotToken(id))),
        ];
        if typed.iter().any(Option::is_some) {
            return the_only_one(typed, CHOICES);
        }
        let is_set = |name| env::var_os(name).is_some();
        match (is_set(SECRET_VARIABLE), is_set(TOKEN_VARIABLE)) {
            (true, true) => Err(CliError::new(
                format!("{SECRET_VARIABLE} and {TOKEN_VARIABLE} are both set, for two ways to show who the device is"),
                "unset one of them, or give --device-secret-file or --device-token-file",
            )),
            (false, true) => Ok(Self::DeviceToken),
            (_, false) => Ok(Self::DeviceSecret),
        }
    }
}

/// What the component is told of it, and what the host signs with.
pub(super) fn authentication(
    (product_key, device_name): (&str, &str),
    arguments: &MqttAliyunArgs,
    client_id: Option<&str>,
) -> Result<(AliyunMqttAuthentication, DeviceSecrets), CliError> {
    let auth_method = AliyunMqttAuthMethod::of(arguments)?;
    let signs = auth_method == AliyunMqttAuthMethod::DeviceSecret;
    refuse_strays([("--sign-method", arguments.sign_method.is_some(), signs, "a device secret")])?;
    let given = match auth_method {
        AliyunMqttAuthMethod::DeviceSecret => {
            let sign_method = arguments.sign_method.unwrap_or(SignMethod::Hmacsha256).into();
            // Without a time: over MQTT the platform compares one with nothing (its own SDKs send the year 2050), so a signature with a
            // time is good for as long as one without, which is until the device gets another secret. A time would only make it
            // depend on this machine's clock, where somebody compares it after all.
            let signature = AliyunMqttSignature { signer: Signer::Host, sign_method, timestamp_ms: None };
            let signature = AliyunMqttAuthentication::Signature(signature);
            return Ok((signature, secrets(product_key, device_name, &arguments.secret)?));
        }
        AliyunMqttAuthMethod::DeviceToken => {
            if client_id.is_none() {
                return Err(CliError::sentence("a device token needs --client-id: the one that came with the token"));
            }
            let file = arguments.device_token_file.as_deref();
            AliyunMqttAuthentication::DeviceToken(token("device token", file, "--device-token-file", TOKEN_VARIABLE)?)
        }
        AliyunMqttAuthMethod::IotToken(iot_id) => {
            let file = arguments.iot_token_file.as_deref();
            let iot_token = token("iotToken", file, "--iot-token-file", IOT_TOKEN_VARIABLE)?;
            AliyunMqttAuthentication::IotToken(AliyunIotToken { iot_id: iot_id.to_owned(), iot_token })
        }
    };
    Ok((given, DeviceSecrets::new()))
}

fn token(what: &str, file: Option<&std::path::Path>, option: &str, variable: &str) -> Result<String, CliError> {
    match file {
        Some(file) => secret::from_file(what, file, SecretForm::IssuedWord),
        None => secret::from_variable(what, variable, SecretForm::IssuedWord)?
            .ok_or_else(|| CliError::sentence(format!("no {what}: give {option}, or set {variable}"))),
    }
}
