//! Aliyun with a real broker behind it, and a device that is known there.

use std::sync::Arc;

use thingpost_emulator::{AliyunMqtt, Authority, Broker as Mosquitto};
use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::mqtt::{
    AliyunBroker, AliyunMqttAuthentication, AliyunMqttSignature, Broker, MqttConfig, SessionConfig, SessionOptions,
    Version,
};
use thingpost_host::runtime::types::{Error, SignMethod, Signer};
use thingpost_host::{Route, Transport};

use crate::fixtures::aliyun::{DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, secret};
use crate::fixtures::host::roots;
use crate::fixtures::mqtt::{Device, options, transport_along};

pub const ENDPOINT: &str = "a1GFjLP3xxC.iot-as-mqtt.cn-shanghai.aliyuncs.com";

pub const METHODS: [SignMethod; 3] = [SignMethod::HmacMd5, SignMethod::HmacSha1, SignMethod::HmacSha256];

pub struct AliyunBrokerCloud {
    pub authority: Authority,
    pub broker: Mosquitto,
    pub front: AliyunMqtt,
}

impl AliyunBrokerCloud {
    pub async fn start() -> Self {
        let authority = Authority::new();
        let broker = Mosquitto::start().await.unwrap_or_else(|error| panic!("{error}"));
        let front = AliyunMqtt::start(&authority, ENDPOINT, broker.socket()).await.unwrap();
        front.register_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET);
        Self { authority, broker, front }
    }

    pub fn transport(&self) -> Transport {
        let route = Route::new(ENDPOINT, roots(&self.authority)).mqtt();
        let routes = vec![route.clone(), route.port(1883)];
        transport_along(routes, &[(443, self.front.addr()), (1883, self.front.addr())])
    }

    pub async fn open(&self, broker: AliyunBroker, secrets: DeviceSecrets, options: &SessionOptions) -> Device {
        Device::open(self.transport(), Arc::new(secrets), &session(broker), options).await
    }

    /// The device of the tests, with its secret and a connection.
    pub async fn online(&self) -> Device {
        let mut device = self.open(known(), DeviceSecrets::new(), &options()).await;
        device.connect().await.unwrap();
        device
    }

    pub async fn refused(&self, broker: AliyunBroker, secrets: DeviceSecrets) -> Error {
        self.open(broker, secrets, &options()).await.connect().await.unwrap_err()
    }
}

/// As it is known there, with nothing but what must be given.
pub fn known() -> AliyunBroker {
    AliyunBroker {
        endpoint: ENDPOINT.to_owned(),
        port: 443,
        product_key: PRODUCT_KEY.to_owned(),
        device_name: DEVICE_NAME.to_owned(),
        authentication: signature(secret(DEVICE_SECRET)),
        client_id: None,
        client_id_parameters: Vec::new(),
        unchecked: false,
    }
}

/// The broker of a device whose secret the host has.
pub fn signed_by_the_host() -> AliyunBroker {
    AliyunBroker { authentication: signature(Signer::Host), ..known() }
}

pub fn signature(signer: Signer) -> AliyunMqttAuthentication {
    let sign_method = SignMethod::HmacSha256;
    AliyunMqttAuthentication::Signature(AliyunMqttSignature { signer, sign_method, timestamp_ms: None })
}

pub fn session(broker: AliyunBroker) -> MqttConfig {
    let broker = Broker::Aliyun(broker);
    MqttConfig { broker, session: SessionConfig { version: Version::V311, ..SessionConfig::default() } }
}
