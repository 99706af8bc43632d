//! What a client sends is judged before the broker hears of it: after that it cannot be taken back.

use std::future::pending;

use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::server::TlsStream;

use super::forward::{self, Step, Stop};
use super::session::{Aliases, Session};
use super::throttle::Throttle;
use super::to_client::Say;
use crate::chaos::{Allowance, Receiving};
use crate::mqtt::access::{Ruling, reason};
use crate::mqtt::entry::{MqttEnd, MqttEntry, MqttFate, MqttUnsubscribe};
use crate::mqtt::link_faults::PublishMoment;
use crate::mqtt::packet::{self, Kind, Packet, Publish, Subscribe, Unsubscribe};

/// What clients' bytes are read from.
pub(super) type ClientReader = ReadHalf<TlsStream<TcpStream>>;
/// What bytes for clients are written to.
pub(super) type ClientWriter = WriteHalf<TlsStream<TcpStream>>;

/// The way from a client to the broker.
pub(super) struct ToBroker<'a> {
    session: &'a Session<'a>,
    /// What the proxy has to say to the client by itself.
    say: UnboundedSender<Say>,
    aliases: Aliases,
    /// Of the quota of this connection.
    allowance: Allowance,
    heard: Instant,
}

impl<'a> ToBroker<'a> {
    pub(super) fn new(session: &'a Session<'a>, say: UnboundedSender<Say>) -> Self {
        Self { session, say, aliases: Aliases::default(), allowance: Allowance::default(), heard: Instant::now() }
    }

    /// Sends packets on until the connection is over. The buffer holds what the client has sent so far: its CONNECT,
    /// and whatever it did not wait with.
    pub(super) async fn run(
        mut self,
        client: &mut ClientReader,
        broker: &mut OwnedWriteHalf,
        mut buffer: Vec<u8>,
    ) -> MqttEnd {
        let mut throttle = Throttle::new(broker, &self.session.proxy.link);
        let longest = self.session.proxy.access.longest_packet();
        loop {
            let judge = |packet: &Packet<'_>| self.judge(packet);
            if let Err(stop) = forward::whole_packets(&mut buffer, &mut throttle, longest, judge).await {
                return self.stop(stop, &mut throttle).await;
            }
            tokio::select! {
                () = self.is_given_up() => {
                    let ending = closing(self.session, reason::KEEP_ALIVE_TIMEOUT);
                    return self.end(ending, &mut throttle).await;
                }
                read = forward::read(client, &mut buffer), if throttle.has_room() => {
                    self.heard = Instant::now();
                    if !matches!(read, Ok(1..)) {
                        let _gone_already = throttle.finish().await;
                        return self.session.end_by_client();
                    }
                }
                () = throttle.due() => {
                    if throttle.deliver().await.is_err() {
                        return pending().await;
                    }
                }
            }
        }
    }

    async fn stop(&self, stop: Stop<Ending>, throttle: &mut Throttle<'_, &mut OwnedWriteHalf>) -> MqttEnd {
        let ending = match stop {
            Stop::Said(ending) => ending,
            Stop::Malformed => self.ending(reason::MALFORMED, MqttEnd::ProtocolError),
            Stop::TooLong => self.ending(reason::PACKET_TOO_LARGE, MqttEnd::ServerClosed),
            // The broker is gone. Why, stands in what it has said last, which the other direction still has to read.
            Stop::Broken => return pending().await,
        };
        self.end(ending, throttle).await
    }

    async fn end(&self, ending: Ending, throttle: &mut Throttle<'_, &mut OwnedWriteHalf>) -> MqttEnd {
        let _gone_already = throttle.finish().await;
        if ending.last.is_empty() {
            return ending.end;
        }
        let said = self.say.send(Say::Last(ending.last, ending.end));
        debug_assert!(said.is_ok(), "both directions end together");
        pending().await
    }

    /// Waits until the client was silent for too long, by the cap of the cloud. What is within the client's own
    /// keep-alive is the broker's affair.
    async fn is_given_up(&self) {
        let Some(cap) = self.session.proxy.conditions.cap_keep_alive(self.session.keep_alive) else {
            return pending().await;
        };
        let patience = cap + cap / 2;
        let mut at = self.heard + patience;
        loop {
            sleep_until(at).await;
            if self.session.is_answered() {
                return;
            }
            // It is the broker that is slow, and the client has nothing to say yet.
            at = Instant::now() + patience;
        }
    }

    fn judge(&mut self, packet: &Packet<'_>) -> Step<Ending> {
        self.judge_known(packet)
            .unwrap_or_else(|| Step::StopBefore(self.ending(reason::MALFORMED, MqttEnd::ProtocolError)))
    }

