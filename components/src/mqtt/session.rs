//! The `session` resource. Between calls nothing happens, so each call does what can be done without waiting.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use thingpost::mqtt::{self, Event as CoreEvent, Step};
use thingpost::{ConfigError, wasi};

use super::wire::{Until, Wire, Woken};
use super::{config, event};
use crate::bindings::exports::thingpost::iot::mqtt_session::{
    Connection, Error, Event, Guest, GuestSession, Message, Session as SessionHandle, SessionConfig, SessionOptions,
    Subscription, Unfinished,
};
use crate::values::{message, outcome};
use crate::{Component, signer};

pub struct Session(RefCell<Parts>);

struct Parts {
    session: mqtt::Session,
    wire: Wire,
}

/// So much is handed over at once. What is more stays for the next call.
const EVENTS: usize = 256;
const EVENT_BYTES: usize = 1024 * 1024;

/// Opens a session on a broker of whichever platform.
pub fn open(
    broker: Result<Arc<dyn mqtt::Broker>, ConfigError>,
    config: SessionConfig,
    options: &SessionOptions,
    unfinished: Vec<Unfinished>,
) -> Result<SessionHandle, String> {
    let opened = broker.and_then(|broker| {
        let config = config::config(broker, config);
        let unfinished = unfinished.into_iter().map(config::unfinished).collect();
        let options = config::options(options);
        mqtt::Session::open(wasi::monotonic_ms(), config, options, unfinished, wasi::seed())
    });
    match opened {
        Ok(session) => Ok(SessionHandle::new(Session(RefCell::new(Parts { session, wire: Wire::default() })))),
        Err(problem) => Err(problem.to_string()),
    }
}

impl Guest for Component {
    type Session = Session;
}

impl Parts {
    /// Does what can be done without waiting, and says when there is more.
    fn settle(&mut self, now_ms: u64) -> Option<u64> {
        loop {
            match self.session.poll(now_ms) {
                Step::Sign(signing) => self.session.handle_signature(now_ms, signer::signature(&signing)),
                Step::Dial { authority, timeout_ms } => self.wire.dial(&authority, timeout_ms),
                Step::Close => self.wire.close(),
                Step::Wait(wakes_ms) => {
                    if !self.wire.work(&mut self.session, now_ms) {
                        return wakes_ms;
                    }
                }
            }
        }
    }

    /// Runs the session, and waits for more until `is_over`, until the time comes, or until the host interrupts, if it may.
    fn run(&mut self, mut now_ms: u64, until: Until, is_over: impl Fn(&mqtt::Session) -> bool) {
        loop {
            let wakes_ms = self.settle(now_ms);
            if is_over(&self.session) || until.is_passed(now_ms) {
                return;
            }
            let woken = self.wire.wait(&self.session, wakes_ms, until);
            now_ms = wasi::monotonic_ms();
            if woken == Woken::Interrupt {
                // What had come as well is not left lying.
                self.settle(now_ms);
                return;
            }
        }
    }

    fn publish(&mut self, now_ms: u64, message: Message) -> Result<u64, Error> {
        self.session.publish(now_ms, message::message(message)).map_err(explained)
    }
}

fn explained((error, explanation): (thingpost::Error, String)) -> Error {
    outcome::error(error, explanation)
}

impl GuestSession for Session {
    fn connect(&self) -> Result<Connection, Error> {
        let parts = &mut *self.0.borrow_mut();
        parts.session.connect_once();
        loop {
            match parts.session.poll_attempt() {
                Some(Ok(connection)) => return Ok(event::connection(connection)),
                Some(Err(disconnection)) => {
                    return Err(outcome::error(disconnection.error, disconnection.explanation));
                }
                None => {
                    parts.run(wasi::monotonic_ms(), Until::Over, mqtt::Session::has_attempt);
                }
            }
        }
    }

    fn keep_connecting(&self) {
        let parts = &mut *self.0.borrow_mut();
        parts.session.keep_connecting();
        parts.settle(wasi::monotonic_ms());
    }

    fn publish(&self, message: Message) -> Result<u64, Error> {
        let parts = &mut *self.0.borrow_mut();
        let now_ms = wasi::monotonic_ms();
        let taken = parts.publish(now_ms, message);
        parts.settle(now_ms);
        taken
    }

    fn publish_all(&self, messages: Vec<Message>) -> Vec<Result<u64, Error>> {
        let parts = &mut *self.0.borrow_mut();
        let now_ms = wasi::monotonic_ms();
        let taken = messages.into_iter().map(|message| parts.publish(now_ms, message)).collect();
        parts.settle(now_ms);
        taken
    }

    fn subscribe(&self, subscription: Subscription) -> Result<(), Error> {
        let parts = &mut *self.0.borrow_mut();
        parts.session.subscribe(config::subscription(subscription)).map_err(explained)?;
        parts.settle(wasi::monotonic_ms());
        Ok(())
    }

    fn unsubscribe(&self, filter: String) -> Result<(), Error> {
        let parts = &mut *self.0.borrow_mut();
        parts.session.unsubscribe(&filter).map_err(explained)?;
        parts.settle(wasi::monotonic_ms());
        Ok(())
    }

    fn receive(&self, timeout_ms: u32, max_events: u32) -> Vec<Event> {
        let parts = &mut *self.0.borrow_mut();
        // A caller that comes back has kept what was handed over before.
        parts.session.acknowledge();
        let now_ms = wasi::monotonic_ms();
        let until = Until::TimeOrInterrupt(now_ms.saturating_add(timeout_ms.into()));
        parts.wire.look();
        parts.run(now_ms, until, mqtt::Session::has_event);
        let mut events = Vec::new();
        let mut bytes = 0;
        let max_events = usize::try_from(max_events).unwrap_or(EVENTS).min(EVENTS);
        while events.len() < max_events
            && bytes < EVENT_BYTES
            && let Some(event) = parts.session.poll_event()
        {
            if let CoreEvent::Message(incoming) = &event {
                bytes += incoming.payload.len();
            }
            events.push(event::event(event));
        }
        events
    }

    fn outstanding(&self) -> u32 {
        u32::try_from(self.0.borrow().session.outstanding()).unwrap_or(u32::MAX)
    }

    fn disconnect(&self) {
        let parts = &mut *self.0.borrow_mut();
        let now_ms = wasi::monotonic_ms();
        parts.session.acknowledge();
        parts.session.disconnect(now_ms);
        parts.run(now_ms, Until::Over, |session| !session.is_leaving());
    }

    fn expire_after_disconnect(&self, session_expiry_s: u32) -> Result<(), String> {
        let changed = self.0.borrow_mut().session.expire_after_disconnect(session_expiry_s);
        changed.map_err(|problem| problem.to_string())
    }

    fn unfinished(&self) -> Vec<Unfinished> {
        self.0.borrow().session.unfinished(wasi::monotonic_ms()).into_iter().map(event::unfinished).collect()
    }

    fn abandon(&self) {
        self.0.borrow_mut().session.abandon();
    }
}
