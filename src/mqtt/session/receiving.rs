//! What comes.

use alloc::string::String;

use super::Session;
use super::connection_state::ConnectionState;
use crate::error::{Error, Stage};
use crate::message::Qos;
use crate::mqtt::MqttErrorContext;
use crate::mqtt::Version;
use crate::mqtt::entry::Entry;
use crate::mqtt::event::Event;
use crate::mqtt::packet::{self, Ack, Acks, Malformed, Packet, frame};
use crate::mqtt::reason;
use crate::mqtt::subscriptions::is_granted;
use crate::mqtt::subscriptions::rest_ms;
use crate::outcome::{Receipt, Retry};

/// For a subscription that is refused for now, where messages have no timeout.
const SUBSCRIPTION_PATIENCE_MS: u64 = 60_000;

impl Session {
    /// Takes bytes that came over the connection.
    pub fn handle_input(&mut self, now_ms: u64, bytes: &[u8]) {
        if let ConnectionState::Online(online) = &mut self.state {
            online.last_received_ms = now_ms;
            online.pinged_ms = None;
        }
        // Packets rarely come in pieces, and what is whole need not be kept.
        if self.input.is_empty() {
            let taken = self.read(now_ms, bytes);
            if self.is_listening() {
                self.input.extend_from_slice(&bytes[taken..]);
            }
        } else {
            let mut input = core::mem::take(&mut self.input);
            input.extend_from_slice(bytes);
            let taken = self.read(now_ms, &input);
            if self.is_listening() {
                input.drain(..taken);
                self.input = input;
            }
        }
    }

    fn is_listening(&self) -> bool {
        matches!(
            self.state,
            ConnectionState::Greeting { .. } | ConnectionState::Online(_) | ConnectionState::Parting { .. }
        )
    }

    /// Reads packets, and says how many bytes they took.
    fn read(&mut self, now_ms: u64, input: &[u8]) -> usize {
        let mut taken = 0;
        while self.is_listening() {
            let rest = &input[taken..];
            let packet = match frame(rest) {
                Ok(None) if self.is_expected(rest) => {
                    // A large packet in the making is a sign of life too.
                    if !rest.is_empty() {
                        self.heard(now_ms);
                    }
                    break;
                }
                Ok(None) => Err(Malformed::NoFrame),
                Ok(Some(frame)) => {
                    taken += frame.length;
                    frame.read(self.config.version)
                }
                Err(malformed) => Err(malformed),
            };
            match packet {
                Ok(packet) => self.take(now_ms, packet),
                Err(malformed) => self.unreadable(now_ms, malformed, rest),
            }
        }
        taken
    }

    /// Whether a packet that is not whole yet can become what is waited for: of HTTP, two bytes make a length that never
    /// comes.
    fn is_expected(&self, rest: &[u8]) -> bool {
        !matches!((&self.state, rest.first()), (ConnectionState::Greeting { .. }, Some(first)) if !packet::may_greet(*first))
    }

    /// Something has come, which answers the question whether the connection is alive.
    fn heard(&mut self, now_ms: u64) {
        if let ConnectionState::Online(online) = &mut self.state {
            online.silent_since_ms = online.silent_since_ms.map(|_| now_ms);
        }
    }

    fn take(&mut self, now_ms: u64, packet: Packet) {
        self.heard(now_ms);
        if let ConnectionState::Greeting { .. } = self.state {
            return match packet {
                Packet::Connack(connack) => self.greeted(now_ms, connack),
                Packet::Disconnect { code, reason, elsewhere } => self.dismissed(now_ms, code, reason, elsewhere),
                other => {
                    self.broken(now_ms, Malformed::Broken(other.name(), "it came in place of CONNACK"), Retry::Never);
                }
            };
        }
        match packet {
            Packet::Publish { packet, id } => {
                let acknowledge = id.map(|id| (self.generation, id));
                self.queue(Event::Message(packet), acknowledge);
            }
            Packet::Puback(ack) => self.acknowledged(now_ms, ack),
            Packet::Suback(acks) => self.subscribed(now_ms, acks),
            Packet::Unsuback(acks) => self.unsubscribed(now_ms, &acks),
            Packet::Pingresp => {
                self.has_acknowledged = false;
                if let ConnectionState::Parting { .. } = self.state {
                    self.state = self.goodbye(now_ms);
                }
            }
            Packet::Disconnect { code, reason, elsewhere } => self.dismissed(now_ms, code, reason, elsewhere),
            Packet::Connack(_) => self.broken(now_ms, Malformed::Broken("CONNACK", "a second one came"), Retry::Never),
        }
    }

