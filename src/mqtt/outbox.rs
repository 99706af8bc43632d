//! Every message that was taken and has no outcome yet is here, in one order: that in which it was taken. What waits,
//! what was sent and is not acknowledged, and what was encoded and not written are three parts of it, and after a loss
//! they are one again.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::event::Unfinished;
use super::options::{FullQueue, MAX_WAITING_BYTES, Options, QueueLimit};
use crate::message::{Message, Qos};

/// A message without an outcome.
#[derive(Debug)]
pub(super) struct Entry {
    pub id: u64,
    pub message: Message,
    /// As it goes over the wire.
    pub topic: String,
    /// Under which the broker may know it. Whatever has one was sent before.
    pub packet_id: Option<u16>,
    pub attempts: u32,
    /// Where it ends in the output of this connection.
    pub end: u64,
    /// How many times the broker has closed the connection when this was the first it had not acknowledged.
    pub closings: u32,
}

impl Entry {
    pub fn new(id: u64, message: Message, topic: String) -> Self {
        Self { id, message, topic, packet_id: None, attempts: 0, end: 0, closings: 0 }
    }

    /// What it takes of the memory.
    fn bytes(&self) -> usize {
        bytes(&self.message, &self.topic)
    }

    fn unfinished(&self) -> Unfinished {
        Unfinished { id: self.id, message: self.message.clone(), attempts: self.attempts, packet_id: self.packet_id }
    }
}

/// What a message takes of the memory, generously: small ones consist of what belongs to them.
pub(super) fn bytes(message: &Message, topic: &str) -> usize {
    const ENTRY: usize = 2 * size_of::<Entry>();
    const PAIR: usize = 2 * size_of::<(String, String)>();
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let properties = message.properties.as_ref().map_or(0, |it| {
        let user: usize = it.user_properties.iter().map(|(name, value)| PAIR + name.len() + value.len()).sum();
        user + length(&it.content_type) + length(&it.response_topic) + it.correlation_data.as_ref().map_or(0, Vec::len)
    });
    ENTRY + message.payload.len() + message.topic.len() + topic.len() + length(&message.rule) + properties
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    QueueOff,
    QueueFull,
}

/// How the connection stands, for a message that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
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
    /// At most once, and in the output.
    in_output: VecDeque<Entry>,
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
            in_output: VecDeque::new(),
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

    /// Takes a message for which room was made.
    pub fn push(&mut self, message: Message, topic: String) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let entry = Entry::new(id, message, topic);
        self.waiting_bytes += entry.bytes();
        self.waiting.push_back(entry);
        id
    }

    /// Makes room for a message that takes so many bytes, and says which ones had to go for it.
    pub fn make_room(&mut self, bytes: usize, standing: Standing) -> Result<Vec<Entry>, NotTaken> {
        let mut dropped = Vec::new();
        while self.is_full_for(bytes, standing)? {
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

    fn is_full_for(&self, bytes: usize, standing: Standing) -> Result<bool, NotTaken> {
        if self.waiting_bytes + bytes > MAX_WAITING_BYTES {
            return Ok(true);
        }
        match (self.limit, standing) {
            // Then messages wait for their turn, and not for a connection.
            (_, Standing::Steady) | (QueueLimit::Unlimited, _) | (QueueLimit::Off, Standing::Draining) => Ok(false),
            (QueueLimit::Off, Standing::Offline) => Err(NotTaken::QueueOff),
            (QueueLimit::Messages(limit), _) => Ok(self.waiting.len() >= limit as usize),
        }
    }

    /// The message whose turn it is.
    pub fn first_waiting(&self) -> Option<&Entry> {
        self.waiting.front()
    }

    /// How many wait that were never sent.
    pub fn fresh(&self) -> usize {
        self.waiting.iter().filter(|entry| entry.packet_id.is_none()).count()
    }

    pub fn pop_waiting(&mut self) -> Option<Entry> {
        let entry = self.waiting.pop_front()?;
        self.waiting_bytes -= entry.bytes();
        Some(entry)
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
        (!self.in_flight.is_empty()).then_some(self.first_since_ms)
    }

    /// It could not have been before: it was still being written.
    pub fn first_waits_from(&mut self, now_ms: u64) {
        self.first_since_ms = now_ms;
    }

    /// How many messages the broker has not acknowledged, as it counts.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len() + self.given_up.len()
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
            self.release(packet_id);
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

    /// Gives it up. The connection is gone.
    pub fn pop_in_flight(&mut self) -> Option<Entry> {
        let entry = self.in_flight.pop_front()?;
        if let Some(packet_id) = entry.packet_id {
            self.release(packet_id);
        }
        Some(entry)
    }

    /// The connection is gone: what was sent and not acknowledged, and what was not written, waits again, in front of
    /// what has not been sent, in the old order.
    pub fn lost(&mut self) {
        for packet_id in core::mem::take(&mut self.given_up) {
            self.release(packet_id);
        }
        // From behind, so that the oldest ends up in front.
        loop {
            let newest = match (self.in_flight.back(), self.in_output.back()) {
                (Some(sent), Some(encoded)) if sent.id < encoded.id => self.in_output.pop_back(),
                (Some(_), _) => self.in_flight.pop_back(),
                (None, _) => self.in_output.pop_back(),
            };
            let Some(entry) = newest else { return };
            self.waiting_bytes += entry.bytes();
            self.waiting.push_front(entry);
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len() + self.in_flight.len() + self.in_output.len()
    }

    /// Gives up all of them, and says of each whether it may have been sent, or may yet be: what is in the output of a
    /// connection leaves with it.
    pub fn give_up(&mut self) -> Vec<(Entry, bool)> {
        let mut all = Vec::with_capacity(self.len());
        self.given_up.extend(self.in_flight.iter().filter_map(|entry| entry.packet_id));
        let in_flight = core::mem::take(&mut self.in_flight);
        let in_output = core::mem::take(&mut self.in_output);
        all.extend(in_flight.into_iter().chain(in_output).map(|entry| (entry, true)));
        self.waiting_bytes = 0;
        for entry in core::mem::take(&mut self.waiting) {
            let may_have_been = entry.packet_id.is_some();
            if let Some(packet_id) = entry.packet_id {
                self.release(packet_id);
            }
            all.push((entry, may_have_been));
        }
        all
    }

    /// All of them, oldest first, as another session can take them.
    pub fn unfinished(&self) -> Vec<Unfinished> {
        let mut unfinished = Vec::with_capacity(self.len());
        let mut in_flight = self.in_flight.iter().peekable();
        for entry in &self.in_output {
            while let Some(sent) = in_flight.next_if(|sent| sent.id < entry.id) {
                unfinished.push(sent.unfinished());
            }
            unfinished.push(entry.unfinished());
        }
        unfinished.extend(in_flight.chain(&self.waiting).map(Entry::unfinished));
        unfinished
    }
}

/// No session of ours leaves more messages that were sent before.
const MAX_RESTORED: usize = 1000;
