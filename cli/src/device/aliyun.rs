//! A device with a secret.

use thingpost_host::Route;
use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::{self, AliyunConfig, Platform, Signer, TimestampPolicy};

use super::secret::{self, Form};
use super::{Device, input_files, roots};
use crate::args::{AliyunDevice, AliyunIdentity, DeviceSecretArguments, SignMethod, Timestamp};
use crate::error::Problem;

pub(super) const SECRET_VARIABLE: &str = "THINGPOST_DEVICE_SECRET";

pub fn aliyun(arguments: &AliyunDevice) -> Result<Device, Problem> {
    let AliyunDevice { instance, port, identity, reach } = arguments;
    let endpoint = instance.endpoint();
    let port = endpoint.port("--port", *port, 443)?;
    let secrets = secrets(&identity.product_key, &identity.device_name, &identity.secret)?;
    let route = Route::new(&endpoint.host, roots(reach)?).port(port);
    let files = [("--device-secret-file", identity.secret.device_secret_file.as_ref()), ("--ca", reach.ca.as_ref())];
    let platform = Platform::Aliyun(config(identity, &endpoint.host, port));
    Ok(Device {
        platform,
        routes: vec![route],
        secrets: secrets.into(),
        files: input_files(files),
        renewal: None,
        warnings: Vec::new(),
    })
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
pub fn secrets(product_key: &str, device_name: &str, secret: &DeviceSecretArguments) -> Result<DeviceSecrets, Problem> {
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

fn device_secret(arguments: &DeviceSecretArguments) -> Result<String, Problem> {
    const WHAT: &str = "device secret";
    match (&arguments.device_secret, &arguments.device_secret_file) {
        (Some(secret), _) => secret::from_option(WHAT, "--device-secret", secret, Form::Word),
        (None, Some(file)) => secret::from_file(WHAT, file, Form::Word),
        (None, None) => secret::from_variable(WHAT, SECRET_VARIABLE, Form::Word)?.ok_or_else(|| {
            Problem::sentence(format!("no device secret: give --device-secret-file, or set {SECRET_VARIABLE}"))
        }),
    }
}
