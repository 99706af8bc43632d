//! From arguments to a device: its platform for the component, its keys and routes for the host.

use std::env::{self, VarError};
use std::fs;
use std::path::{Path, PathBuf};

use thingpost_host::runtime::types::{self, AliyunConfig, AwsAuthentication, AwsConfig, Qos, TimestampPolicy};
use thingpost_host::{AWS_HTTPS_WITH_CERTIFICATE, Alpn, Identity, Route, TrustRoots};

use super::arguments::{AliyunArguments, AwsArguments, CommonArguments, QosLevel, SignMethod, Timestamp};
use super::failed::InputFile;
use super::problem::Problem;

const SECRET_VARIABLE: &str = "THINGPOST_DEVICE_SECRET";

/// Somebody who publishes.
pub struct Device {
    /// What the component is told.
    pub platform: types::Platform,
    /// What the component is never told.
    pub route: Route,
    /// How often its messages may arrive.
    pub qos: Qos,
    /// What it was made from.
    pub files: Vec<InputFile>,
}

/// A device with a certificate.
pub fn aws(arguments: &AwsArguments) -> Result<Device, Problem> {
    let identity = Identity::from_pem_files(&arguments.cert, &arguments.key).map_err(Problem::sentence)?;
    // Given a certificate, port 443 is the one with ALPN, whatever the domain is called.
    let protocols = match arguments.port {
        443 => vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()],
        _ => Vec::new(),
    };
    let route = route(&arguments.endpoint, arguments.port, &arguments.common)?;
    let qos = match arguments.qos {
        QosLevel::AtMostOnce => Qos::AtMostOnce,
        QosLevel::AtLeastOnce => Qos::AtLeastOnce,
    };
    let config = AwsConfig {
        endpoint: arguments.endpoint.clone(),
        port: arguments.port,
        authentication: AwsAuthentication::Certificate,
    };
    let route = route.identity(identity).alpn(Alpn::Offer(protocols));
    let files =
        [("--cert", Some(&arguments.cert)), ("--key", Some(&arguments.key)), ("--ca", arguments.common.ca.as_ref())];
    Ok(Device { platform: types::Platform::Aws(config), route, qos, files: input_files(files) })
}

/// A device with a secret.
pub fn aliyun(arguments: &AliyunArguments) -> Result<Device, Problem> {
    let config = AliyunConfig {
        endpoint: arguments.endpoint.clone(),
        port: arguments.port,
        product_key: arguments.product_key.clone(),
        device_name: arguments.device_name.clone(),
        device_secret: device_secret(arguments)?,
        client_id: arguments.client_id.clone(),
        sign_method: match arguments.sign_method {
            SignMethod::Hmacmd5 => types::SignMethod::HmacMd5,
            SignMethod::Hmacsha1 => types::SignMethod::HmacSha1,
            SignMethod::Hmacsha256 => types::SignMethod::HmacSha256,
        },
        timestamp: match arguments.timestamp {
            Timestamp::Now => TimestampPolicy::Now,
            Timestamp::None => TimestampPolicy::None,
        },
    };
    let route = route(&arguments.endpoint, arguments.port, &arguments.common)?;
    // The platform has no such thing over HTTPS; what is left is whether a lost answer means to send again, and a
    // message that may arrive twice is the lesser evil.
    let files =
        [("--device-secret-file", arguments.device_secret_file.as_ref()), ("--ca", arguments.common.ca.as_ref())];
    let platform = types::Platform::Aliyun(config);
    Ok(Device { platform, route, qos: Qos::AtLeastOnce, files: input_files(files) })
}

fn input_files<const N: usize>(files: [(&'static str, Option<&PathBuf>); N]) -> Vec<InputFile> {
    let given = |(option, path): (_, Option<&PathBuf>)| Some(InputFile { option, path: path?.clone() });
    files.into_iter().filter_map(given).collect()
}

fn route(endpoint: &str, port: u16, common: &CommonArguments) -> Result<Route, Problem> {
    let roots = match &common.ca {
        Some(file) => TrustRoots::from_pem_file(file).map_err(Problem::sentence)?,
        None => TrustRoots::system_or_webpki(),
    };
    Ok(Route::new(endpoint, roots).port(port))
}

fn device_secret(arguments: &AliyunArguments) -> Result<String, Problem> {
    let secret = match (&arguments.device_secret, &arguments.device_secret_file) {
        (Some(secret), _) => secret.clone(),
        (None, Some(file)) => secret_from_file(file)?,
        (None, None) => match env::var(SECRET_VARIABLE) {
            Ok(secret) => secret,
            Err(VarError::NotPresent) => {
                return Err(Problem::sentence(format!(
                    "no device secret: give --device-secret-file, or set {SECRET_VARIABLE}"
                )));
            }
            Err(VarError::NotUnicode(_)) => return Err(Problem::new(SECRET_VARIABLE, "it is not text")),
        },
    };
    match secret.is_empty() {
        true => Err(Problem::sentence("the device secret is empty; copy it from the device's page in the console")),
        false => Ok(secret),
    }
}

/// Editors end a file with a newline; the secret has none.
fn secret_from_file(file: &Path) -> Result<String, Problem> {
    let text = fs::read_to_string(file)
        .map_err(|error| Problem::new(format!("cannot read the device secret from {}", file.display()), error))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Problem::sentence(format!("no device secret in {}; the file is empty", file.display()))),
        secret => Ok(secret.to_owned()),
    }
}
