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
    /// How many times the broker has closed the connection when this was the first it had not acknowledged.
    pub closings: u32,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.message.payload.len() + self.topic.len()
    }

    fn unfinished(&self) -> Unfinished {
        Unfinished { id: self.id, message: self.message.clone(), attempts: self.attempts, packet_id: self.packet_id }
    }
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    QueueOff,
    QueueFull,
}

#[derive(Debug)]
pub(super) struct Outbox {
    limit: QueueLimit,
    full: FullQueue,
    next_id: u64,
    next_packet_id: u16,
    /// To be sent, oldest first.
    waiting: VecDeque<Entry>,
    waiting_bytes: usize,
    /// Sent over this connection and not acknowledged, oldest first.
    in_flight: VecDeque<Entry>,
    /// Since when the first of them is the first.
    first_since_ms: u64,
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
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            in_flight: VecDeque::new(),
            first_since_ms: 0,
            in_output: VecDeque::new(),
        }
    }

    /// Takes in what an earlier session has left.
    pub fn restore(&mut self, entry: Entry) {
        self.next_id = self.next_id.max(entry.id.saturating_add(1));
        if let Some(packet_id) = entry.packet_id {
            self.next_packet_id = packet_id.checked_add(1).unwrap_or(1);
        }
        self.waiting_bytes += entry.bytes();
        self.waiting.push_back(entry);
    }

    /// Takes a message for which room was made.
    pub fn push(&mut self, message: Message, topic: String) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let entry = Entry { id, message, topic, packet_id: None, attempts: 0, closings: 0 };
        self.waiting_bytes += entry.bytes();
        self.waiting.push_back(entry);
        id
    }

    /// Makes room for a message of so many bytes, and says which one had to go for it.
    pub fn make_room(&mut self, bytes: usize, is_online: bool) -> Result<Option<Entry>, NotTaken> {
        if !self.is_full_for(bytes, is_online)? {
            return Ok(None);
        }
        if self.full == FullQueue::DropNewest {
            return Err(NotTaken::QueueFull);
        }
        // What was sent before may have arrived: that it did not cannot be said of it.
        let oldest = self.waiting.iter().position(|entry| entry.packet_id.is_none());
        let oldest = oldest.and_then(|index| self.waiting.remove(index)).ok_or(NotTaken::QueueFull)?;
        self.waiting_bytes -= oldest.bytes();
        Ok(Some(oldest))
    }

    fn is_full_for(&self, bytes: usize, is_online: bool) -> Result<bool, NotTaken> {
        if self.waiting_bytes + bytes > MAX_WAITING_BYTES {
            return Ok(true);
        }
        match self.limit {
            // Then messages wait for their turn, and not for a connection.
            _ if is_online => Ok(false),
            QueueLimit::Unlimited => Ok(false),
            QueueLimit::Off => Err(NotTaken::QueueOff),
            QueueLimit::Messages(limit) => Ok(self.waiting.len() >= limit as usize),
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

    /// An identifier that no message here has, and none of these others.
    pub fn free_packet_id(&mut self, is_taken: impl Fn(u16) -> bool) -> u16 {
        loop {
            let id = self.next_packet_id;
            self.next_packet_id = id.checked_add(1).unwrap_or(1);
            let has_id = |entry: &Entry| entry.packet_id == Some(id);
            // Of those that wait, what was sent before stands in front.
            let sent_before = self.waiting.iter().take_while(|entry| entry.packet_id.is_some());
            if !is_taken(id) && !self.in_flight.iter().chain(sent_before).any(has_id) {
                return id;
            }
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

    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Takes out the at-most-once message that was written.
    pub fn written(&mut self, id: u64) -> Option<Entry> {
        self.in_output.pop_front_if(|entry| entry.id == id)
    }

    /// Takes out the message that was acknowledged. They come in the order in which the messages were sent, as a rule.
    pub fn acknowledged(&mut self, packet_id: u16, now_ms: u64) -> Option<Entry> {
        let index = self.in_flight.iter().position(|entry| entry.packet_id == Some(packet_id))?;
        if index == 0 {
            self.first_since_ms = now_ms;
        }
        self.in_flight.remove(index)
    }

    /// The first message that the broker has not acknowledged.
    pub fn first_in_flight(&mut self) -> Option<&mut Entry> {
        self.in_flight.front_mut()
    }

    pub fn pop_in_flight(&mut self) -> Option<Entry> {
        self.in_flight.pop_front()
    }

    /// The connection is gone: what was sent and not acknowledged, and what was not written, waits again, in front of
    /// what has not been sent, in the old order.
    pub fn lost(&mut self) {
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

    /// All of them, oldest first.
    pub fn drain(&mut self) -> VecDeque<Entry> {
        self.lost();
        self.waiting_bytes = 0;
        core::mem::take(&mut self.waiting)
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
