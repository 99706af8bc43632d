//! Configurations for brokers that belong to no cloud. User name and password in them do not show in debug output.

use std::fmt;

use wasmtime::component::{ComponentType, Lift, Lower};

/// A broker that belongs to no cloud, and as whom to connect to it. `wit/generic.wit` says more about each field.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Broker {
    /// A bare host name, or an address.
    pub endpoint: String,
    /// Usually 8883: the connection has TLS.
    pub port: u16,
    /// Names the client.
    #[component(name = "client-id")]
    pub client_id: String,
    /// The user name.
    #[component(name = "user-name")]
    pub user_name: Option<String>,
    /// The password. A secret.
    pub password: Option<String>,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("endpoint", &self.endpoint)
            .field("port", &self.port)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
