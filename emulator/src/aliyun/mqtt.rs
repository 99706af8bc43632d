//! Two doors send a device on to an MQTT host that is not emulated. What a client makes of it can be seen only if a
//! test may say which host that is.

use serde_json::{Value, json};

use super::endpoint;

/// The MQTT hosts of an emulator.
pub(super) struct Mqtt {
    server_name: String,
    /// The one that a test has chosen for all products.
    chosen: Option<(String, u16)>,
}

impl Mqtt {
    /// Those that belong to an endpoint of that name.
    pub(super) fn new(server_name: &str) -> Self {
        Self { server_name: server_name.to_owned(), chosen: None }
    }

    pub(super) fn choose(&mut self, host: &str, port: u16) {
        self.chosen = Some((host.to_owned(), port));
    }

    /// As answers name it, whether or not the client has asked for it with `resources=mqtt`.
    pub(super) fn resources(&self, product_key: &str) -> Value {
        let usual = || (endpoint::mqtt(&self.server_name, product_key), endpoint::MQTT_PORT);
        let (host, port) = self.chosen.clone().unwrap_or_else(usual);
        json!({ "mqtt": { "host": host, "port": port } })
    }
}