    /// The broker says goodbye.
    fn dismissed(&mut self, now_ms: u64, code: u8, reason: Option<String>, elsewhere: Option<String>) {
        let detail = elsewhere.map(|server| reason::elsewhere(&server));
        self.end(now_ms, Error { detail, ..reason::refused(Stage::Connection, code, reason) });
    }

    fn acknowledged(&mut self, now_ms: u64, Ack { id, code, reason }: Ack) {
        self.silences = 0;
        if let ConnectionState::Online(online) = &mut self.state {
            online.is_cautious = false;
            online.has_unconfirmed = false;
        }
        // One that is not waited for is of a message that was given up.
        let Some(mut entry) = self.outbox.acknowledged(id, now_ms) else { return };
        // Brokers take messages in their order.
        self.last_topic.take_if(|(_, end)| *end <= entry.end);
        if is_granted(code) {
            self.rate.accepted(now_ms);
            let receipt = Receipt { message_id: None, trace_id: None, attempts: entry.attempts };
            return self.tell(Event::Published { id: entry.id, receipt });
        }
        entry.refusals = entry.refusals.saturating_add(1);
        if reason::is_for_now(code) {
            // Only what is refused for the first time tells of the pace: one that is refused each time slows down no other.
            if entry.refusals == 1 {
                self.rate.refused(now_ms);
            }
            let deadline_ms = self.message_deadline_ms(&entry);
            if now_ms < deadline_ms {
                entry.packet_id = None;
                entry.rests_until_ms = now_ms.saturating_add(rest_ms(entry.refusals)).min(deadline_ms);
                return self.outbox.rest(entry);
            }
        }
        let error = reason::refused(Stage::Publication, code, reason);
        self.not_published(entry, |entry| Error { delivery: entry.delivery(), ..error });
    }

    /// Until when the message is tried.
    pub(super) fn message_deadline_ms(&self, entry: &Entry) -> u64 {
        match (self.options.message_timeout_ms, entry.first_sent_ms) {
            (0, _) | (_, None) => u64::MAX,
            (timeout_ms, Some(first_ms)) => first_ms.saturating_add(timeout_ms.into()),
        }
    }

    /// Whether this identifier was one of a subscription, or of the end of one. It is free again.
    fn answered(&mut self, now_ms: u64, id: u16) -> bool {
        let Some(index) = self.asked.iter().position(|asked| *asked == id) else { return false };
        self.asked.remove(index);
        self.outbox.release(id);
        if let ConnectionState::Online(online) = &mut self.state {
            online.asked_since_ms = (!self.asked.is_empty()).then_some(now_ms);
        }
        true
    }

    fn subscribed(&mut self, now_ms: u64, Acks { id, codes, reason }: Acks) {
        if !self.answered(now_ms, id) {
            return;
        }
        self.silences = 0;
        for (filter, code) in self.subscriptions.subscribed(id, &codes) {
            // An answer that leaves one out grants it not. MQTT 3.1.1 has one refusal, which says nothing of the time.
            let code = code.unwrap_or(0x80);
            if self.config.version == Version::V5
                && reason::is_for_now(code)
                && self.subscriptions.rest(&filter, now_ms, self.subscription_patience_ms())
            {
                continue;
            }
            let granted = match code {
                0 => Ok(Qos::AtMostOnce),
                code if is_granted(code) => Ok(Qos::AtLeastOnce),
                code => {
                    let error = reason::refused_subscription(self.config.version, code, reason.clone());
                    self.subscriptions.forget(&filter);
                    Err(self.about_subscription(error, &filter))
                }
            };
            self.tell(Event::Subscribed { filter, granted });
        }
    }

    fn unsubscribed(&mut self, now_ms: u64, acks: &Acks) {
        if !self.answered(now_ms, acks.id) {
            return;
        }
        let Some(filter) = self.subscriptions.unsubscribed(acks.id) else { return };
        let code = acks.codes.first().copied().filter(|code| !is_granted(*code));
        let error = code.map(|code| {
            let error = reason::refused(Stage::Publication, code, acks.reason.clone());
            self.about_subscription(error, &filter)
        });
        self.tell(Event::Unsubscribed { filter, error });
    }

    /// For how long a subscription is tried that is refused for now.
    fn subscription_patience_ms(&self) -> u64 {
        match self.options.message_timeout_ms {
            0 => SUBSCRIPTION_PATIENCE_MS,
            timeout_ms => timeout_ms.into(),
        }
    }

    pub(super) fn about_subscription(&self, error: Error, filter: &str) -> (Error, String) {
        let error = self.config.broker.redact(error);
        let explanation = self.explain(&error, &MqttErrorContext::Subscription { filter });
        (error, explanation)
    }
}
