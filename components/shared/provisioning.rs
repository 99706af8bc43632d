//! Registration, bootstrap and credentials for MQTT at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use alloc::borrow::ToOwned;

use thingpost::ConfigurationProblem;
use thingpost::aliyun::{Address, MqttCredentials, Registered, Registration};

use crate::bindings::exports::thingpost::iot::aliyun_types as wit;
use crate::config;
use crate::sign_method::sign_method;

pub(crate) fn registration(registration: &wit::Registration) -> Result<Registration, ConfigurationProblem> {
    let endpoint = config::endpoint(&registration.endpoint, registration.port)?;
    let wit::Registration { product_key, device_name, method, random, .. } = registration;
    Registration::new(endpoint, product_key, device_name, sign_method(*method), random)
}

pub(crate) fn registered(registered: Registered) -> wit::Registered {
    wit::Registered {
        product_key: registered.product_key,
        device_name: registered.device_name,
        device_secret: registered.device_secret.reveal().to_owned(),
    }
}

pub(crate) fn address(address: Address) -> wit::Address {
    wit::Address { host: address.host, port: address.port }
}

pub(crate) fn mqtt_credentials(credentials: MqttCredentials) -> wit::MqttCredentials {
    wit::MqttCredentials {
        iot_id: credentials.iot_id,
        iot_token: credentials.iot_token.reveal().to_owned(),
        address: credentials.address.map(address),
    }
}
