//! Whatever a client gets goes this way, the proxy's own words included: two writers would tear each other's packets
//! apart.

use std::collections::VecDeque;
use std::future::pending;
use std::io;

use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::forward::{self, Step};
use super::session::{Aliases, Session};
use super::throttle::Throttle;
use super::to_broker::ClientWriter;
use crate::chaos::Acknowledging;
use crate::mqtt::entry::MqttEnd;
use crate::mqtt::packet::{self, Kind, Packet, Publish};

/// What the proxy says to a client by itself.
pub(super) enum Say {
    Bytes(Vec<u8>),
    /// And then the connection ends like this.
    Last(Vec<u8>, MqttEnd),
}

/// The way from the broker to a client.
pub(super) struct ToClient<'a> {
    session: &'a Session<'a>,
    aliases: Aliases,
    /// Acknowledgements that are held back, in the order in which they came, with the time at which they go on.
    late: VecDeque<(Instant, LatePuback)>,
}

struct LatePuback {
    packet_id: u16,
    reason: u8,
    bytes: Vec<u8>,
}

impl<'a> ToClient<'a> {
    pub(super) fn new(session: &'a Session<'a>) -> Self {
        Self { session, aliases: Aliases::default(), late: VecDeque::new() }
    }

    /// Sends packets on until the connection is over.
    pub(super) async fn run(
        mut self,
        broker: &mut OwnedReadHalf,
        client: &mut ClientWriter,
        mut say: UnboundedReceiver<Say>,
    ) -> MqttEnd {
        let mut buffer = Vec::new();
        let mut throttle = Throttle::new(client, &self.session.proxy.link);
        loop {
            let sent = tokio::select! {
                // What the proxy has to say explains what the broker does next.
                biased;
                Some(said) = say.recv() => match said {
                    Say::Bytes(bytes) => throttle.send(&bytes).await.is_ok(),
                    Say::Last(bytes, end) => {
                        if throttle.send(&bytes).await.is_ok() {
                            let _gone_already = throttle.finish().await;
                        }
                        return end;
                    }
                },
                () = due(&self.late) => self.say_late(&mut throttle).await.is_ok(),
                () = throttle.due() => throttle.deliver().await.is_ok(),
                read = forward::read(broker, &mut buffer), if throttle.has_room() => {
                    if !matches!(read, Ok(1..)) {
                        let _gone_already = throttle.finish().await;
                        return self.session.end_by_broker();
                    }
                    let judge = |packet: &Packet<'_>| self.judge(packet);
                    // Whatever the broker says is a packet, and as long as it should be.
                    forward::whole_packets(&mut buffer, &mut throttle, usize::MAX, judge).await.is_ok()
                }
            };
            if !sent {
                // The client is gone. The other direction still has to read what it has said last.
                return pending().await;
            }
        }
    }

    /// Passes on what was held back for long enough.
    async fn say_late(&mut self, throttle: &mut Throttle<'_, &mut ClientWriter>) -> io::Result<()> {
        let now = Instant::now();
        while let Some((_, late)) = self.late.pop_front_if(|(at, _)| *at <= now) {
            self.session.acknowledge(late.packet_id, late.reason);
            throttle.send(&late.bytes).await?;
        }
        Ok(())
    }

    fn judge(&mut self, packet: &Packet<'_>) -> Step<()> {
        let session = self.session;
        match packet.kind {
            Kind::Connack => {
                if let Some(code) = packet::connack_code(packet) {
                    session.connack(code);
                    if let Some(connack) = self.capped(packet, code) {
                        return Step::Replace(connack);
                    }
                }
            }
            Kind::Puback => {
                if let Some((packet_id, reason)) = packet::acknowledged(packet) {
                    if session.proxy.link.take_puback() {
                        session.swallow(packet_id);
                        return Step::Withhold;
                    }
                    match session.proxy.conditions.acknowledge() {
                        Acknowledging::Now => session.acknowledge(packet_id, reason),
                        Acknowledging::Never => {
                            session.swallow(packet_id);
                            return Step::Withhold;
                        }
                        Acknowledging::Late(by) => {
                            let late = LatePuback { packet_id, reason, bytes: packet.to_bytes() };
                            self.late.push_back((Instant::now() + by, late));
                            return Step::Withhold;
                        }
                    }
                }
            }
            Kind::Publish => {
                if let Some(publish) = Publish::read(packet, session.is_version_5)
                    && let Some(topic) = self.aliases.topic(&publish)
                {
                    session.deliver(topic, &publish);
                }
            }
            Kind::Suback => {
                if let Some((packet_id, codes)) = packet::granted(packet, session.is_version_5) {
                    session.grant(packet_id, codes);
                }
            }
            Kind::Disconnect => session.server_disconnects(packet::disconnect_reason(packet)),
            _ => {}
        }
        Step::Pass
    }

    /// The CONNACK of MQTT 5 that names the keep-alive to a client whose own is capped.
    fn capped(&self, packet: &Packet<'_>, code: u8) -> Option<Vec<u8>> {
        let session = self.session;
        let cap = session.proxy.conditions.cap_keep_alive(session.keep_alive)?;
        // 0 would be none at all.
        let seconds = u16::try_from(cap.as_secs()).unwrap_or(u16::MAX).max(1);
        (session.is_version_5 && code == 0).then(|| packet::connack_with_keep_alive(packet, seconds))?
    }
}

/// Waits until the first of them goes on.
async fn due(late: &VecDeque<(Instant, LatePuback)>) {
    match late.front() {
        Some((at, _)) => sleep_until(*at).await,
        None => pending().await,
    }
}
