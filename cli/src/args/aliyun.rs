//! The identity of a device of Aliyun, and the address of its platform.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::endpoint::EndpointArgument;
use super::network::{NetworkArgs, parse_port};

#[derive(Args)]
pub struct AliyunDevice {
    #[command(flatten)]
    pub instance: Instance,
    /// The port of the endpoint [default: 443]
    #[arg(long, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: Option<u16>,
    #[command(flatten)]
    pub identity: AliyunIdentity,
    #[command(flatten, next_help_heading = "Connection")]
    pub network: NetworkArgs,
}

/// The identity of the device, and the proof of it.
#[derive(Args)]
pub struct AliyunIdentity {
    /// The product that the device belongs to
    #[arg(long)]
    pub product_key: String,
    /// The name of the device within its product
    #[arg(long)]
    pub device_name: String,
    #[command(flatten)]
    pub secret: DeviceSecretArgs,
    /// Up to 64 characters that name this device [default: PRODUCT_KEY.DEVICE_NAME]
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// How to sign the request for a token; of these the documentation of that request lacks hmacsha256
    #[arg(long, value_enum, default_value_t = SignMethod::Hmacsha1)]
    pub sign_method: SignMethod,
    /// Whether that request carries the time; none works with a wrong clock, corrected asks again with the platform's time
    /// if that is refused
    #[arg(long, value_enum, default_value_t = Timestamp::None)]
    pub timestamp: Timestamp,
}

/// What the host signs with.
#[derive(Args)]
pub struct DeviceSecretArgs {
    /// The device secret. Others can see it in the list of processes: better give a file, or set
    /// THINGPOST_DEVICE_SECRET
    #[arg(long, allow_hyphen_values = true, conflicts_with = "device_secret_file", requires = "product_key")]
    pub device_secret: Option<String>,
    /// A file with the device secret
    #[arg(long, value_name = "PATH", requires = "product_key")]
    pub device_secret_file: Option<PathBuf>,
}

/// Where the platform takes messages: the region or the instance tells the host.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Instance {
    /// The HTTP endpoint, as the console shows it
    #[arg(long, value_name = "HOST")]
    pub endpoint: Option<EndpointArgument>,
    /// Of public instances from before 2021-07-30, in place of --endpoint: the region, such as cn-shanghai
    #[arg(long, value_parser = parse_label)]
    pub region: Option<String>,
    /// Of all other instances, in place of --endpoint: the id, such as iot-06z00d9wc4x18a6
    #[arg(long, value_name = "ID", value_parser = parse_label)]
    pub instance: Option<String>,
}

impl Instance {
    /// The endpoint that is meant.
    pub fn endpoint(&self) -> EndpointArgument {
        let named = |host| EndpointArgument { host, port: None };
        match (&self.endpoint, &self.region, &self.instance) {
            (_, Some(region), _) => named(format!("iot-as-http.{region}.aliyuncs.com")),
            (_, _, Some(id)) => named(format!("{id}.http.iothub.aliyuncs.com")),
            (Some(endpoint), None, None) => endpoint.clone(),
            (None, None, None) => unreachable!("one of the group is required"),
        }
    }
}

/// A part of a host name.
pub(super) fn parse_label(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    match !text.is_empty() && text.len() <= 63 && text.bytes().all(is_allowed) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("give letters, digits and `-` only; what has dots in it goes with --endpoint".to_owned()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignMethod {
    Hmacmd5,
    Hmacsha1,
    Hmacsha256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Timestamp {
    Now,
    Corrected,
    None,
}
