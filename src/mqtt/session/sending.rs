//! What goes out next, and the timers of a connection.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use super::connecting::connection_error;
use super::connection_state::ConnectionState;
use super::{Session, not_taken};
use crate::error::{Cause, Error};
use crate::field::Field;
use crate::http::TransportErrorKind;
use crate::message::{Qos, RequestError};
use crate::mqtt::entry::Entry;
use crate::mqtt::event::Event;
use crate::mqtt::packet;
use crate::mqtt::subscriptions::Ask;
use crate::outcome::{Delivery, Receipt, Retry};

/// With so much to write nothing more is encoded: what waits as messages can still be exported, or dropped.
const HIGH_WATER: usize = 64 * 1024;

/// The patience with silence doubles up to this many times: on a slow link the first answer to much takes longer
/// than any sensible timeout, and to give up then means to send it all again.
const MAX_DOUBLINGS: u32 = 4;

/// So much may wait for its acknowledgement, or one message. Of more, all would have their time running while they queue behind
/// each other on a slow link; and AWS takes 512 KB per second on a connection, so over a link whose answers take a quarter of a
/// second this costs nothing.
const MAX_UNACKNOWLEDGED_BYTES: u64 = 128 * 1024;

/// The slowest link that is not taken for a dead one, in bytes per second: what is on its way may lie in buffers that nobody here
/// sees, and a PINGREQ lies behind it. NB-IoT has tens of KB, a bad satellite link one.
const SLOWEST_LINK: u64 = 1024;

/// So many messages that were refused for now do not keep others from being sent.
const MAX_RESTING: usize = 1000;

/// Where a message has no time of its own, the first one may wait for its acknowledgement this many times as long while other things come.
const PATIENCES: u64 = 12;

/// A subscription may wait this many times as long: to ask once more does no harm, and messages wait for it after a reconnect.
const PATIENCES_OF_ASKING: u64 = 4;

impl Session {
    /// The bytes that are to be written, as far as the connection takes them.
    pub fn output(&self) -> &[u8] {
        self.output.pending()
    }

    /// Takes note that the connection has taken so many bytes of the [output](Self::output).
    pub fn handle_written(&mut self, now_ms: u64, count: usize) {
        self.output.advance(count);
        while let Some(id) = self.output.next_written() {
            if let Some(entry) = self.outbox.written(id) {
                if let ConnectionState::Online(online) = &mut self.state {
                    online.has_unconfirmed = true;
                }
                let receipt = Receipt { message_id: None, trace_id: None, attempts: entry.attempts };
                self.tell(Event::Published { id, receipt });
            }
        }
        if !self.output.is_empty() {
            // It is slow, and it goes on.
            self.cannot_have_heard(now_ms);
        }
    }

    /// Encodes what may go, and looks at the timers. None if the connection was given up, and otherwise when to look again.
    pub(super) fn serve(&mut self, now_ms: u64) -> Option<Option<u64>> {
        self.give_up_overdue(now_ms);
        if self.is_worn_out() && self.outbox.has_given_up_overdue() {
            self.rate.slow_down(now_ms);
            let detail = Some("acknowledgements are missing, though the broker is there".to_owned());
            let cause = Cause::Transport(TransportErrorKind::AnswerTimeout);
            self.end(now_ms, Error { detail, ..connection_error(cause, Retry::AfterMs(0)) });
            return None;
        }
        let rested_ms = self.outbox.wake(now_ms);
        let wanted_ms = self.subscriptions.wake(now_ms);
        self.ask(now_ms);
        let fills_ms = self.fill(now_ms);
        if !self.wants_input() {
            self.cannot_have_heard(now_ms);
        }
        let overdue_ms = self.overdue_ms(now_ms);
        match self.look_at_silence(now_ms) {
            Ok(silence_ms) => {
                Some([rested_ms, wanted_ms, fills_ms, overdue_ms, silence_ms].into_iter().flatten().min())
            }
            Err(error) => {
                self.end(now_ms, error);
                None
            }
        }
    }

