//! What comes.

use alloc::string::String;

use super::Session;
use super::link::Link;
use crate::error::{Error, Stage};
use crate::message::Qos;
use crate::mqtt::Situation;
use crate::mqtt::event::Event;
use crate::mqtt::packet::{self, Ack, Acks, Malformed, Packet, frame};
use crate::mqtt::reason;
use crate::mqtt::subscriptions::is_granted;
use crate::outcome::Receipt;

impl Session {
    /// Bytes came.
    pub fn received(&mut self, now_ms: u64, bytes: &[u8]) {
        if let Link::Online(online) = &mut self.link {
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
        matches!(self.link, Link::Greeting { .. } | Link::Online(_) | Link::Parting { .. })
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
                Ok(None) => Err(Malformed),
                Ok(Some(frame)) => {
                    taken += frame.length;
                    frame.read(self.config.version)
                }
                Err(malformed) => Err(malformed),
            };
            match packet {
                Ok(packet) => self.take(now_ms, packet),
                Err(_) => self.malformed(now_ms, rest.starts_with(b"HTTP/")),
            }
        }
        taken
    }

    /// Whether a packet that is not whole yet can become what is waited for: of HTTP, two bytes make a length that never
    /// comes.
    fn is_expected(&self, rest: &[u8]) -> bool {
        !matches!((&self.link, rest.first()), (Link::Greeting { .. }, Some(first)) if !packet::may_greet(*first))
    }

    /// Whoever waits for an acknowledgement sees that something comes.
    fn heard(&mut self, now_ms: u64) {
        if let Link::Online(online) = &mut self.link {
            online.silent_since_ms = online.silent_since_ms.map(|_| now_ms);
        }
    }

    fn take(&mut self, now_ms: u64, packet: Packet) {
        if packet != Packet::Pingresp {
            self.heard(now_ms);
        }
        if let Link::Greeting { .. } = self.link {
            return match packet {
                Packet::Connack(connack) => self.greeted(now_ms, connack),
                Packet::Disconnect { code, reason } => {
                    self.end(now_ms, reason::refused(Stage::Connection, code, reason));
                }
                _ => self.malformed(now_ms, false),
            };
        }
        match packet {
            Packet::Publish { packet, id } => {
                let acknowledge = id.map(|id| (self.generation, id));
                self.queue(Event::Message(packet), acknowledge);
            }
            Packet::Puback(ack) => self.acknowledged(now_ms, ack),
            Packet::Suback(acks) => self.subscribed(acks),
            Packet::Unsuback(acks) => self.unsubscribed(&acks),
            Packet::Pingresp => {
                self.has_acknowledged = false;
                if let Link::Parting { .. } = self.link {
                    self.link = self.goodbye(now_ms);
                }
            }
            Packet::Disconnect { code, reason } => {
                self.end(now_ms, reason::refused(Stage::Connection, code, reason));
            }
            Packet::Connack(_) => self.malformed(now_ms, false),
        }
    }

    fn acknowledged(&mut self, now_ms: u64, Ack { id, code, reason }: Ack) {
        self.silences = 0;
        if let Link::Online(online) = &mut self.link {
            online.is_cautious = false;
            online.has_unconfirmed = false;
        }
        // One that nobody waits for is of a message that was given up.
        let Some(entry) = self.outbox.acknowledged(id, now_ms) else { return };
        if is_granted(code) {
            let receipt = Receipt { message_id: None, trace_id: None, attempts: entry.attempts };
            self.tell(Event::Published { id: entry.id, receipt });
        } else {
            self.not_published(entry, |_| reason::refused(Stage::Publication, code, reason));
        }
    }

    /// Whether this identifier was one of a subscription, or of the end of one. It is free again.
    fn answered(&mut self, id: u16) -> bool {
        let Some(index) = self.asked.iter().position(|asked| *asked == id) else { return false };
        self.asked.remove(index);
        self.outbox.release(id);
        true
    }

    fn subscribed(&mut self, Acks { id, codes, reason }: Acks) {
        if !self.answered(id) {
            return;
        }
        for (filter, code) in self.subscriptions.subscribed(id, &codes) {
            let granted = match code {
                Some(0) => Ok(Qos::AtMostOnce),
                Some(code) if is_granted(code) => Ok(Qos::AtLeastOnce),
                code => {
                    // An answer that leaves one out grants it not.
                    let code = code.unwrap_or(0x80);
                    let error = reason::refused_subscription(self.config.version, code, reason.clone());
                    Err(self.about_subscription(error, &filter))
                }
            };
            self.tell(Event::Subscribed { filter, granted });
        }
    }

    fn unsubscribed(&mut self, acks: &Acks) {
        if !self.answered(acks.id) {
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

    pub(super) fn about_subscription(&self, error: Error, filter: &str) -> (Error, String) {
        let error = self.config.broker.redact(error);
        let explanation = self.explain(&error, &Situation::Subscription { filter });
        (error, explanation)
    }
}
