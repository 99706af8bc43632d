//! The component in its host.

use thingpost_host::runtime::types::mqtt::Event;
use thingpost_host::runtime::types::{Message, Qos};
use thingpost_host::runtime::{MqttPre, MqttSession};

use super::device::MqttDevice;
use super::{Batch, PATIENCE};
use crate::Failure;

pub(crate) struct Client(MqttSession);

impl Client {
    pub async fn connect(component: &MqttPre, device: &MqttDevice) -> Result<Self, Failure> {
        let mut session = component.builder(device.transport(), &device.config()).open().await?;
        session.connect().await?.map_err(|error| error.explanation)?;
        Ok(Self(session))
    }

    pub async fn publish(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let message = |qos| {
            let qos = match qos {
                thingpost::Qos::AtMostOnce => Qos::AtMostOnce,
                thingpost::Qos::AtLeastOnce => Qos::AtLeastOnce,
            };
            Message::new(batch.topic, batch.payload(), qos)
        };
        let messages: Vec<Message> = batch.each().map(message).collect();
        let taken = match &messages[..] {
            [message] => vec![self.0.publish(message).await?],
            messages => self.0.publish_all(messages).await?,
        };
        for taken in taken {
            taken.map_err(|error| error.explanation)?;
        }
        let mut left = messages.len();
        while left > 0 {
            for event in self.0.receive(PATIENCE).await? {
                match event {
                    Event::Published(_) => left -= 1,
                    other => return Err(format!("something else has happened: {other:?}").into()),
                }
            }
        }
        Ok(())
    }
}
