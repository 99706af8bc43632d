//! What goes out next, and the timers of a connection.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::connecting::connection_error;
use super::link::Link;
use super::{Session, not_taken};
use crate::error::{Cause, Error};
use crate::field::Field;
use crate::http::Failure;
use crate::message::{Qos, RequestProblem};
use crate::mqtt::event::Event;
use crate::mqtt::outbox::Entry;
use crate::mqtt::packet;
use crate::mqtt::subscriptions::Ask;
use crate::outcome::{Delivery, Receipt, Retry};

/// With so much to write nothing more is encoded: what waits as messages can still be exported, or dropped.
const HIGH_WATER: usize = 64 * 1024;

/// The patience with a silent broker doubles up to this many times: on a slow link the first answer to much takes longer
/// than any sensible timeout, and to give up then means to send it all again.
const MAX_DOUBLINGS: u32 = 4;

/// The first message may wait for its acknowledgement this many times as long while other things come.
const PATIENCES: u64 = 12;

impl Session {
    /// What is to be written.
    pub fn output(&self) -> &[u8] {
        self.output.pending()
    }

    /// The connection has taken so many bytes of it.
    pub fn written(&mut self, now_ms: u64, count: usize) {
        self.output.advance(count);
        while let Some(id) = self.output.next_written() {
            if let Some(entry) = self.outbox.written(id) {
                if let Link::Online(online) = &mut self.link {
                    online.has_unconfirmed = true;
                }
                let receipt = Receipt { message_id: None, trace_id: None, attempts: entry.attempts };
                self.tell(Event::Published { id, receipt });
            }
        }
        if let Link::Online(online) = &mut self.link
            && !self.output.is_empty()
        {
            // It is slow, and it goes on: what is to be answered may not have left yet.
            online.silent_since_ms = online.silent_since_ms.map(|_| now_ms);
            online.pinged_ms = online.pinged_ms.map(|_| now_ms);
            self.outbox.first_waits_from(now_ms);
        }
    }

    /// Encodes what may go, and looks at the timers. None if the connection was given up, and otherwise when to look again.
    pub(super) fn serve(&mut self, now_ms: u64) -> Option<Option<u64>> {
        self.ask(now_ms);
        let drains_ms = self.fill(now_ms);
        let is_awaiting = self.outbox.in_flight() > 0 || !self.asked.is_empty();
        let timeout_ms = u64::from(self.options.operation_timeout_ms);
        let patience_ms = timeout_ms << self.silences.min(MAX_DOUBLINGS);
        let is_deaf = !self.wants_input();
        let Link::Online(online) = &mut self.link else { return None };
        if is_deaf {
            // What is awaited may have come long ago, and lie behind what nobody takes.
            online.silent_since_ms = online.silent_since_ms.map(|_| now_ms);
            online.pinged_ms = online.pinged_ms.map(|_| now_ms);
            self.outbox.first_waits_from(now_ms);
        }

        // Silence from either side will do: who only sends would never learn that nobody hears.
        let ping_at_ms = online.last_sent_ms.min(online.last_received_ms).saturating_add(online.ping_after_ms);
        let mut pings_ms = None;
        if online.pinged_ms.is_none() {
            if ping_at_ms <= now_ms {
                packet::pingreq(self.output.buffer());
                online.pinged_ms = Some(now_ms);
                online.last_sent_ms = now_ms;
            } else {
                pings_ms = Some(ping_at_ms);
            }
        }
        let pong_ms = online.pinged_ms.map(|pinged_ms| pinged_ms.saturating_add(timeout_ms));
        let ack_ms = match is_awaiting {
            true => Some(online.silent_since_ms.get_or_insert(now_ms).saturating_add(patience_ms)),
            false => {
                online.silent_since_ms = None;
                None
            }
        };
        // However much else comes: AWS documents that it drops what exceeds its rates, and goes on.
        let first_ms = self.outbox.first_waits_since_ms().map(|ms| ms.saturating_add(PATIENCES * patience_ms));
        let is_over = |time_ms: Option<u64>| time_ms.is_some_and(|time_ms| time_ms <= now_ms);
        let (failure, detail) = if is_over(pong_ms) {
            (Failure::KeepAliveTimeout, None)
        } else if is_over(ack_ms) || is_over(first_ms) {
            (Failure::AnswerTimeout, Some("an acknowledgement is missing".to_owned()))
        } else {
            return Some([drains_ms, pings_ms, pong_ms, ack_ms, first_ms].into_iter().flatten().min());
        };
        self.silences = self.silences.saturating_add(1);
        self.end(now_ms, Error { detail, ..connection_error(Cause::Transport(failure), Retry::AfterMs(0)) });
        None
    }

