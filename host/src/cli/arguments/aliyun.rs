//! Who a device of Aliyun is, and where its Aliyun is.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::endpoint::EndpointArgument;
use super::reach::{Reach, parse_port};

#[derive(Args)]
pub struct AliyunDevice {
    /// The HTTP endpoint, such as iot-as-http.cn-shanghai.aliyuncs.com
    #[arg(long, value_name = "HOST")]
    pub endpoint: EndpointArgument,
    /// The port of the endpoint [default: 443]
    #[arg(long, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: Option<u16>,
    /// The product that the device belongs to
    #[arg(long)]
    pub product_key: String,
    /// The name of the device within its product
    #[arg(long)]
    pub device_name: String,
    /// The device secret. Others can see it in the list of processes: better give a file, or set
    /// THINGPOST_DEVICE_SECRET
    #[arg(long, allow_hyphen_values = true, conflicts_with = "device_secret_file")]
    pub device_secret: Option<String>,
    /// A file with the device secret
    #[arg(long, value_name = "PATH")]
    pub device_secret_file: Option<PathBuf>,
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
    #[command(flatten, next_help_heading = "Connection")]
    pub reach: Reach,
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
