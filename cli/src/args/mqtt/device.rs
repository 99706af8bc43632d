//! The identity of a device to a broker, the address of the broker, and what it is to remember of the device.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::args::aliyun::{DeviceSecretArgs, SignMethod};
use crate::args::aws::{CertificateArgs, TokenArgs};
use crate::args::endpoint::EndpointArgument;
use crate::args::message::{QosLevel, parse_pair};
use crate::args::network::{NetworkArgs, parse_port};

#[derive(Args)]
pub struct MqttDevice {
    /// AWS: the data endpoint, as for publish. Aliyun: PRODUCT_KEY.iot-as-mqtt.REGION.aliyuncs.com or
    /// INSTANCE_ID.mqtt.iothub.aliyuncs.com, as thingpost bootstrap aliyun prints it. With --generic: the broker's host name or address
    #[arg(long, value_name = "HOST", value_parser = EndpointArgument::of_mqtt)]
    pub endpoint: EndpointArgument,
    /// AWS: 8883, or 443 where a firewall blocks that, with the ALPN protocol x-amzn-mqtt-ca, or mqtt for an authorizer.
    /// Aliyun: 443 or 1883 [default: 8883 with --cert or --generic, otherwise 443]
    #[arg(long, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: Option<u16>,
    /// Any other broker of MQTT 3.1.1 or 5 that speaks TLS, such as mosquitto, EMQX, HiveMQ, VerneMQ or NanoMQ: with --cert and
    /// --key, with --user-name and --password-file, with both, or with neither
    #[arg(long)]
    pub generic: bool,
    #[command(flatten, next_help_heading = "Authentication by a certificate (AWS, and with --generic)")]
    pub certificate: CertificateArgs,
    #[command(
        flatten,
        next_help_heading = "Authentication by a custom authorizer (AWS), or by user name and password (--generic)"
    )]
    pub authorizer: MqttAuthorizerArgs,
    #[command(flatten, next_help_heading = "Authentication by a device secret, or by a token (Aliyun)")]
    pub aliyun: MqttAliyunArgs,
    #[command(flatten, next_help_heading = "Session")]
    pub session: SessionOptions,
    #[command(flatten, next_help_heading = "Connection")]
    pub network: NetworkArgs,
}

/// What a custom authorizer is sent over MQTT.
#[derive(Args)]
pub struct MqttAuthorizerArgs {
    #[command(flatten)]
    pub token: TokenArgs,
    /// The user name, for authorizers that look at it, and for the broker with --generic
    #[arg(long, value_name = "NAME")]
    pub user_name: Option<String>,
    /// A file with the password, for authorizers that look at it, and for the broker with --generic
    #[arg(long, value_name = "PATH")]
    pub password_file: Option<PathBuf>,
}

#[derive(Args)]
pub struct MqttAliyunArgs {
    /// The product that the device belongs to
    #[arg(long, requires = "device_name")]
    pub product_key: Option<String>,
    /// The name of the device within its product
    #[arg(long, requires = "product_key")]
    pub device_name: Option<String>,
    #[command(flatten)]
    pub secret: DeviceSecretArgs,
    /// In place of a device secret: a file with the device token, as thingpost register aliyun --no-preregistration leaves it;
    /// with --client-id, which came with the token. Or set THINGPOST_DEVICE_TOKEN
    #[arg(long, value_name = "PATH", requires = "product_key")]
    pub device_token_file: Option<PathBuf>,
    /// In place of a device secret: the iotId, which is the username that thingpost mqtt-credentials aliyun prints; with
    /// --iot-token-file
    #[arg(long, value_name = "ID", requires = "product_key")]
    pub iot_id: Option<String>,
    /// A file with the iotToken, as mqtt-credentials leaves it in its --token-file. Or set THINGPOST_IOT_TOKEN
    #[arg(long, value_name = "PATH", requires = "iot_id")]
    pub iot_token_file: Option<PathBuf>,
    /// How to sign with a device secret [default: hmacsha256]
    #[arg(long, value_enum, requires = "product_key")]
    pub sign_method: Option<SignMethod>,
    /// One more parameter for the client id, such as ext=1; may be repeated. With a token it can also be another value for
    /// what is sent there by default, such as securemode=2
    #[arg(long, value_name = "NAME=VALUE", requires = "product_key", value_parser = parse_pair)]
    pub client_id_parameter: Vec<(String, String)>,
    /// Refuse nothing that an instance may take though it is not documented: MQTT 5, a last will, retained messages, shared
    /// subscriptions, and topics of other devices, for which this one is the gateway
    #[arg(long, requires = "product_key")]
    pub unchecked: bool,
}

/// What the broker is to know of the session, and to remember of it.
#[derive(Args)]
pub struct SessionOptions {
    /// Names the client: a second one with the same id throws out the first, and policies of AWS often demand the name of the
    /// thing [default: thingpost- and a random number, on Aliyun PRODUCT_KEY.DEVICE_NAME]
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Which MQTT. With 5 brokers give reasons, and messages have properties [default: 5; on Aliyun 3.1.1, as it has no other]
    #[arg(long, value_enum, value_name = "VERSION")]
    pub mqtt: Option<MqttVersion>,
    /// The longest silence before the connection is looked after [default: 60]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub keep_alive: Option<u16>,
    /// How long the broker keeps subscriptions, and messages for them, when this client is away; but for Aliyun with --client-id.
    /// With MQTT 3.1.1 anything but 0 means for as long as the broker likes
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    pub session_expiry: u32,
    /// The session expiry from the end of this run on: 0 to be forgotten at once; with --session-expiry, and MQTT 5
    #[arg(long, value_name = "SECONDS", requires = "session_expiry", allow_negative_numbers = true)]
    pub session_expiry_at_disconnect: Option<u32>,
    /// Begin a new session, whatever the broker has kept; with --session-expiry, which keeps it from then on
    #[arg(long, requires = "session_expiry")]
    pub clean_start: bool,
    /// The last will: where the broker publishes it when this client is lost without a goodbye. Not on Aliyun
    #[arg(long, value_name = "TOPIC", requires = "will_message")]
    pub will_topic: Option<String>,
    /// The last will itself
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, requires = "will_topic")]
    pub will_message: Option<String>,
    /// How often the last will may arrive: 0 at most once, 1 at least once [default: 0]
    #[arg(long, value_enum, value_name = "QOS", requires = "will_topic")]
    pub will_qos: Option<QosLevel>,
    /// Its topic keeps the last will for those who subscribe later
    #[arg(long, requires = "will_topic")]
    pub will_retain: bool,
    /// How long the broker waits with the last will for this client to come back (MQTT 5)
    #[arg(long, value_name = "SECONDS", requires = "will_topic", allow_negative_numbers = true)]
    pub will_delay: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MqttVersion {
    #[value(name = "3.1.1")]
    V3,
    #[value(name = "5")]
    V5,
}
