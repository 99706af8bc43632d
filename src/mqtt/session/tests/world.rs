//! Session, broker, the wire between them, and the time.

use super::broker::{Reaction, SimulatedBroker};
use crate::error::{Cause, Error};
use crate::http::{TransportError, TransportErrorKind};
use crate::message::Message;
use crate::mqtt::{Config, Disconnection, Event, Options, Session, Step, Unfinished};

pub struct World {
    pub session: Session,
    pub broker: SimulatedBroker,
    pub now_ms: u64,
    pub events: Vec<Event>,
    /// When each of them was told, from the first.
    pub told: Vec<u64>,
    /// Whether events are taken as they come.
    pub takes_events: bool,
    /// Whether messages are acknowledged once they are taken.
    pub acknowledges: bool,
    /// How much the wire takes at once. None: all.
    pub wire_takes: Option<usize>,
    /// Whether a close with something unread is a reset.
    pub resets_unread: bool,
    /// Why no connection comes while the broker is away.
    pub away: TransportErrorKind,
    /// When attempts to connect began.
    pub dials: Vec<u64>,
    /// Takes bytes and carries none.
    pub is_half_open: bool,
    is_connected: bool,
    to_broker: Vec<u8>,
}

impl World {
    pub fn new(config: Config, options: Options) -> Self {
        Self::restored(config, options, Vec::new())
    }

    pub fn restored(config: Config, options: Options, unfinished: Vec<Unfinished>) -> Self {
        let broker = SimulatedBroker::new(config.version);
        let session = Session::open(1_000_000, config, options, unfinished, 7).unwrap();
        Self {
            session,
            broker,
            now_ms: 1_000_000,
            events: Vec::new(),
            told: Vec::new(),
            takes_events: true,
            acknowledges: true,
            wire_takes: None,
            resets_unread: false,
            away: TransportErrorKind::ConnectionRefused,
            dials: Vec::new(),
            is_half_open: false,
            is_connected: false,
            to_broker: Vec::new(),
        }
    }

    /// With a connection.
    pub fn online(config: Config, options: Options) -> Self {
        let mut world = Self::new(config, options);
        world.connect();
        world
    }

    pub fn connect(&mut self) {
        self.session.keep_connecting();
        self.settle();
        assert!(self.session.connection().is_some(), "{:?}", self.events);
        self.events.clear();
    }

    /// Does all that can be done now, and says when there is more.
    pub fn settle(&mut self) -> Option<u64> {
        loop {
            match self.session.poll(self.now_ms) {
                Step::Sign(_) => panic!("nobody signs here"),
                Step::Dial { authority, timeout_ms } => {
                    assert_eq!(authority, format!("{}:443", super::ENDPOINT));
                    assert_eq!(timeout_ms, 30_000);
                    self.dial();
                }
                Step::Close => {
                    self.is_connected = false;
                    self.to_broker.clear();
                    self.broker.later.clear();
                }
                Step::Wait(until_ms) => {
                    let moved = self.write() | self.react();
                    while self.takes_events
                        && let Some(event) = self.session.poll_event()
                    {
                        self.events.push(event);
                        self.told.push(self.now_ms);
                    }
                    if self.acknowledges {
                        self.session.acknowledge();
                    }
                    if !moved && (self.wire_takes.is_some() || self.session.output().is_empty()) {
                        let later = self.broker.later.iter().filter(|_| self.is_connected && !self.is_half_open);
                        let later_ms = later.map(|(at_ms, _)| *at_ms).min();
                        return [until_ms, later_ms].into_iter().flatten().min();
                    }
                }
            }
        }
    }

    fn dial(&mut self) {
        self.dials.push(self.now_ms);
        if self.broker.is_up {
            self.is_connected = true;
            self.session.handle_dialed();
        } else {
            self.session.handle_transport_error(self.now_ms, self.away.into());
        }
    }

    fn write(&mut self) -> bool {
        let output = self.session.output();
        let count = output.len().min(self.wire_takes.unwrap_or(usize::MAX));
        if !self.is_connected || count == 0 {
            return false;
        }
        self.to_broker.extend_from_slice(&output[..count]);
        self.session.handle_written(self.now_ms, count);
        self.wire_takes = self.wire_takes.map(|left| left - count);
        true
    }

    fn react(&mut self) -> bool {
        if self.is_half_open || !self.is_connected {
            return false;
        }
        let mut has_reacted = false;
        while let Some(bytes) = self.broker.due(self.now_ms) {
            has_reacted = true;
            self.session.handle_input(self.now_ms, &bytes);
        }
        while let Some(reaction) = self.broker.take(self.now_ms, &mut self.to_broker) {
            has_reacted = true;
            match reaction {
                Reaction::Nothing => {}
                Reaction::Answer(bytes) => self.session.handle_input(self.now_ms, &bytes),
                Reaction::Close => {
                    // The system of the other end resets what is closed with something unread.
                    let is_unread = self.resets_unread && !self.to_broker.is_empty();
                    self.cut(if is_unread {
                        TransportErrorKind::ConnectionReset
                    } else {
                        TransportErrorKind::ConnectionClosed
                    });
                    break;
                }
            }
        }
        has_reacted
    }

    /// Lets so much time pass.
    pub fn pass(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        loop {
            let until_ms = self.settle().unwrap_or(u64::MAX);
            if until_ms >= end_ms {
                self.now_ms = end_ms;
                self.settle();
                return;
            }
            assert!(until_ms >= self.now_ms, "time does not run backwards");
            // A time that has come and changes nothing would go on for ever.
            self.now_ms = until_ms.max(self.now_ms + 1).min(end_ms);
        }
    }

    /// The connection ends.
    pub fn cut(&mut self, how: TransportErrorKind) {
        if self.is_connected {
            self.is_connected = false;
            self.is_half_open = false;
            self.to_broker.clear();
            self.broker.later.clear();
            self.session.handle_transport_error(self.now_ms, TransportError { kind: how, detail: None });
        }
    }

    /// Bytes from the broker.
    pub fn hear(&mut self, bytes: &[u8]) {
        self.session.handle_input(self.now_ms, bytes);
        self.settle();
    }

    pub fn publish(&mut self, message: Message) -> u64 {
        let id = self.session.publish(self.now_ms, message).unwrap();
        self.settle();
        id
    }

    /// Numbers and attempts of accepted messages.
    pub fn published(&self) -> Vec<(u64, u32)> {
        let accepted = |event: &Event| match event {
            Event::Published { id, receipt } => Some((*id, receipt.attempts)),
            _ => None,
        };
        self.events.iter().filter_map(accepted).collect()
    }

    /// Numbers and errors of messages that were not accepted.
    pub fn not_published(&self) -> Vec<(u64, Error)> {
        let refused = |event: &Event| match event {
            Event::NotPublished { id, error, .. } => Some((*id, error.clone())),
            _ => None,
        };
        self.events.iter().filter_map(refused).collect()
    }

    pub fn disconnections(&self) -> Vec<&Disconnection> {
        let mut lost = Vec::new();
        for event in &self.events {
            if let Event::Disconnected(disconnection) = event {
                lost.push(disconnection);
            }
        }
        lost
    }

    pub fn last_cause(&self) -> Option<Cause> {
        self.disconnections().last().map(|disconnection| disconnection.error.cause)
    }
}
