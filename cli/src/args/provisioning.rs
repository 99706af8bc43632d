//! What comes before the first message.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SignMethod;
use super::aliyun::{AliyunIdentity, parse_label};
use super::endpoint::EndpointArgument;
use super::message::parse_pair;
use super::network::{NetworkArgs, parse_port};
use super::operation::EXIT_CODES;

/// It never moves, and knows the instances of all regions.
const BOOTSTRAP_HOST: &str = "iot-auth-global.aliyuncs.com";

#[derive(Subcommand)]
pub enum RegisterCommand {
    /// Aliyun IoT Platform: dynamic registration of a device whose name its product knows already, or with --mqtt
    /// --no-preregistration of any other
    #[command(after_help = EXIT_CODES)]
    Aliyun(RegisterAliyun),
}

#[derive(Subcommand)]
pub enum BootstrapCommand {
    /// Aliyun IoT Platform: prints HOST:PORT of its MQTT endpoint; the name of the host tells the instance or the region
    #[command(after_help = EXIT_CODES)]
    Aliyun(BootstrapAliyun),
}

#[derive(Subcommand)]
pub enum MqttCredentialsCommand {
    /// Aliyun IoT Platform: prints the user name and the MQTT endpoint. The password, good for 7 days, goes into a file, or
    /// is printed where that is asked for
    #[command(after_help = EXIT_CODES)]
    Aliyun(MqttCredentialsAliyun),
}

#[derive(Args)]
pub struct RegisterAliyun {
    #[command(flatten)]
    pub door: RegistrationHostArgs,
    /// The port of the endpoint [default: 443]
    #[arg(long, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: Option<u16>,
    /// The product that the device belongs to
    #[arg(long)]
    pub product_key: String,
    /// The name of the device within its product; it must be known there, unless --no-preregistration is given
    #[arg(long)]
    pub device_name: String,
    /// A file with the secret of the product. Or set THINGPOST_PRODUCT_SECRET
    #[arg(long, value_name = "PATH")]
    pub product_secret_file: Option<PathBuf>,
    /// How to sign
    #[arg(long, value_enum, default_value_t = SignMethod::Hmacsha256)]
    pub sign_method: SignMethod,
    /// A new or empty file for the secret of the device, which is given out once and never printed. Nobody else may read it.
    /// That it can be written is made sure of before the secret is asked for
    #[arg(long, value_name = "PATH")]
    pub secret_file: PathBuf,
    /// Replace what is in --secret-file, once there is a new secret
    #[arg(long)]
    pub force: bool,
    /// Print a JSON object, without the secret
    #[arg(long)]
    pub json: bool,
    #[command(flatten, next_help_heading = "Registration over MQTT")]
    pub mqtt: RegisterMqtt,
    #[command(flatten, next_help_heading = "Connection")]
    pub network: NetworkArgs,
}

/// What only a registration over MQTT has.
#[derive(Args)]
pub struct RegisterMqtt {
    /// Register over MQTT, at the broker: --region stands for PRODUCT_KEY.iot-as-mqtt.REGION.aliyuncs.com, and --endpoint is the
    /// MQTT endpoint
    #[arg(long)]
    pub mqtt: bool,
    /// The product does not know the device yet: it is given a client id, which is printed, and in --secret-file a device
    /// token, both for thingpost mqtt
    #[arg(long, requires = "mqtt")]
    pub no_preregistration: bool,
    /// The id of the instance, such as iot-06z00d9wc4x18a6. Instances of one's own and public ones since 2021-07-30 want it with
    /// --no-preregistration
    #[arg(long, value_name = "ID", requires = "mqtt", value_parser = parse_label)]
    pub instance_id: Option<String>,
    /// Names the client while it registers [default: PRODUCT_KEY.DEVICE_NAME]
    #[arg(long, value_name = "ID", requires = "mqtt")]
    pub client_id: Option<String>,
    /// One more parameter for the client id, or another value for one that is not signed, such as securemode=-2, which the
    /// documentation has for instances of one's own; may be repeated
    #[arg(long, value_name = "NAME=VALUE", requires = "mqtt", value_parser = parse_pair)]
    pub client_id_parameter: Vec<(String, String)>,
}

impl RegisterAliyun {
    /// The endpoint that is meant.
    pub fn endpoint(&self) -> EndpointArgument {
        match (&self.door.region, self.mqtt.mqtt) {
            (Some(region), true) => {
                EndpointArgument { host: format!("{}.iot-as-mqtt.{region}.aliyuncs.com", self.product_key), port: None }
            }
            _ => self.door.endpoint(),
        }
    }
}

#[derive(Args)]
pub struct BootstrapAliyun {
    /// Whom to ask [default: iot-auth-global.aliyuncs.com]
    #[arg(long, value_name = "HOST")]
    pub endpoint: Option<EndpointArgument>,
    /// The port of the endpoint [default: 443]
    #[arg(long, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: Option<u16>,
    /// The product that the device belongs to
    #[arg(long)]
    pub product_key: String,
    /// The name of the device within its product
    #[arg(long)]
    pub device_name: String,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten, next_help_heading = "Connection")]
    pub network: NetworkArgs,
}

#[derive(Args)]
pub struct MqttCredentialsAliyun {
    #[command(flatten)]
    pub door: RegistrationHostArgs,
    /// The port of the endpoint [default: 443]
    #[arg(long, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: Option<u16>,
    #[command(flatten)]
    pub identity: AliyunIdentity,
    #[command(flatten)]
    pub place: TokenTargetArgs,
    /// Replace what is in --token-file, once there is a new password
    #[arg(long, requires = "token_file")]
    pub force: bool,
    /// Print a JSON object; it has the password only with --show-token
    #[arg(long)]
    pub json: bool,
    #[command(flatten, next_help_heading = "Connection")]
    pub network: NetworkArgs,
}

/// Where the password goes.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct TokenTargetArgs {
    /// A new or empty file for the password. Nobody else may read it
    #[arg(long, value_name = "PATH")]
    pub token_file: Option<PathBuf>,
    /// Print the password with the rest. It is a secret: mind logs and who is looking
    #[arg(long)]
    pub show_token: bool,
}

/// Where devices register.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct RegistrationHostArgs {
    /// The endpoint, such as iot-auth.cn-shanghai.aliyuncs.com
    #[arg(long, value_name = "HOST")]
    pub endpoint: Option<EndpointArgument>,
    /// In place of --endpoint: the region, such as cn-shanghai
    #[arg(long, value_parser = parse_label)]
    pub region: Option<String>,
}

impl RegistrationHostArgs {
    /// The endpoint that is meant.
    pub fn endpoint(&self) -> EndpointArgument {
        match (&self.endpoint, &self.region) {
            (_, Some(region)) => EndpointArgument { host: format!("iot-auth.{region}.aliyuncs.com"), port: None },
            (Some(endpoint), None) => endpoint.clone(),
            (None, None) => unreachable!("one of the group is required"),
        }
    }
}

impl BootstrapAliyun {
    /// The endpoint that is meant.
    pub fn endpoint(&self) -> EndpointArgument {
        self.endpoint.clone().unwrap_or_else(|| EndpointArgument { host: BOOTSTRAP_HOST.to_owned(), port: None })
    }
}