    /// Nothing when it is malformed.
    fn judge_known(&mut self, packet: &Packet<'_>) -> Option<Step<Ending>> {
        let session = self.session;
        match packet.kind {
            Kind::Publish => return self.judge_publish(&Publish::read(packet, session.is_version_5)?),
            Kind::Subscribe => return Some(self.judge_subscribe(&Subscribe::read(packet, session.is_version_5)?)),
            Kind::Unsubscribe => {
                let unsubscribe = Unsubscribe::read(packet, session.is_version_5)?;
                let filters = unsubscribe.filters.iter().map(|&filter| filter.to_owned()).collect();
                let entry = MqttUnsubscribe { connection: session.connection, filters };
                session.proxy.ledger.record(MqttEntry::Unsubscribe(entry));
            }
            Kind::Puback => session.confirm(packet::acknowledged(packet)?.0),
            Kind::Disconnect => session.client_disconnects(packet::disconnect_reason(packet)),
            // The broker knows what to make of these, of a second CONNECT too.
            _ => {}
        }
        Some(Step::Pass)
    }

    /// Nothing when it has an alias that stands for nothing.
    fn judge_publish(&mut self, publish: &Publish<'_>) -> Option<Step<Ending>> {
        let session = self.session;
        let topic = self.aliases.topic(publish)?;
        let (fate, step) = match session.proxy.access.publish(&session.client_id, topic, publish) {
            Ruling::Pass => match session.proxy.link.take_publish() {
                None => {
                    let (qos, now) = (publish.qos, Instant::now());
                    let received =
                        session.proxy.conditions.receive(&mut self.allowance, qos, session.is_version_5, now);
                    receive(session, &self.say, received, publish)
                }
                Some(PublishMoment::BeforeForwarding) => (MqttFate::Dropped, Step::StopBefore(Ending::FAULT)),
                Some(PublishMoment::AfterForwarding) => (MqttFate::Forwarded, Step::StopAfter(Ending::FAULT)),
            },
            Ruling::Deny => match publish.packet_id {
                Some(packet_id) if session.is_version_5 => {
                    let _ends_with_us = self.say.send(Say::Bytes(packet::puback(packet_id, reason::NOT_AUTHORIZED)));
                    (MqttFate::Refused, Step::Withhold)
                }
                _ => (MqttFate::Refused, Step::StopBefore(closing(session, reason::NOT_AUTHORIZED))),
            },
            Ruling::Close(reason) => (MqttFate::Refused, Step::StopBefore(closing(session, reason))),
        };
        session.publish(topic, publish, fate);
        Some(step)
    }

    fn judge_subscribe(&self, subscribe: &Subscribe<'_>) -> Step<Ending> {
        let session = self.session;
        session.subscribe(subscribe);
        match session.proxy.access.subscribe(&session.client_id, subscribe) {
            Ruling::Pass => Step::Pass,
            Ruling::Deny => {
                let code = if session.is_version_5 { reason::NOT_AUTHORIZED } else { 0x80 };
                let count = subscribe.filters.len();
                session.grant(subscribe.packet_id, &vec![code; count]);
                let suback = packet::suback(subscribe.packet_id, code, count, session.is_version_5);
                let _ends_with_us = self.say.send(Say::Bytes(suback));
                Step::Withhold
            }
            Ruling::Close(reason) => Step::StopBefore(closing(session, reason)),
        }
    }

    /// An end with a reason for clients that can be told, and with another name for it.
    fn ending(&self, reason: u8, end: MqttEnd) -> Ending {
        Ending { end, ..closing(self.session, reason) }
    }
}

/// How a connection is to end.
struct Ending {
    /// What the client is still told.
    last: Vec<u8>,
    end: MqttEnd,
}

impl Ending {
    const FAULT: Self = Self { last: Vec::new(), end: MqttEnd::Fault };
}

/// Does with a message what the conditions say.
fn receive(
    session: &Session<'_>,
    say: &UnboundedSender<Say>,
    received: Receiving,
    publish: &Publish<'_>,
) -> (MqttFate, Step<Ending>) {
    match received {
        Receiving::Take => (MqttFate::Forwarded, Step::Pass),
        Receiving::Refuse(reason) => {
            if let Some(packet_id) = publish.packet_id {
                let _ends_with_us = say.send(Say::Bytes(packet::puback(packet_id, reason)));
            }
            (MqttFate::Refused, Step::Withhold)
        }
        Receiving::Drop => (MqttFate::Dropped, Step::Withhold),
        Receiving::Close(reason) => (MqttFate::Refused, Step::StopBefore(closing(session, reason))),
        Receiving::ResetBefore => {
            session.reset_at_the_end();
            (MqttFate::Dropped, Step::StopBefore(Ending::FAULT))
        }
        Receiving::ResetAfter => {
            session.reset_at_the_end();
            (MqttFate::Forwarded, Step::StopAfter(Ending::FAULT))
        }
    }
}

/// An end that the cloud makes.
fn closing(session: &Session<'_>, reason: u8) -> Ending {
    if session.is_version_5 {
        Ending { last: packet::disconnect(reason), end: MqttEnd::ServerDisconnect { reason } }
    } else {
        Ending { last: Vec::new(), end: MqttEnd::ServerClosed }
    }
}
