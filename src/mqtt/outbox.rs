//! Every message that was taken and has no outcome yet is here, in one order: that in which it was taken. What waits,
//! what was sent and is not acknowledged, and what was encoded and not written are three parts of it, and after a loss
//! they are one again. Those that the broker has refused for now rest beside it, and others may pass them; they come back to
//! their old place.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::entry::{Entry, signed};
use super::event::Unfinished;
use super::options::{FullQueue, MAX_WAITING_BYTES, Options, QueueLimit};
use super::output::Output;
use crate::message::{Message, Qos};
use crate::outcome::Delivery;

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    QueueOff,
    QueueFull,
}

/// How the connection stands, for a message that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueuePhase {
    /// There is none.
    Offline,
    /// There is one, and messages that waited for it go first.
    Draining,
    /// Messages go out as they come.
    Steady,
}

#[derive(Debug)]
pub(super) struct Outbox {
    limit: QueueLimit,
    full: FullQueue,
    next_id: u64,
    next_packet_id: u16,
    /// The identifiers of all messages here, of those that were given up without an acknowledgement, and of subscriptions that
    /// wait for their answer.
    packet_ids: Vec<u16>,
    /// To be sent, oldest first.
    waiting: VecDeque<Entry>,
    waiting_bytes: usize,
    /// Sent over this connection and not acknowledged, oldest first.
    in_flight: VecDeque<Entry>,
    /// Since when the first of them is the first.
    first_since_ms: u64,
    /// Given up over this connection and not acknowledged: the broker still counts them.
    given_up: Vec<u16>,
    /// One of those was given up because its time was over, and not for want of patience.
    has_given_up_overdue: bool,
    /// At most once, and in the output.
    in_output: VecDeque<Entry>,
    /// Refused for now.
    resting: Vec<Entry>,
}

impl Outbox {
    pub fn new(options: &Options) -> Self {
        Self {
            limit: options.queue_limit,
            full: options.full_queue,
            next_id: 1,
            next_packet_id: 1,
            packet_ids: Vec::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            in_flight: VecDeque::new(),
            first_since_ms: 0,
            given_up: Vec::new(),
            has_given_up_overdue: false,
            in_output: VecDeque::new(),
            resting: Vec::new(),
        }
    }

    /// Takes in what an earlier session has left. False if it cannot have been one of ours: their numbers ascend, and no
    /// two have the same packet identifier.
    pub fn restore(&mut self, entry: Entry) -> bool {
        if entry.id < self.next_id || entry.id == u64::MAX {
            return false;
        }
        if let Some(packet_id) = entry.packet_id {
            if packet_id == 0 || self.packet_ids.contains(&packet_id) || self.packet_ids.len() >= MAX_RESTORED {
                return false;
            }
            self.packet_ids.push(packet_id);
            self.next_packet_id = packet_id.checked_add(1).unwrap_or(1);
        }
        self.next_id = entry.id + 1;
        self.waiting_bytes += entry.bytes();
        self.waiting.push_back(entry);
        true
    }

    /// Gives up the one that was taken in last.
    pub fn pop_restored(&mut self) -> Option<Entry> {
        let entry = self.waiting.pop_back()?;
        self.waiting_bytes -= entry.bytes();
        self.release_of(&entry);
        Some(entry)
    }

