//! A device with a secret.

use thingpost_host::Route;
use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::{self, AliyunConfig, Platform, Signer, TimestampPolicy};

use super::{Device, input_files, roots, secret};
use crate::cli::arguments::{AliyunDevice, SignMethod, Timestamp};
use crate::cli::problem::Problem;

const SECRET_VARIABLE: &str = "THINGPOST_DEVICE_SECRET";

pub fn aliyun(arguments: &AliyunDevice) -> Result<Device, Problem> {
    let endpoint = arguments.instance.endpoint();
    let host = &endpoint.host;
    let port = endpoint.port("--port", arguments.port, 443)?;
    let config = AliyunConfig {
        endpoint: host.clone(),
        port,
        product_key: arguments.product_key.clone(),
        device_name: arguments.device_name.clone(),
        signer: Signer::Host,
        client_id: arguments.client_id.clone(),
        sign_method: arguments.sign_method.into(),
        timestamp: match arguments.timestamp {
            Timestamp::Now => TimestampPolicy::Now,
            Timestamp::Corrected => TimestampPolicy::Corrected,
            Timestamp::None => TimestampPolicy::None,
        },
    };
    let secrets = DeviceSecrets::new().with(&config.product_key, &config.device_name, &device_secret(arguments)?);
    let route = Route::new(host, roots(&arguments.reach)?).port(port);
    let files =
        [("--device-secret-file", arguments.device_secret_file.as_ref()), ("--ca", arguments.reach.ca.as_ref())];
    let platform = Platform::Aliyun(config);
    Ok(Device { platform, routes: vec![route], secrets: secrets.into(), files: input_files(files) })
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

fn device_secret(arguments: &AliyunDevice) -> Result<String, Problem> {
    let secret = match (&arguments.device_secret, &arguments.device_secret_file) {
        (Some(secret), _) => secret.clone(),
        (None, Some(file)) => secret::from_file("device secret", file)?,
        (None, None) => secret::from_variable(SECRET_VARIABLE)?.ok_or_else(|| {
            Problem::sentence(format!("no device secret: give --device-secret-file, or set {SECRET_VARIABLE}"))
        })?,
    };
    secret::checked("device secret", secret)
}