    /// Subscriptions, and ends of them.
    fn ask(&mut self, now_ms: u64) {
        while self.output.pending().len() < HIGH_WATER
            && let Some(ask) = self.subscriptions.next()
        {
            let id = self.outbox.take_packet_id();
            let out = self.output.buffer();
            let start = out.len();
            let encoded = match &ask {
                Ask::Subscribe(all) => self.config.version.subscribe(id, all, out),
                Ask::Unsubscribe(filter) => self.config.version.unsubscribe(id, filter, out),
            };
            if encoded.is_err() {
                out.truncate(start);
                self.outbox.release(id);
                self.cannot_ask(ask);
                continue;
            }
            self.asked.push(id);
            self.subscriptions.asked(&ask, id);
            self.sent(now_ms);
        }
        if let Link::Online(online) = &mut self.link {
            online.is_resubscribing &= !self.subscriptions.is_settled();
        }
    }

    /// Filters have been checked; but what cannot be encoded must not be tried for ever.
    fn cannot_ask(&mut self, ask: Ask) {
        let filters = match ask {
            Ask::Subscribe(all) => all.into_iter().map(|one| one.filter).collect(),
            Ask::Unsubscribe(filter) => alloc::vec![filter],
        };
        for filter in filters {
            self.subscriptions.forget(&filter);
            let error = RequestProblem::from(Field::TopicFilter).into();
            let explained = self.about_subscription(error, &filter);
            self.tell(Event::Subscribed { filter, granted: Err(explained) });
        }
    }

    /// Messages. Says when the next one of the backlog may go.
    fn fill(&mut self, now_ms: u64) -> Option<u64> {
        while self.output.pending().len() < HIGH_WATER {
            let Link::Online(online) = &mut self.link else { return None };
            if online.is_resubscribing {
                return None;
            }
            let Some(first) = self.outbox.first_waiting() else {
                // Some of them may have been dropped for newer ones.
                online.backlog = 0;
                return None;
            };
            let in_flight = self.outbox.in_flight();
            if online.is_cautious && in_flight > 0 {
                return None;
            }
            if first.message.qos == Qos::AtLeastOnce && in_flight >= online.window {
                return None;
            }
            // What was sent before has had its turn.
            if first.packet_id.is_none() && online.backlog > 0 {
                let at_ms = online.drain_at_us.div_ceil(1000);
                if now_ms < at_ms {
                    return Some(at_ms);
                }
                online.backlog -= 1;
                if let Some(pause_us) = 1_000_000_u64.checked_div(self.options.drain_per_second.into()) {
                    online.drain_at_us = online.drain_at_us.saturating_add(pause_us);
                }
            }
            let entry = self.outbox.pop_waiting()?;
            self.send(now_ms, entry);
        }
        None
    }

    fn send(&mut self, now_ms: u64, mut entry: Entry) {
        let is_duplicate = entry.packet_id.is_some();
        if let Some(cause) = self.unfit(&entry) {
            return self.not_sent(entry, is_duplicate, cause);
        }
        if entry.message.qos == Qos::AtLeastOnce && entry.packet_id.is_none() {
            entry.packet_id = Some(self.outbox.take_packet_id());
        }
        let start = self.output.buffer().len();
        let publish = packet::Publish {
            message: &entry.message,
            topic: &entry.topic,
            id: entry.packet_id,
            duplicate: is_duplicate,
        };
        let encoded = publish.encode(self.config.version, self.output.buffer());
        let length = self.output.buffer().len() - start;
        let cause = match encoded {
            Err(_) => Some(Cause::InvalidRequest),
            Ok(()) => self.too_large(length),
        };
        if let Some(cause) = cause {
            self.output.buffer().truncate(start);
            return self.not_sent(entry, is_duplicate, cause);
        }
        entry.end = self.output.end();
        entry.attempts = entry.attempts.saturating_add(1);
        if entry.message.qos == Qos::AtMostOnce {
            self.output.ends_message(entry.id);
        }
        // Kept for an explanation; topics rarely change, and then nothing is allocated.
        let last_topic = self.last_topic.get_or_insert_with(String::new);
        last_topic.clone_from(&entry.topic);
        self.outbox.sent(entry, now_ms);
        self.sent(now_ms);
    }

    /// This broker does not take it. An earlier connection may have led to one that did.
    fn not_sent(&mut self, entry: Entry, was_sent_before: bool, cause: Cause) {
        if let Some(packet_id) = entry.packet_id {
            self.outbox.release(packet_id);
        }
        let delivery = if was_sent_before { Delivery::Unknown } else { Delivery::NotSent };
        self.not_published(entry, |_| Error { delivery, retry: Retry::Never, ..not_taken(cause) });
    }

    fn sent(&mut self, now_ms: u64) {
        if let Link::Online(online) = &mut self.link {
            online.last_sent_ms = now_ms;
        }
    }

    /// Why this broker does not take the message.
    fn unfit(&self, entry: &Entry) -> Option<Cause> {
        let Link::Online(online) = &self.link else { return None };
        let is_retained = entry.message.retain && !online.limits.takes_retained;
        let is_qos_1 = entry.message.qos == Qos::AtLeastOnce && !online.limits.takes_qos_1;
        (is_retained || is_qos_1).then_some(Cause::Unsupported)
    }

    fn too_large(&self, length: usize) -> Option<Cause> {
        let Link::Online(online) = &self.link else { return None };
        let limit = online.limits.max_packet_bytes? as usize;
        (length > limit).then_some(Cause::PayloadTooLarge)
    }
}