    /// What is awaited may have come long ago, and lie behind what is not taken; or the question has not left yet.
    fn cannot_have_heard(&mut self, now_ms: u64) {
        if let ConnectionState::Online(online) = &mut self.state {
            online.silent_since_ms = online.silent_since_ms.map(|_| now_ms);
            online.pinged_ms = online.pinged_ms.map(|_| now_ms);
            online.asked_since_ms = online.asked_since_ms.map(|_| now_ms);
            self.outbox.first_waits_from(now_ms);
        }
    }

    /// Messages without an answer when their time is over: not in the order in which they were sent, as one that was refused for
    /// now is sent behind others and had its time before them.
    fn give_up_overdue(&mut self, now_ms: u64) {
        while let Some(index) = self.overdue(now_ms)
            && let Some(entry) = self.outbox.give_up_unanswered(index, now_ms)
        {
            let cause = Cause::Transport(TransportErrorKind::AnswerTimeout);
            let detail = Some("no acknowledgement came in its time".to_owned());
            self.not_published(entry, |_| Error {
                delivery: Delivery::Unknown,
                retry: Retry::AfterMs(0),
                detail,
                ..not_taken(cause)
            });
        }
    }

    /// One whose time is over. Whether it is leaving, or its answer is not read, is known when something has moved.
    fn overdue(&self, now_ms: u64) -> Option<usize> {
        let is_over = |entry: &Entry| self.answer_deadline_ms(entry) <= now_ms && self.output.is_written(entry.end);
        self.outbox.unacknowledged().position(is_over).filter(|_| self.wants_input())
    }

    /// Until when its acknowledgement is waited for. What was sent again has time to be answered, or it was sent in vain.
    fn answer_deadline_ms(&self, entry: &Entry) -> u64 {
        let deadline_ms = self.message_deadline_ms(entry);
        match entry.attempts {
            0 | 1 => deadline_ms,
            _ => deadline_ms.max(entry.sent_ms.saturating_add(self.options.operation_timeout_ms.into())),
        }
    }

    /// When the next one is to be given up.
    fn overdue_ms(&self, now_ms: u64) -> Option<u64> {
        let deadlines = self.outbox.unacknowledged().map(|entry| self.answer_deadline_ms(entry));
        deadlines.filter(|at_ms| *at_ms > now_ms && *at_ms < u64::MAX).min()
    }

    /// The broker counts what was given up until it acknowledges it or the connection ends. With each of those fewer others may
    /// be under way, until none may, and then nothing would ever end. A new connection costs less than half of the window, but not
    /// while others would have to be sent twice for it.
    fn is_worn_out(&self) -> bool {
        let ConnectionState::Online(online) = &self.state else { return false };
        let window = if online.is_cautious { 1 } else { online.window };
        let given_up = self.outbox.given_up();
        given_up > 0 && self.outbox.in_flight() == given_up && 2 * given_up >= window && self.wants_input()
    }

