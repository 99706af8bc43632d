//! A device with a secret.

use thingpost_host::Route;
use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::{self, AliyunConfig, Platform, Signer, TimestampPolicy};

use super::secret::{self, SecretForm};
use super::{Device, Network, input_files, roots};
use crate::args::{AliyunDevice, AliyunIdentity, DeviceSecretArgs, SignMethod, Timestamp};
use crate::error::CliError;
use crate::files::input_file::InputFile;

pub(super) const SECRET_VARIABLE: &str = "THINGPOST_DEVICE_SECRET";

pub fn aliyun(arguments: &AliyunDevice) -> Result<Device, CliError> {
    let AliyunDevice { instance, port, identity, network } = arguments;
    let endpoint = instance.endpoint();
    let port = endpoint.port("--port", *port, 443)?;
    let secrets = secrets(&identity.product_key, &identity.device_name, &identity.secret)?;
    let route = Route::new(&endpoint.host, roots(network)?).port(port);
    let platform = Platform::Aliyun(config(identity, &endpoint.host, port));
    Ok(Device {
        platform,
        routes: vec![route],
        secrets: secrets.into(),
        network: Network::of(network)?,
        files: files(arguments),
        renewal: None,
        warnings: Vec::new(),
    })
}

/// What the device is made from.
pub fn files(arguments: &AliyunDevice) -> Vec<InputFile> {
    let AliyunDevice { identity, network, .. } = arguments;
    input_files([
        ("--device-secret-file", identity.secret.device_secret_file.as_ref()),
        ("--ca", network.ca.as_ref()),
        ("--proxy-user-file", network.proxy_user_file.as_ref()),
    ])
}

/// What the component is told of a device. It has no secret.
pub fn config(identity: &AliyunIdentity, endpoint: &str, port: u16) -> AliyunConfig {
    AliyunConfig {
        endpoint: endpoint.to_owned(),
        port,
        product_key: identity.product_key.clone(),
        device_name: identity.device_name.clone(),
        signer: Signer::Host,
        client_id: identity.client_id.clone(),
        sign_method: identity.sign_method.into(),
        timestamp: match identity.timestamp {
            Timestamp::Now => TimestampPolicy::Now,
            Timestamp::Corrected => TimestampPolicy::Corrected,
            Timestamp::None => TimestampPolicy::None,
        },
    }
}

/// What the host signs with.
pub fn secrets(product_key: &str, device_name: &str, secret: &DeviceSecretArgs) -> Result<DeviceSecrets, CliError> {
    Ok(DeviceSecrets::new().with(product_key, device_name, &device_secret(secret)?))
}

impl From<SignMethod> for types::SignMethod {
    fn from(method: SignMethod) -> Self {
        match method {
            SignMethod::Hmacmd5 => Self::HmacMd5,
            SignMethod::Hmacsha1 => Self::HmacSha1,
            SignMethod::Hmacsha256 => Self::HmacSha256,
        }
    }
}

fn device_secret(arguments: &DeviceSecretArgs) -> Result<String, CliError> {
    const WHAT: &str = "device secret";
    match (&arguments.device_secret, &arguments.device_secret_file) {
        (Some(secret), _) => secret::from_option(WHAT, "--device-secret", secret, SecretForm::Word),
        (None, Some(file)) => secret::from_file(WHAT, file, SecretForm::Word),
        (None, None) => secret::from_variable(WHAT, SECRET_VARIABLE, SecretForm::Word)?.ok_or_else(|| {
            CliError::sentence(format!("no device secret: give --device-secret-file, or set {SECRET_VARIABLE}"))
        }),
    }
}
