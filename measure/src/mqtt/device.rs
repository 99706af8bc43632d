//! A device in the words of each client: the component's, the core's, and those of a client of another library.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustls::ClientConfig;
use thingpost::{Endpoint, aws, mqtt};
use thingpost_host::runtime::types::mqtt::{AwsBroker, Broker, MqttAuthentication, MqttConfig, SessionConfig, Version};
use thingpost_host::{Identity, Pool, Route, RouteTable, Transport, TrustRoots, WorkloadConfig};

use super::KEEP_ALIVE_S;
use crate::server::mqtt::ENDPOINT;

/// A device that speaks MQTT 3.1.1, with its certificate.
pub struct MqttDevice {
    port: u16,
    route: Route,
}

impl MqttDevice {
    pub(crate) fn new(port: u16, roots: TrustRoots, identity: Identity) -> Self {
        Self { port, route: Route::new(ENDPOINT, roots).mqtt().port(port).identity(identity) }
    }

    pub(crate) fn topic(&self) -> String {
        "plant/4/thermometer-7/celsius".to_owned()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What the host's own connections have, for all.
    pub(super) fn tls(&self) -> Arc<ClientConfig> {
        self.route.mqtt_tls_config(self.port)
    }

    pub(super) fn transport(&self) -> Transport {
        let routes = RouteTable::new(vec![self.route.clone()]).expect("the host is constant and valid");
        Transport::new(Pool::default(), WorkloadConfig::new("bench", routes))
    }

    /// For the component.
    pub(super) fn config(&self) -> MqttConfig {
        let broker = Broker::Aws(AwsBroker {
            endpoint: ENDPOINT.to_owned(),
            port: self.port,
            client_id: client_id(),
            authentication: MqttAuthentication::Certificate,
        });
        let keep_alive_s = Some(KEEP_ALIVE_S);
        MqttConfig {
            broker,
            session: SessionConfig { version: Version::V311, keep_alive_s, ..SessionConfig::default() },
        }
    }

    /// For the core.
    pub(super) fn core_config(&self) -> mqtt::Config {
        let endpoint = Endpoint::new(ENDPOINT, self.port).expect("constant and valid");
        let broker = aws::mqtt::BrokerConfig::new(endpoint, client_id(), aws::mqtt::AuthMethod::Certificate);
        mqtt::Config {
            broker: Arc::new(broker.expect("constant and valid")),
            version: mqtt::Version::V3,
            session_expiry_s: 0,
            clean_start: None,
            will_delay_s: None,
            keep_alive_s: KEEP_ALIVE_S,
            will: None,
        }
    }
}

/// Another one each time: a second client with the same id throws out the first.
pub(super) fn client_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("thermometer-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