    /// Asks whether the broker is there when it says nothing, and says when to look again; or why the connection is dead.
    ///
    /// A broker may take longer for an acknowledgement than anybody has patience with a dead connection, and to connect anew
    /// for it means to send everything twice. So in the middle of the patience it is asked, and as long as it answers it is
    /// alive. Of an acknowledgement that is missing for long all the same the connection is made anew, as there is no other
    /// way to send a message again: AWS documents that it drops what exceeds its rates, and goes on.
    fn look_at_silence(&mut self, now_ms: u64) -> Result<Option<u64>, Error> {
        let is_awaiting = self.outbox.in_flight() > 0 || !self.asked.is_empty();
        let is_any_missing = self.outbox.in_flight() > self.outbox.given_up() || self.is_worn_out();
        let waits_since_ms = self.outbox.first_waits_since_ms().filter(|_| is_any_missing);
        let timeout_ms = u64::from(self.options.operation_timeout_ms);
        let transfer_ms = self.outbox.unacknowledged_bytes() / SLOWEST_LINK * 1000;
        let patience_ms = (timeout_ms << self.silences.min(MAX_DOUBLINGS)).saturating_add(transfer_ms);
        let ConnectionState::Online(online) = &mut self.state else { return Ok(None) };
        let silent_since_ms = match is_awaiting {
            true => Some(*online.silent_since_ms.get_or_insert(now_ms)),
            false => {
                online.silent_since_ms = None;
                None
            }
        };
        let after = |since_ms: Option<u64>, ms: u64| since_ms.map(|since_ms| since_ms.saturating_add(ms));

        // Silence from either side will do: a client that only sends would never learn that it is not heard.
        let quiet_ms = online.last_sent_ms.min(online.last_received_ms).saturating_add(online.ping_after_ms);
        let ping_at_ms = after(silent_since_ms, patience_ms / 2).map_or(quiet_ms, |doubt_ms| doubt_ms.min(quiet_ms));
        let pings_ms = online.pinged_ms.is_none().then_some(ping_at_ms);
        if pings_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            packet::pingreq(self.output.buffer());
            online.pinged_ms = Some(now_ms);
            online.last_sent_ms = now_ms;
        }
        let pings_ms = pings_ms.filter(|at_ms| *at_ms > now_ms);
        let pong_ms = after(online.pinged_ms, timeout_ms.max(patience_ms / 2));
        let silent_ms = after(silent_since_ms, patience_ms);
        let long_ms = match u64::from(self.options.message_timeout_ms) {
            0 => PATIENCES * patience_ms,
            // Once again within its time, but not before it is late.
            message_ms => (message_ms / 2).max(2 * patience_ms),
        };
        let late_ms = after(waits_since_ms, long_ms);
        let asked_ms = after(online.asked_since_ms, PATIENCES_OF_ASKING * patience_ms);

