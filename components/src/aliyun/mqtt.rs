//! Interface `aliyun-mqtt`.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use thingpost::aliyun::mqtt::AuthMethod;
use thingpost::aliyun::{Device, mqtt};
use thingpost::mqtt::Broker;
use thingpost::{ConfigError, Secret};

use super::signer::signer;
use crate::Component;
use crate::bindings::exports::thingpost::iot::aliyun_mqtt::{
    Broker as WitBroker, Guest, Session, SessionConfig, SessionOptions, Unfinished,
};
use crate::bindings::exports::thingpost::iot::aliyun_types::MqttAuthentication;
use crate::mqtt::session;
use crate::values::endpoint::endpoint;
use crate::values::sign_method::sign_method;

impl Guest for Component {
    fn open(
        broker: WitBroker,
        config: SessionConfig,
        options: SessionOptions,
        unfinished: Vec<Unfinished>,
    ) -> Result<Session, String> {
        let broker = self::broker(broker).map(|broker| -> Arc<dyn Broker> { Arc::new(broker) });
        session::open(broker, config, &options, unfinished)
    }
}

fn broker(broker: WitBroker) -> Result<mqtt::BrokerConfig, ConfigError> {
    let endpoint = endpoint(&broker.endpoint, broker.port)?;
    let device = Device::new(endpoint, &broker.product_key, &broker.device_name, broker.client_id.as_deref())?;
    let of_device = mqtt::BrokerConfig::new(device, auth_method(broker.authentication))?;
    let of_device = of_device.with_parameters(broker.client_id_parameters)?;
    Ok(if broker.unchecked { of_device.unchecked() } else { of_device })
}

fn auth_method(authentication: MqttAuthentication) -> AuthMethod {
    match authentication {
        MqttAuthentication::Signature(signature) => AuthMethod::Signature {
            signer: signer(signature.signer),
            sign_method: sign_method(signature.sign_method),
            timestamp_ms: signature.timestamp_ms,
        },
        MqttAuthentication::DeviceToken(token) => AuthMethod::DeviceToken(Secret::new(token)),
        MqttAuthentication::IotToken(token) => {
            AuthMethod::IotToken { iot_id: token.iot_id, iot_token: Secret::new(token.iot_token) }
        }
        MqttAuthentication::Registration(registration) => AuthMethod::Registration {
            product_secret: Secret::new(registration.product_secret),
            sign_method: sign_method(registration.sign_method),
            random: registration.random,
            is_known: registration.is_known,
            instance_id: registration.instance_id,
        },
    }
}
