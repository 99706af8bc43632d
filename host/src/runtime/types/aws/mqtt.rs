//! The configuration of a device that connects to AWS IoT Core over MQTT.

use std::fmt;

use wasmtime::component::{ComponentType, Lift, Lower};

/// A device on AWS IoT Core.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Broker {
    /// The data endpoint, a bare host name.
    pub endpoint: String,
    /// 8883, or 443 with the ALPN protocol `x-amzn-mqtt-ca` or `mqtt`.
    pub port: u16,
    /// Names the client.
    #[component(name = "client-id")]
    pub client_id: String,
    /// How the device shows who it is.
    pub authentication: MqttAuthentication,
}

/// How a device shows AWS who it is over MQTT.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum MqttAuthentication {
    /// With the client certificate of the connection, which the route of the host has.
    #[component(name = "certificate")]
    Certificate,
    /// With what an authorizer of the account's owner judges.
    #[component(name = "custom-authorizer")]
    CustomAuthorizer(MqttAuthorizer),
}

/// What a custom authorizer is sent over MQTT, in user name and password.
#[derive(Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct MqttAuthorizer {
    /// Which one. None: the default of the endpoint.
    pub name: Option<String>,
    /// The name under which the token travels, and the token. The token does not show in `Debug`.
    pub token: Option<(String, String)>,
    /// The signature of the token in base64. Does not show in `Debug`.
    pub signature: Option<String>,
    /// What stands in front of all that in the user name. Some brokers take a token there, so it does not show in `Debug`.
    #[component(name = "user-name")]
    pub user_name: Option<String>,
    /// The password. Does not show in `Debug`.
    pub password: Option<String>,
}

impl fmt::Debug for MqttAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttAuthorizer")
            .field("name", &self.name)
            .field("token_name", &self.token.as_ref().map(|(name, _)| name))
            .finish_non_exhaustive()
    }
}
