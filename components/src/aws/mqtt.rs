//! Interface `aws-mqtt`.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use thingpost::aws::mqtt;
use thingpost::mqtt::Broker;
use thingpost::{ConfigError, Secret};

use crate::Component;
use crate::bindings::exports::thingpost::iot::aws_mqtt::{
    Broker as WitBroker, Guest, Session, SessionConfig, SessionOptions, Unfinished,
};
use crate::bindings::exports::thingpost::iot::aws_types::MqttAuthentication;
use crate::mqtt::session;
use crate::values::endpoint::endpoint;

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
    let authentication = match broker.authentication {
        MqttAuthentication::Certificate => mqtt::AuthMethod::Certificate,
        MqttAuthentication::CustomAuthorizer(authorizer) => mqtt::AuthMethod::CustomAuthorizer(mqtt::Authorizer {
            name: authorizer.name,
            token: authorizer.token.map(|(name, token)| (name, Secret::new(token))),
            signature: authorizer.signature.map(Secret::new),
            user_name: authorizer.user_name.map(Secret::new),
            password: authorizer.password.map(Secret::new),
        }),
    };
    mqtt::BrokerConfig::new(endpoint, broker.client_id, authentication)
}
