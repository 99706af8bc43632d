//! Registration, bootstrap and credentials for MQTT at the border.

use alloc::borrow::ToOwned;

use thingpost::ConfigError;
use thingpost::aliyun::{Address, MqttCredentials, Registered, Registration};

use crate::bindings::exports::thingpost::iot::aliyun_types as wit;
use crate::values::endpoint::endpoint;
use crate::values::sign_method::sign_method;

pub fn registration(registration: &wit::Registration) -> Result<Registration, ConfigError> {
    let endpoint = endpoint(&registration.endpoint, registration.port)?;
    let wit::Registration { product_key, device_name, method, random, .. } = registration;
    Registration::new(endpoint, product_key, device_name, sign_method(*method), random)
}

pub fn registered(registered: Registered) -> wit::Registered {
    wit::Registered {
        product_key: registered.product_key,
        device_name: registered.device_name,
        device_secret: registered.device_secret.reveal().to_owned(),
    }
}

pub fn address(address: Address) -> wit::Address {
    wit::Address { host: address.host, port: address.port }
}

pub fn mqtt_credentials(credentials: MqttCredentials) -> wit::MqttCredentials {
    wit::MqttCredentials {
        iot_id: credentials.iot_id,
        iot_token: credentials.iot_token.reveal().to_owned(),
        address: credentials.address.map(address),
    }
}
