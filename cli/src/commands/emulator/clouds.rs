//! Both clouds on this machine, with a device on each.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use thingpost_emulator::{
    AccessKey, AliyunEmulator, AliyunMqtt, AliyunOptions, Authority, Authorizer, AwsEmulator, AwsMqtt, AwsOptions,
    Broker, BrokerError, DeviceCertificate, Disposition, Entry, Listener, MqttEntry, MqttFate,
};

use crate::error::{CliError, one_line};

pub const AWS_ENDPOINT: &str = "a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com";
/// In the name of the endpoint.
pub const AWS_REGION: &str = "eu-central-1";
pub const AWS_TOPIC: &str = "sensors/kitchen/temperature";
pub const ALIYUN_ENDPOINT: &str = "iot-as-http.cn-shanghai.aliyuncs.com";
pub const ALIYUN_MQTT_ENDPOINT: &str = "a1B2c3D4e5F.iot-as-mqtt.cn-shanghai.aliyuncs.com";
/// In the name of the endpoint.
pub const ALIYUN_REGION: &str = "cn-shanghai";
pub const ALIYUN_TOPIC: &str = "/a1B2c3D4e5F/thermometer/user/update";
pub const PRODUCT_KEY: &str = "a1B2c3D4e5F";
pub const DEVICE_NAME: &str = "thermometer";
/// Of a device that exists only here.
pub const DEVICE_SECRET: &str = "emulated-device-secret";
/// Of a product that exists only here.
pub const PRODUCT_SECRET: &str = "emulated-product-secret";
/// Of a device that has no secret yet.
pub const NEW_DEVICE_NAME: &str = "hygrometer";
/// Of a device that its product does not know, and that has registered over MQTT.
pub const TOKEN_DEVICE_NAME: &str = "barometer";
pub const TOKEN_DEVICE_TOPIC: &str = "/a1B2c3D4e5F/barometer/user/update";
pub const TOKEN_CLIENT_ID: &str = "emulated-client-id";
/// Of a device that exists only here.
pub const DEVICE_TOKEN: &str = "emulated-device-token";
pub const IOT_ID: &str = "emulated-iot-id";
/// Of a device that exists only here.
pub const IOT_TOKEN: &str = "emulated-iot-token";
pub const ACCESS_KEY_ID: &str = "AKIAEMULATED";
/// Of an account that exists only here.
pub const SECRET_ACCESS_KEY: &str = "emulated-secret-access-key";
/// Temporary keys are given out for it.
pub const ROLE_ALIAS: &str = "thingpost-emulator";
const LIFETIME_OF_KEYS: Duration = Duration::from_secs(60 * 60);
pub const AUTHORIZER: &str = "gatekeeper";
/// Under which the token travels.
pub const TOKEN_NAME: &str = "X-Token";
/// For a custom authorizer that exists only here.
pub const AUTHORIZER_TOKEN: &str = "emulated-authorizer-token";

/// Dropping them ends them.
pub struct Clouds {
    pub authority: Authority,
    pub certificate: DeviceCertificate,
    pub aws: AwsEmulator,
    pub aliyun: AliyunEmulator,
}

impl Clouds {
    /// Starts both, and registers the device with each.
    pub async fn start(ip: IpAddr) -> Result<Self, CliError> {
        let cannot_listen = |error| CliError::new(format!("cannot listen on {ip}"), error);
        let authority = Authority::new();
        let certificate = authority.issue_device(DEVICE_NAME);
        let options = AwsOptions { ip, ..AwsOptions::new(&authority, AWS_ENDPOINT) };
        let aws = AwsEmulator::start(options).await.map_err(cannot_listen)?;
        aws.register(&certificate);
        aws.add_access_key(AccessKey {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            session_token: None,
        });
        aws.add_role_alias(ROLE_ALIAS, LIFETIME_OF_KEYS);
        aws.add_authorizer(authorizer());
        let options = AliyunOptions { ip, ..AliyunOptions::new(&authority, ALIYUN_ENDPOINT) };
        let aliyun = AliyunEmulator::start(options).await.map_err(cannot_listen)?;
        aliyun.add_product(PRODUCT_KEY, PRODUCT_SECRET, true);
        aliyun.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET);
        aliyun.pre_register(PRODUCT_KEY, NEW_DEVICE_NAME);
        Ok(Self { authority, certificate, aws, aliyun })
    }

    /// Where the port of a cloud is on this machine, as `--connect-to` wants it.
    pub fn connect_to(endpoint: &str, port: u16, address: SocketAddr) -> String {
        let ip = match address.ip() {
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        };
        format!("{endpoint}:{port}:{ip}:{}", address.port())
    }
}

