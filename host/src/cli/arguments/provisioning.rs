//! What comes before the first message.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::aliyun::parse_label;
use super::endpoint::EndpointArgument;
use super::reach::{Reach, parse_port};
use super::{EXIT_CODES, SignMethod};

#[derive(Subcommand)]
pub enum RegisterCommand {
    /// Aliyun IoT Platform: dynamic registration, one product and one secret
    #[command(after_help = EXIT_CODES)]
    Aliyun(RegisterAliyun),
}

#[derive(Args)]
pub struct RegisterAliyun {
    #[command(flatten)]
    pub door: Door,
    /// The port of the endpoint [default: 443]
    #[arg(long, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: Option<u16>,
    /// The product that the device belongs to
    #[arg(long)]
    pub product_key: String,
    /// The name of the device within its product; it must be known there
    #[arg(long)]
    pub device_name: String,
    /// A file with the secret of the product [default: the variable THINGPOST_PRODUCT_SECRET]
    #[arg(long, value_name = "PATH")]
    pub product_secret_file: Option<PathBuf>,
    /// How to sign
    #[arg(long, value_enum, default_value_t = SignMethod::Hmacsha256)]
    pub sign_method: SignMethod,
    /// A new file for the secret of the device, which is given out once. Nobody else may read it
    #[arg(long, value_name = "PATH")]
    pub secret_file: PathBuf,
    /// Print a JSON object, without the secret
    #[arg(long)]
    pub json: bool,
    #[command(flatten, next_help_heading = "Connection")]
    pub reach: Reach,
}

/// Where devices register.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Door {
    /// The endpoint, such as iot-auth.cn-shanghai.aliyuncs.com
    #[arg(long, value_name = "HOST")]
    pub endpoint: Option<EndpointArgument>,
    /// In place of --endpoint: the region, such as cn-shanghai
    #[arg(long, value_parser = parse_label)]
    pub region: Option<String>,
}

impl Door {
    /// The endpoint that is meant.
    pub fn endpoint(&self) -> EndpointArgument {
        match (&self.endpoint, &self.region) {
            (_, Some(region)) => EndpointArgument { host: format!("iot-auth.{region}.aliyuncs.com"), port: None },
            (Some(endpoint), None) => endpoint.clone(),
            (None, None) => unreachable!("one of the group is required"),
        }
    }
}
