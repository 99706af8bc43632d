//! Interface `generic-mqtt`.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use thingpost::generic::BrokerConfig;
use thingpost::mqtt::Broker;
use thingpost::{ConfigError, Secret};

use crate::Component;
use crate::bindings::exports::thingpost::iot::generic_mqtt::{
    Broker as WitBroker, Guest, Session, SessionConfig, SessionOptions, Unfinished,
};
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

fn broker(broker: WitBroker) -> Result<BrokerConfig, ConfigError> {
    let endpoint = endpoint(&broker.endpoint, broker.port)?;
    BrokerConfig::new(endpoint, broker.client_id, broker.user_name.map(Secret::new), broker.password.map(Secret::new))
}