    /// Takes a message for which room was made.
    pub fn push(&mut self, message: Message, topic: String, now_ms: u64) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let entry = Entry::new(id, message, topic, signed(now_ms));
        self.waiting_bytes += entry.bytes();
        self.waiting.push_back(entry);
        id
    }

    /// Makes room for a message that takes so many bytes, and says which ones had to go for it.
    pub fn make_room(&mut self, bytes: usize, phase: QueuePhase) -> Result<Vec<Entry>, NotTaken> {
        let mut dropped = Vec::new();
        while self.is_full_for(bytes, phase)? {
            // What was sent before may have arrived: that it did not cannot be said of it.
            let oldest = self.waiting.iter().position(|entry| entry.packet_id.is_none());
            let (FullQueue::DropOldest, Some(index)) = (self.full, oldest) else {
                // Only what never fits has cost others their place for nothing, and that is refused before.
                self.put_back(dropped);
                return Err(NotTaken::QueueFull);
            };
            if let Some(entry) = self.waiting.remove(index) {
                self.waiting_bytes -= entry.bytes();
                dropped.push(entry);
            }
        }
        Ok(dropped)
    }

    fn put_back(&mut self, dropped: Vec<Entry>) {
        for entry in dropped.into_iter().rev() {
            self.waiting_bytes += entry.bytes();
            let index = self.waiting.partition_point(|waiting| waiting.id < entry.id);
            self.waiting.insert(index, entry);
        }
    }

    /// Whether a message that takes so many bytes costs others their place, or is not taken.
    pub fn is_full(&self, bytes: usize, phase: QueuePhase) -> bool {
        self.is_full_for(bytes, phase) == Ok(true)
    }

    fn is_full_for(&self, bytes: usize, phase: QueuePhase) -> Result<bool, NotTaken> {
        if self.waiting_bytes + bytes > MAX_WAITING_BYTES {
            return Ok(true);
        }
        match (self.limit, phase) {
            // Then messages wait for their turn, and not for a connection.
            (_, QueuePhase::Steady) | (QueueLimit::Unlimited, _) | (QueueLimit::Off, QueuePhase::Draining) => Ok(false),
            (QueueLimit::Off, QueuePhase::Offline) => Err(NotTaken::QueueOff),
            (QueueLimit::Messages(limit), _) => Ok(self.waiting.len() >= limit as usize),
        }
    }

    /// The message whose turn it is.
    pub fn first_waiting(&self) -> Option<&Entry> {
        self.waiting.front()
    }

    /// Whether one before this number waits that was never sent.
    pub fn has_fresh_before(&self, id: u64) -> bool {
        self.waiting.iter().find(|entry| entry.is_fresh()).is_some_and(|entry| entry.id < id)
    }

    /// The number of the message that comes next.
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    pub fn pop_waiting(&mut self) -> Option<Entry> {
        let entry = self.waiting.pop_front()?;
        self.waiting_bytes -= entry.bytes();
        Some(entry)
    }

    /// Those whose time is over while they wait.
    pub fn take_expired(&mut self, now_ms: u64) -> Vec<Entry> {
        let mut expired = Vec::new();
        let mut index = 0;
        while let Some(entry) = self.waiting.get(index) {
            match entry.expires_in_ms(now_ms) {
                Some(0) => expired.extend(self.waiting.remove(index)),
                _ => index += 1,
            }
        }
        for entry in &expired {
            self.waiting_bytes -= entry.bytes();
            self.release_of(entry);
        }
        expired
    }

    /// The broker has refused it for now.
    pub fn rest(&mut self, entry: Entry) {
        self.waiting_bytes += entry.bytes();
        self.resting.push(entry);
    }

    /// How many rest.
    pub fn resting(&self) -> usize {
        self.resting.len()
    }

    /// Those that have rested enough wait again, in their old place. Says when the next one has.
    pub fn wake(&mut self, now_ms: u64) -> Option<u64> {
        let mut index = 0;
        while let Some(entry) = self.resting.get(index) {
            if entry.rests_until_ms > now_ms {
                index += 1;
                continue;
            }
            let entry = self.resting.swap_remove(index);
            self.wait_again(entry);
        }
        self.resting.iter().map(|entry| entry.rests_until_ms).min()
    }

    /// In the old order. The bytes are counted.
    fn wait_again(&mut self, entry: Entry) {
        let index = self.waiting.partition_point(|waiting| waiting.id < entry.id);
        self.waiting.insert(index, entry);
    }

    /// There was no connection for so long, and that does not count.
    pub fn was_offline_for(&mut self, ms: u64) {
        for entry in &mut self.waiting {
            entry.first_sent_ms = entry.first_sent_ms.map(|first_ms| first_ms.saturating_add(ms));
        }
    }

    /// An identifier that nothing under way has. To be given back with [`Self::release`].
    pub fn take_packet_id(&mut self) -> u16 {
        loop {
            let id = self.next_packet_id;
            self.next_packet_id = id.checked_add(1).unwrap_or(1);
            if !self.packet_ids.contains(&id) {
                self.packet_ids.push(id);
                return id;
            }
        }
    }

    /// This identifier is free again.
    pub fn release(&mut self, packet_id: u16) {
        // They are few, and mostly come back in the order in which they were taken.
        if let Some(index) = self.packet_ids.iter().position(|id| *id == packet_id) {
            self.packet_ids.remove(index);
        }
    }

    /// The identifier of this message is free again.
    pub fn release_of(&mut self, entry: &Entry) {
        if let Some(packet_id) = entry.packet_id {
            self.release(packet_id);
        }
    }

    pub fn sent(&mut self, entry: Entry, now_ms: u64) {
        match entry.message.qos {
            Qos::AtMostOnce => self.in_output.push_back(entry),
            Qos::AtLeastOnce => {
                if self.in_flight.is_empty() {
                    self.first_since_ms = now_ms;
                }
                self.in_flight.push_back(entry);
            }
        }
    }

    /// Since when the first message that is not acknowledged could have been.
    pub fn first_waits_since_ms(&self) -> Option<u64> {
        (self.in_flight() > 0).then_some(self.first_since_ms)
    }

    /// It could not have been before: it was still being written.
    pub fn first_waits_from(&mut self, now_ms: u64) {
        self.first_since_ms = now_ms;
    }

    /// How many messages the broker has not acknowledged, as it counts.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len() + self.given_up.len()
    }

    /// How many of those were given up.
    pub fn given_up(&self) -> usize {
        self.given_up.len()
    }

    /// Whether one of them was given up because its time was over.
    pub fn has_given_up_overdue(&self) -> bool {
        self.has_given_up_overdue
    }

    /// Takes out the at-most-once message that was written.
    pub fn written(&mut self, id: u64) -> Option<Entry> {
        self.in_output.pop_front_if(|entry| entry.id == id)
    }

    /// Takes out the message that was acknowledged. They come in the order in which the messages were sent, as a rule.
    pub fn acknowledged(&mut self, packet_id: u16, now_ms: u64) -> Option<Entry> {
        let Some(index) = self.in_flight.iter().position(|entry| entry.packet_id == Some(packet_id)) else {
            let index = self.given_up.iter().position(|id| *id == packet_id)?;
            self.given_up.remove(index);
            self.has_given_up_overdue &= !self.given_up.is_empty();
            self.release(packet_id);
            if self.in_flight.is_empty() {
                self.first_since_ms = now_ms;
            }
            return None;
        };
        self.release(packet_id);
        if index == 0 {
            self.first_since_ms = now_ms;
        }
        self.in_flight.remove(index)
    }

    /// The first message that the broker has not acknowledged.
    pub fn first_in_flight(&mut self) -> Option<&mut Entry> {
        self.in_flight.front_mut()
    }

    /// Whether nothing else waits for an acknowledgement.
    pub fn is_first_alone(&self) -> bool {
        self.in_flight() == 1
    }

    /// Gives it up. The connection is gone.
    pub fn pop_in_flight(&mut self) -> Option<Entry> {
        let entry = self.in_flight.pop_front()?;
        self.release_of(&entry);
        Some(entry)
    }

    /// The messages that the broker has not acknowledged, and that were not given up, as they were sent.
    pub fn unacknowledged(&self) -> impl Iterator<Item = &Entry> {
        self.in_flight.iter()
    }

    /// What they have on the wire.
    pub fn unacknowledged_bytes(&self) -> u64 {
        self.in_flight.iter().map(|entry| entry.end - entry.start).sum()
    }

    /// Gives up this one of them. The connection is there, and the broker still counts it.
    pub fn give_up_unanswered(&mut self, index: usize, now_ms: u64) -> Option<Entry> {
        let entry = self.in_flight.remove(index)?;
        self.given_up.extend(entry.packet_id);
        self.has_given_up_overdue = true;
        if index == 0 {
            self.first_since_ms = now_ms;
        }
        Some(entry)
    }

    /// The connection is gone: what was sent and not acknowledged, what was not written, and what rests, waits again, in front
    /// of what has not been sent, in the old order.
    pub fn lost(&mut self, output: &Output) {
        for packet_id in core::mem::take(&mut self.given_up) {
            self.release(packet_id);
        }
        self.has_given_up_overdue = false;
        for index in 0..self.in_flight.len() + self.in_output.len() {
            let in_flight = self.in_flight.len();
            let entry = match index.checked_sub(in_flight) {
                None => &mut self.in_flight[index],
                Some(index) => &mut self.in_output[index],
            };
            if !output.is_begun(entry.start) {
                entry.attempts = entry.attempts.saturating_sub(1);
            } else if entry.message.qos == Qos::AtLeastOnce && output.is_written(entry.end) {
                entry.may_have_arrived = true;
            }
            // Not a byte of it has ever left: its identifier is unknown to the other side.
            let is_new = entry.attempts == 0 && !entry.may_have_arrived;
            if let Some(packet_id) = entry.packet_id.take_if(|_| is_new) {
                self.release(packet_id);
            }
        }
        // From behind, so that the oldest ends up in front.
        loop {
            let newest = match (self.in_flight.back(), self.in_output.back()) {
                (Some(sent), Some(encoded)) if sent.id < encoded.id => self.in_output.pop_back(),
                (Some(_), _) => self.in_flight.pop_back(),
                (None, _) => self.in_output.pop_back(),
            };
            let Some(entry) = newest else { break };
            self.waiting_bytes += entry.bytes();
            // Those that have rested are not the last to be sent.
            self.wait_again(entry);
        }
        while let Some(entry) = self.resting.pop() {
            self.wait_again(entry);
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len() + self.in_flight.len() + self.in_output.len() + self.resting.len()
    }

    /// Gives up all of them, and says of each where it stands: what is in the output of a connection leaves with it.
    pub fn give_up(&mut self) -> Vec<(Entry, Delivery)> {
        let mut all = Vec::with_capacity(self.len());
        self.given_up.extend(self.in_flight.iter().filter_map(|entry| entry.packet_id));
        let in_flight = core::mem::take(&mut self.in_flight);
        let in_output = core::mem::take(&mut self.in_output);
        all.extend(in_flight.into_iter().chain(in_output).map(|entry| (entry, Delivery::Unknown)));
        self.waiting_bytes = 0;
        for entry in core::mem::take(&mut self.resting) {
            self.wait_again(entry);
        }
        for entry in core::mem::take(&mut self.waiting) {
            self.release_of(&entry);
            let delivery = entry.delivery();
            all.push((entry, delivery));
        }
        all
    }

    /// All of them, oldest first, as another session can take them.
    pub fn unfinished(&self, now_ms: u64) -> Vec<Unfinished> {
        let all = self.in_flight.iter().chain(&self.in_output).chain(&self.resting).chain(&self.waiting);
        let mut unfinished: Vec<_> = all.map(|entry| entry.unfinished(now_ms)).collect();
        // They are four pieces, each in its order.
        unfinished.sort_by_key(|entry| entry.id);
        unfinished
    }
}

/// No session of ours leaves more messages that were sent before.
const MAX_RESTORED: usize = 1000;
