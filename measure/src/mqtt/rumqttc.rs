//! rumqttc, the client of MQTT that most Rust programs use: a loop that has the connection, and a channel to it.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, QoS, TlsConfiguration, Transport};
use thingpost::Qos;

use super::device::{MqttDevice, client_id};
use super::{Batch, IN_FLIGHT, KEEP_ALIVE_S};
use crate::Failure;
use crate::server::mqtt::ENDPOINT;

/// So many messages may wait in the channel.
const CHANNEL: usize = 100;

pub(crate) struct Client {
    client: AsyncClient,
    event_loop: EventLoop,
}

impl Client {
    pub async fn connect(device: &MqttDevice) -> Result<Self, Failure> {
        let mut options = MqttOptions::new(client_id(), ENDPOINT, device.port());
        options.set_keep_alive(Duration::from_secs(KEEP_ALIVE_S.into()));
        options.set_inflight(IN_FLIGHT);
        options.set_transport(Transport::Tls(TlsConfiguration::Rustls(device.tls())));
        let (client, mut event_loop) = AsyncClient::new(options, CHANNEL);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        event_loop.set_network_options(network);
        // It reports an attempt that fails, and gives each a few seconds.
        while !matches!(event_loop.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
        Ok(Self { client, event_loop })
    }

    pub async fn publish(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let publishing = async {
            for qos in batch.each() {
                let qos = match qos {
                    Qos::AtMostOnce => QoS::AtMostOnce,
                    Qos::AtLeastOnce => QoS::AtLeastOnce,
                };
                self.client.publish(batch.topic, qos, false, batch.payload()).await?;
            }
            Ok(())
        };
        let serving = async {
            let mut left = batch.each().filter(|qos| *qos == Qos::AtLeastOnce).count();
            while left > 0 {
                if let Event::Incoming(Packet::PubAck(_)) = self.event_loop.poll().await? {
                    left -= 1;
                }
            }
            Ok(())
        };
        tokio::try_join!(publishing, serving).map(drop)
    }
}
