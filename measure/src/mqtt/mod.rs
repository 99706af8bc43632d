//! Clients of MQTT differ in when they call something sent, and the one that counts earlier is faster. So all of them
//! are held to one rule: the last message of a batch is at least once, and the batch is over when the broker has
//! acknowledged it and all others that are. Brokers take messages in their order, so by then it has read those too that
//! nobody acknowledges.

mod component;
mod device;
mod native;
mod rumqttc;

use std::time::Duration;

use thingpost::Qos;
use thingpost_host::runtime::MqttPre;
use tokio::time::timeout;

pub use device::MqttDevice;

use crate::Failure;

/// How many messages may wait for their acknowledgement: what our sessions do by default.
pub(crate) const IN_FLIGHT: u16 = 20;

/// The most that AWS takes: a client that waits for its turn says nothing.
const KEEP_ALIVE_S: u16 = 1200;

/// For a batch. An acknowledgement that does not come is an end, and not a wait; one that comes late, on a busy machine
/// in a debug build, is no end.
const PATIENCE: Duration = Duration::from_secs(600);

/// So many messages at once.
pub(crate) struct Batch<'a> {
    pub topic: &'a str,
    pub messages: usize,
    pub payload: usize,
    /// Of all but the last.
    pub qos: Qos,
}

impl Batch<'_> {
    /// The QoS of each.
    fn each(&self) -> impl Iterator<Item = Qos> {
        let others = std::iter::repeat_n(self.qos, self.messages.saturating_sub(1));
        others.chain(Some(Qos::AtLeastOnce))
    }

    fn payload(&self) -> Vec<u8> {
        vec![b'x'; self.payload]
    }
}

/// A client that is connected.
pub(crate) enum Client {
    Native(Box<native::Client>),
    Component(Box<component::Client>),
    Rumqttc(Box<rumqttc::Client>),
}

impl Client {
    pub async fn native(device: &MqttDevice) -> Result<Self, Failure> {
        Ok(Self::Native(Box::new(native::Client::connect(device).await?)))
    }

    pub async fn component(component: &MqttPre, device: &MqttDevice) -> Result<Self, Failure> {
        Ok(Self::Component(Box::new(component::Client::connect(component, device).await?)))
    }

    pub async fn rumqttc(device: &MqttDevice) -> Result<Self, Failure> {
        Ok(Self::Rumqttc(Box::new(rumqttc::Client::connect(device).await?)))
    }

    /// Publishes, and waits until the broker has them all.
    pub async fn publish(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let published = async {
            match self {
                Self::Native(client) => client.publish(batch).await,
                Self::Component(client) => client.publish(batch).await,
                Self::Rumqttc(client) => client.publish(batch).await,
            }
        };
        timeout(PATIENCE, published).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_of_a_batch_is_one_that_is_acknowledged() {
        let qos = |messages| {
            let batch = Batch { topic: "a", messages, payload: 0, qos: Qos::AtMostOnce };
            batch.each().collect::<Vec<_>>()
        };
        assert_eq!(qos(1), [Qos::AtLeastOnce]);
        assert_eq!(qos(3), [Qos::AtMostOnce, Qos::AtMostOnce, Qos::AtLeastOnce]);
    }
}
