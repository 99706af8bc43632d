//! The clients that are compared: each publishes in its own way.

use thingpost_host::runtime::types::{Message, Platform, Qos};
use thingpost_host::runtime::{MqttPre, Publisher, PublisherPre};
use thingpost_host::{Pool, Transport};

use crate::Failure;
use crate::device::Device;
use crate::mqtt::{self, MqttDevice};

/// One client of one device.
pub struct Client {
    kind: Kind,
    topic: String,
}

enum Kind {
    Native(thingpost_client::Client),
    Reused(Publisher),
    Fresh {
        component: PublisherPre,
        transport: Transport,
        platform: Platform,
    },
    /// With the QoS of all messages of a call but the last.
    Mqtt(mqtt::Client, thingpost::Qos),
}

impl Client {
    /// The core without WebAssembly.
    pub fn native(device: &Device, pool: &Pool) -> Self {
        let client = thingpost_client::Client::over(
            device.transport(pool),
            device.native_platform(),
            thingpost::Options::default(),
        );
        Self { kind: Kind::Native(client.expect("the default options are good")), topic: device.topic() }
    }

    /// One instance of the component for all messages.
    pub async fn reused(component: &PublisherPre, device: &Device, pool: &Pool) -> Result<Self, Failure> {
        let publisher = component.builder(device.transport(pool), &device.platform()).open().await?;
        Ok(Self { kind: Kind::Reused(publisher), topic: device.topic() })
    }

    /// An instance of its own for each call.
    pub fn fresh(component: &PublisherPre, device: &Device, pool: &Pool) -> Self {
        let (transport, platform) = (device.transport(pool), device.platform());
        Self { kind: Kind::Fresh { component: component.clone(), transport, platform }, topic: device.topic() }
    }

    /// The core without WebAssembly, over MQTT and with a connection of its own. The last message of each call is at
    /// least once; the call is over when all that are have been acknowledged.
    pub async fn mqtt_native(device: &MqttDevice, qos: thingpost::Qos) -> Result<Self, Failure> {
        Ok(Self::mqtt(mqtt::Client::native(device).await?, device, qos))
    }

    /// Over MQTT, with the component.
    pub async fn mqtt_component(
        component: &MqttPre,
        device: &MqttDevice,
        qos: thingpost::Qos,
    ) -> Result<Self, Failure> {
        Ok(Self::mqtt(mqtt::Client::component(component, device).await?, device, qos))
    }

    /// Over MQTT, with rumqttc.
    pub async fn rumqttc(device: &MqttDevice, qos: thingpost::Qos) -> Result<Self, Failure> {
        Ok(Self::mqtt(mqtt::Client::rumqttc(device).await?, device, qos))
    }

    fn mqtt(client: mqtt::Client, device: &MqttDevice, qos: thingpost::Qos) -> Self {
        Self { kind: Kind::Mqtt(client, qos), topic: device.topic() }
    }

    /// Publishes so many messages of so many bytes in one call. All of them must be delivered: a client that fails is
    /// fast, and measures nothing.
    pub async fn publish(&mut self, messages: usize, payload: usize) -> Result<(), Failure> {
        let topic = || self.topic.clone();
        match &mut self.kind {
            Kind::Native(publisher) => {
                let qos = thingpost::Qos::AtMostOnce;
                let message = || thingpost::Message::new(topic(), vec![b'x'; payload], qos);
                let messages = (0..messages).map(|_| message()).collect();
                for outcome in publisher.publish_all(messages).await {
                    outcome.map_err(|error| error.to_string())?;
                }
                Ok(())
            }
            Kind::Reused(publisher) => publish(publisher, topic(), messages, payload).await,
            Kind::Fresh { component, transport, platform } => {
                let mut publisher = component.builder(transport.clone(), platform).open().await?;
                publish(&mut publisher, topic(), messages, payload).await
            }
            Kind::Mqtt(client, qos) => {
                let batch = mqtt::Batch { topic: &self.topic, messages, payload, qos: *qos };
                client.publish(&batch).await
            }
        }
    }
}

async fn publish(publisher: &mut Publisher, topic: String, messages: usize, payload: usize) -> Result<(), Failure> {
    let message = || Message::new(topic.clone(), vec![b'x'; payload], Qos::AtMostOnce);
    if messages == 1 {
        publisher.publish(&message()).await?.map_err(|error| error.explanation)?;
        return Ok(());
    }
    let messages: Vec<_> = (0..messages).map(|_| message()).collect();
    for outcome in publisher.publish_all(&messages).await? {
        outcome.map_err(|error| error.explanation)?;
    }
    Ok(())
}
