//! For MQTT a real broker is needed, and not every machine has one: without it everything else is measured, and the
//! greeting says what is missing.

use serde_json::{Value, json};
use thingpost_emulator::{Authority, AwsMqtt, Broker, BrokerOptions, DeviceCertificate, MqttRecording};

use crate::Failure;

/// What clients ask for, and where it is found. All of them must send a name, and not all can be told where to find
/// another one.
pub(crate) const ENDPOINT: &str = "localhost";

/// A broker, and the front of AWS before it. Both go when this is dropped.
pub(super) struct Mqtt {
    front: AwsMqtt,
    _broker: Broker,
}

impl Mqtt {
    /// Knows these devices, and keeps no messages. The broker stays on the core of this process.
    pub async fn start(authority: &Authority, devices: &[DeviceCertificate]) -> Result<Self, Failure> {
        let broker = Broker::start_with(BrokerOptions::fast()).await?;
        let front = AwsMqtt::start(authority, ENDPOINT, broker.socket()).await?;
        front.ledger().set_recording(MqttRecording::Counts);
        devices.iter().for_each(|device| front.register(device));
        Ok(Self { front, _broker: broker })
    }
}

/// What the greeting says of it.
pub(super) fn greeting(mqtt: &Result<Mqtt, Failure>) -> Value {
    match mqtt {
        Ok(mqtt) => json!({ "port": mqtt.front.addr_mutual_tls().port() }),
        Err(problem) => json!({ "missing": problem.to_string() }),
    }
}