/// One that looks at the token and at no signature of it.
fn authorizer() -> Authorizer {
    Authorizer {
        name: AUTHORIZER.to_owned(),
        token_key_name: TOKEN_NAME.to_owned(),
        token: AUTHORIZER_TOKEN.to_owned(),
        signature: None,
        is_default: false,
    }
}

/// The fronts of both clouds for MQTT, before a broker of their own. Dropping them ends them, and it.
pub struct MqttClouds {
    pub aws: AwsMqtt,
    pub aliyun: AliyunMqtt,
    broker: Broker,
}

impl MqttClouds {
    /// Starts both on loopback for the same device; none where there is no broker to start.
    pub async fn start(clouds: &Clouds) -> Result<Option<Self>, CliError> {
        let broker = match Broker::start().await {
            Ok(broker) => broker,
            Err(BrokerError::NotInstalled) => return Ok(None),
            Err(error) => return Err(CliError::new("no broker", error)),
        };
        let cannot_listen = |error| CliError::new("cannot listen on loopback", error);
        let aws = AwsMqtt::start(&clouds.authority, AWS_ENDPOINT, broker.socket()).await.map_err(cannot_listen)?;
        aws.register(&clouds.certificate);
        aws.register_authorizer(authorizer());
        let aliyun = AliyunMqtt::start(&clouds.authority, ALIYUN_MQTT_ENDPOINT, broker.socket()).await;
        let aliyun = aliyun.map_err(cannot_listen)?;
        aliyun.add_product(PRODUCT_KEY, PRODUCT_SECRET);
        aliyun.pre_register(PRODUCT_KEY, NEW_DEVICE_NAME);
        aliyun.register_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET);
        aliyun.add_iot_token(PRODUCT_KEY, DEVICE_NAME, IOT_ID, IOT_TOKEN);
        aliyun.add_device_token(PRODUCT_KEY, TOKEN_DEVICE_NAME, TOKEN_CLIENT_ID, DEVICE_TOKEN);
        Ok(Some(Self { aws, aliyun, broker }))
    }

    /// What there is to say when the broker has ended unasked.
    pub fn broker_has_ended(&mut self) -> Option<String> {
        if !self.broker.has_ended() {
            return None;
        }
        let log = self.broker.log();
        let last = log.lines().last().unwrap_or("empty");
        Some(format!(
            "mosquitto has ended by itself, so nothing is taken over MQTT any more (HTTPS goes on): end this with Ctrl-C \
             and start it again; the last line of its log: {last}"
        ))
    }

    /// Where there is none.
    pub fn left_out() -> String {
        "MQTT is left out: mosquitto is not installed (sudo apt-get install mosquitto, or as your system has it)."
            .to_owned()
    }
}

/// A message that reached a cloud by MQTT, in one line.
pub fn arrived_by_mqtt(cloud: &str, entry: &MqttEntry) -> Option<String> {
    let MqttEntry::Publish(message) = entry else { return None };
    let became = match message.fate {
        MqttFate::Forwarded => "accepted",
        MqttFate::Refused => "refused",
        MqttFate::Dropped => "dropped",
    };
    let (shown, qos) = (shown(&message.payload), message.qos);
    Some(one_line(&format!("{cloud:9} {}  {shown}  [{became}, MQTT, qos {qos}]", message.topic)))
}

/// As much of a payload as fits into a line.
fn shown(payload: &[u8]) -> String {
    let payload = String::from_utf8_lossy(payload);
    let shown: String = payload.chars().take(60).collect();
    let dots = if shown.len() < payload.len() { "…" } else { "" };
    format!("{shown}{dots}")
}

/// A message that reached a cloud, in one line.
pub fn arrived(entry: &Entry) -> String {
    let listener = match entry.listener {
        Listener::AwsMutualTls => "AWS 8443",
        Listener::AwsAlpn => "AWS 443",
        Listener::Aliyun => "Aliyun",
    };
    let topic = entry.topic.as_deref().unwrap_or("?");
    let shown = shown(&entry.payload);
    let became = match &entry.disposition {
        Disposition::Accepted { id } => format!("accepted, id {id}"),
        Disposition::AcceptedButNotAnswered { id } => format!("accepted and not answered, id {id}"),
        Disposition::Refused { status, code } => format!("refused, status {status} {code}"),
        Disposition::Dropped => "dropped without an answer".to_owned(),
    };
    one_line(&format!("{listener:9} {topic}  {shown}  [{became}]"))
}