        let is_over = |time_ms: Option<u64>| time_ms.is_some_and(|time_ms| time_ms <= now_ms);
        let missing = |failure, detail: Option<&str>| {
            let detail = detail.map(ToOwned::to_owned);
            Err(Error { detail, ..connection_error(Cause::Transport(failure), Retry::AfterMs(0)) })
        };
        if is_over(silent_ms) {
            self.silences = self.silences.saturating_add(1);
            return missing(
                TransportErrorKind::AnswerTimeout,
                Some("an acknowledgement is missing, and nothing else comes either"),
            );
        }
        if is_over(late_ms) || is_over(asked_ms) {
            self.silences = self.silences.saturating_add(1);
            if is_over(late_ms) {
                self.rate.slow_down(now_ms);
            }
            return missing(
                TransportErrorKind::AnswerTimeout,
                Some("an acknowledgement is missing, though the broker is there"),
            );
        }
        if is_over(pong_ms) {
            return missing(TransportErrorKind::KeepAliveTimeout, None);
        }
        Ok([pings_ms, pong_ms, silent_ms, late_ms, asked_ms].into_iter().flatten().min())
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
            if let ConnectionState::Online(online) = &mut self.state {
                online.asked_since_ms.get_or_insert(now_ms);
            }
            self.sent(now_ms);
        }
        if let ConnectionState::Online(online) = &mut self.state {
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
            let error = RequestError::from(Field::TopicFilter).into();
            let explained = self.about_subscription(error, &filter);
            self.tell(Event::Subscribed { filter, granted: Err(explained) });
        }
    }

    /// Messages. Says when the next one may go.
    fn fill(&mut self, now_ms: u64) -> Option<u64> {
        while self.output.pending().len() < HIGH_WATER {
            let ConnectionState::Online(online) = &mut self.state else { return None };
            if online.is_resubscribing {
                return None;
            }
            let first = self.outbox.first_waiting()?;
            if first.expires_in_ms(now_ms) == Some(0) {
                if let Some(entry) = self.outbox.pop_waiting() {
                    self.outbox.release_of(&entry);
                    self.expired(entry);
                }
                continue;
            }
            let in_flight = self.outbox.in_flight();
            if online.is_cautious && in_flight > 0 {
                return None;
            }
            if first.message.qos == Qos::AtLeastOnce && in_flight >= online.window {
                return None;
            }
            let bytes = self.outbox.unacknowledged_bytes();
            if bytes > 0 && bytes + first.message.payload.len() as u64 > MAX_UNACKNOWLEDGED_BYTES {
                return None;
            }
            // Of a broker that refuses everything no more than so many are asked.
            if first.refusals == 0 && self.outbox.resting() >= MAX_RESTING {
                return None;
            }
            let pace_ms = self.rate.next_ms();
            if now_ms < pace_ms {
                return Some(pace_ms);
            }
            // What was sent before has had its turn.
            if first.is_fresh() && first.id < online.backlog_end {
                let at_ms = online.drain_at_us.div_ceil(1000);
                if now_ms < at_ms {
                    return Some(at_ms);
                }
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
        if let Some(limit) = self.unfit(&entry) {
            return self.not_sent(entry, Cause::Unsupported, Some(limit.to_owned()));
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
            // Rounded up: what has time left is not sent as if it had none.
            expiry_s: entry.expires_in_ms(now_ms).map(|ms| u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)),
        };
        let encoded = publish.encode(self.config.version, self.output.buffer());
        let length = self.output.buffer().len() - start;
        let problem = match encoded {
            Err(_) => Some((Cause::InvalidRequest, None)),
            Ok(()) => self.too_large(length).map(|limit| (Cause::PayloadTooLarge, Some(limit))),
        };
        if let Some((cause, limit)) = problem {
            self.output.buffer().truncate(start);
            return self.not_sent(entry, cause, limit);
        }
        entry.end = self.output.end();
        entry.start = entry.end - length as u64;
        entry.attempts = entry.attempts.saturating_add(1);
        entry.first_sent_ms.get_or_insert(now_ms);
        entry.sent_ms = now_ms;
        self.rate.sent(now_ms);
        if entry.message.qos == Qos::AtMostOnce {
            self.output.ends_message(entry.id);
            // Kept for an explanation; topics rarely change, and then nothing is allocated.
            let (last_topic, end) = self.last_topic.get_or_insert_with(|| (String::new(), 0));
            last_topic.clone_from(&entry.topic);
            *end = entry.end;
        }
        self.outbox.sent(entry, now_ms);
        self.sent(now_ms);
    }

    /// This broker does not take it. An earlier connection may have led to one that did.
    fn not_sent(&mut self, entry: Entry, cause: Cause, detail: Option<String>) {
        self.outbox.release_of(&entry);
        self.not_published(entry, |entry| Error {
            delivery: entry.delivery(),
            retry: Retry::Never,
            detail,
            ..not_taken(cause)
        });
    }

    fn sent(&mut self, now_ms: u64) {
        if let ConnectionState::Online(online) = &mut self.state {
            online.last_sent_ms = now_ms;
        }
    }

    /// What this broker has said that it does not take.
    fn unfit(&self, entry: &Entry) -> Option<&'static str> {
        let ConnectionState::Online(online) = &self.state else { return None };
        if entry.message.retain && !online.limits.takes_retained {
            return Some("it takes no retained messages");
        }
        let is_qos_1 = entry.message.qos == Qos::AtLeastOnce;
        (is_qos_1 && !online.limits.takes_qos_1).then_some("it takes messages at QoS 0 alone")
    }

    /// By how much a packet of so many bytes is larger than what this broker has said that it takes.
    fn too_large(&self, length: usize) -> Option<String> {
        let ConnectionState::Online(online) = &self.state else { return None };
        let limit = online.limits.max_packet_bytes? as usize;
        (length > limit).then(|| {
            ["the packet has ", &length.to_string(), " bytes, and this broker takes at most ", &limit.to_string()]
                .concat()
        })
    }
}
