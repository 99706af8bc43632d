//! The state machine.
//!
//! | where | what |
//! |---|---|
//! | here | what its holder calls |
//! | `link` | the connection as it stands |
//! | `connecting` | attempts, refusals, losses and the pauses after them |
//! | `receiving` | what comes |
//! | `unreadable` | what comes and cannot be taken |
//! | `sending` | what goes out next, and the timers of a connection |

mod connecting;
mod connection_state;
mod receiving;
mod sending;
#[cfg(all(test, feature = "aliyun", feature = "aws"))]
mod tests;
mod unreadable;

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use connection_state::ConnectionState;

use super::broker::{Broker, MAX_TEXT};
use super::entry::{self, Entry};
use super::event::{AcceptedConnection, Disconnection, Event, Unfinished};
use super::options::Options;
use super::outbox::{NotTaken, Outbox, QueuePhase};
use super::output::Output;
use super::packet;
use super::reconnect::Reconnect;
use super::send_rate::SendRate;
use super::subscriptions::{Subscription, Subscriptions};
use super::{MqttErrorContext, Version};
use crate::config_error::ConfigError;
use crate::error::{Cause, Error, Stage};
use crate::field::Field;
use crate::message::{Message, Qos, RequestError};
use crate::outcome::{Delivery, Retry};
use crate::secret::Secret;
use crate::signing::Signing;

/// No platform takes nearly as much, properties and all.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// With so many events waiting nothing more is read.
const ENOUGH_EVENTS: usize = 1024;
const ENOUGH_BYTES: usize = 1024 * 1024;

/// With so many no more messages are taken: each of them has an outcome to come.
const MAX_EVENTS: usize = 64 * 1024;

/// A session, as the broker is to know it.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which broker, and as whom.
    pub broker: Arc<dyn Broker>,
    /// Which MQTT.
    pub version: Version,
    /// How long the broker keeps subscriptions and messages for a client that is away. 0: not at all.
    pub session_expiry_s: u32,
    /// Whether the first connection begins a new session, whatever the broker has kept. None: if nothing is kept. Later ones go on
    /// with what there is.
    pub clean_start: Option<bool>,
    /// The longest silence before the connection is looked after.
    pub keep_alive_s: u16,
    /// What the broker publishes when the device is lost.
    pub will: Option<Message>,
    /// MQTT 5: how long the broker waits with it for the device to come back, in seconds.
    pub will_delay_s: Option<u32>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Have this signed, and give the signature to [`Session::handle_signature`].
    Sign(Signing),
    /// Begin a connection to this `host:port`, and call [`Session::handle_dialed`] or [`Session::handle_transport_error`].
    Dial {
        /// Where to.
        authority: String,
        /// Give up after so long.
        timeout_ms: u32,
    },
    /// Close the connection, or give up the one that is on its way.
    Close,
    /// Wait until something comes, or until the clock shows this.
    Wait(Option<u64>),
}

/// What is wanted of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DesiredState {
    /// None.
    Nothing,
    /// One attempt, whose outcome is waited for.
    Once,
    /// That it is there.
    Always,
}

/// An event, and what acknowledges it: over which connection it came, and under which packet identifier.
#[derive(Debug)]
struct Queued {
    event: Event,
    acknowledge: Option<(u32, u16)>,
}

/// A device on a broker.
#[derive(Debug)]
pub struct Session {
    config: Config,
    /// The topic of the will as it goes over the wire.
    will_topic: Option<String>,
    options: Options,
    desired: DesiredState,
    /// What came of the one attempt.
    attempt: Option<Result<AcceptedConnection, Disconnection>>,
    state: ConnectionState,
    /// How many connections there were.
    generation: u32,
    /// The connection is to be closed.
    is_to_close: bool,
    /// For how long the close waits for what the broker is told before it.
    last_word_until_ms: Option<u64>,
    signature: Option<Secret>,
    /// How long the broker is to keep the session after a goodbye, if that was changed.
    expiry_at_disconnect_s: Option<u32>,
    reconnect: Reconnect,
    rate: SendRate,
    /// How many times in a row a connection was given up because an answer did not come.
    silences: u32,
    /// When the last connection ended.
    lost_ms: Option<u64>,
    outbox: Outbox,
    subscriptions: Subscriptions,
    /// Under which subscriptions, and ends of them, wait for their answer.
    asked: Vec<u16>,
    output: Output,
    /// What came of a packet that is not whole yet.
    input: Vec<u8>,
    events: VecDeque<Queued>,
    /// How many bytes of messages are among them.
    event_bytes: usize,
    /// What acknowledges the messages that were taken.
    taken: Vec<(u32, u16)>,
    /// Messages were acknowledged over this connection, and the broker may not have read it yet.
    has_acknowledged: bool,
    /// Of the at-most-once message that was sent last over this connection, with where it ends in the output: until something
    /// behind it is acknowledged, a close may be due to it.
    last_topic: Option<(String, u64)>,
}

impl Session {
    /// Refuses what cannot work. `unfinished` is what an earlier session has left: whatever this broker cannot take of it has its
    /// outcome as an event. `seed` spreads the pauses.
    ///
    /// # Errors
    ///
    /// Options, a keep-alive, a version or a will that this broker cannot take, and unfinished messages that cannot have come from a session.
    pub fn open(
        now_ms: u64,
        config: Config,
        options: Options,
        unfinished: Vec<Unfinished>,
        seed: u64,
    ) -> Result<Self, ConfigError> {
        options.check()?;
        let Config { broker, version, will, .. } = &config;
        broker.check_keep_alive(config.keep_alive_s)?;
        broker.check_session(*version, will.as_ref())?;
        if config.will_delay_s.is_some() && *version == Version::V3 {
            return Err(ConfigError::Unsupported("will delay with MQTT 3.1.1"));
        }
        let will_topic = match will {
            Some(will) if will.payload.len() > MAX_TEXT => {
                return Err(ConfigError::TooLarge("payload of the will", "65535 bytes"));
            }
            Some(will) => {
                let topic = broker.check_message(will, *version);
                Some(topic.map_err(|_| ConfigError::Malformed("will"))?)
            }
            None => None,
        };
        let mut session = Self {
            will_topic,
            desired: DesiredState::Nothing,
            attempt: None,
            state: ConnectionState::Off,
            generation: 0,
            is_to_close: false,
            last_word_until_ms: None,
            signature: None,
            expiry_at_disconnect_s: None,
            reconnect: Reconnect::new(&options, config.broker.connects_per_minute(), seed),
            rate: SendRate::new(options.max_per_second),
            silences: 0,
            lost_ms: None,
            outbox: Outbox::new(&options),
            subscriptions: Subscriptions::default(),
            asked: Vec::new(),
            output: Output::default(),
            input: Vec::new(),
            events: VecDeque::new(),
            event_bytes: 0,
            taken: Vec::new(),
            has_acknowledged: false,
            last_topic: None,
            config,
            options,
        };
        const LEFT: ConfigError = ConfigError::Malformed("message that an earlier session has left");
        for Unfinished { id, message, attempts, packet_id, age_ms } in unfinished {
            let checked = session.config.broker.check_message(&message, session.config.version);
            // Only what is at least once is sent again under the same identifier.
            let packet_id = packet_id.filter(|_| message.qos == Qos::AtLeastOnce);
            let topic = checked.as_ref().map_or_else(|_| message.topic.clone(), String::clone);
            let taken_ms = entry::signed(now_ms).saturating_sub(entry::signed(age_ms.unwrap_or(0)));
            let entry = Entry {
                packet_id,
                attempts,
                may_have_arrived: packet_id.is_some(),
                ..Entry::new(id, message, topic, taken_ms)
            };
            if !session.outbox.restore(entry) {
                return Err(LEFT);
            }
            // The others are not to wait for one that can never go.
            if let Err(problem) = checked
                && let Some(entry) = session.outbox.pop_restored()
            {
                session.not_published(entry, |entry| Error { delivery: entry.delivery(), ..problem.into() });
            }
        }
        Ok(session)
    }

    /// Asks for a connection, and for one attempt to get it; [`Self::poll_attempt`] says what came of it. After a success it reconnects by
    /// itself. Without effect where there is a connection.
    pub fn connect_once(&mut self) {
        self.attempt = self.connection().map(Ok);
        if self.attempt.is_none() {
            self.desired = DesiredState::Once;
            self.hurry();
        }
    }

    /// Asks for a connection, for as long as it takes.
    pub fn keep_connecting(&mut self) {
        self.desired = DesiredState::Always;
        self.hurry();
    }

    /// Ends a pause before the next attempt: a connection was asked for.
    fn hurry(&mut self) {
        if matches!(self.state, ConnectionState::Pausing { .. }) {
            self.state = ConnectionState::Off;
        }
    }

    /// What came of the one attempt, once it is over.
    pub fn poll_attempt(&mut self) -> Option<Result<AcceptedConnection, Disconnection>> {
        self.attempt.take()
    }

    /// Whether it is over.
    pub fn has_attempt(&self) -> bool {
        // The caller that waits for it drives the session no further.
        self.attempt.is_some() && self.last_word_until_ms.is_none()
    }

    /// The connection, if the broker has accepted one.
    pub fn connection(&self) -> Option<AcceptedConnection> {
        match &self.state {
            ConnectionState::Online(online) => Some(online.connection),
            _ => None,
        }
    }

    /// How long the broker keeps the session after a goodbye from now on, in place of what the configuration says. MQTT 5 alone has
    /// that, and not for a session that is kept for no time at all.
    ///
    /// # Errors
    ///
    /// MQTT 3.1.1, or a session that is not kept in the first place.
    pub fn expire_after_disconnect(&mut self, session_expiry_s: u32) -> Result<(), ConfigError> {
        const OPTION: &str = "session expiry at disconnect";
        if self.config.version == Version::V3 {
            return Err(ConfigError::Unsupported("session expiry at disconnect with MQTT 3.1.1"));
        }
        if session_expiry_s > 0 && self.config.session_expiry_s == 0 {
            return Err(ConfigError::TooLarge(OPTION, "0, as the session expiry is"));
        }
        self.expiry_at_disconnect_s = Some(session_expiry_s);
        Ok(())
    }

    /// Says goodbye, and wants no connection any more. [`Step::Close`] follows when the goodbye is written.
    pub fn disconnect(&mut self, now_ms: u64) {
        self.desired = DesiredState::Nothing;
        if let ConnectionState::Online(_) = &self.state {
            self.lost_ms = Some(now_ms);
        }
        self.state = match core::mem::replace(&mut self.state, ConnectionState::Off) {
            ConnectionState::Online(_) if self.has_acknowledged => {
                packet::pingreq(self.output.buffer());
                ConnectionState::Parting { deadline_ms: self.goodbye_ms(now_ms) }
            }
            ConnectionState::Online(_) => self.goodbye(now_ms),
            state @ (ConnectionState::Parting { .. } | ConnectionState::Leaving { .. }) => state,
            ConnectionState::Off | ConnectionState::Pausing { .. } | ConnectionState::Signing => ConnectionState::Off,
            ConnectionState::Dialing { .. } | ConnectionState::Greeting { .. } => {
                self.close();
                ConnectionState::Off
            }
        };
    }

    fn goodbye(&mut self, now_ms: u64) -> ConnectionState {
        packet::disconnect(self.expiry_at_disconnect_s, self.output.buffer());
        ConnectionState::Leaving { deadline_ms: self.goodbye_ms(now_ms) }
    }

    fn goodbye_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(self.options.operation_timeout_ms.into())
    }

    /// Whether a goodbye is not over yet.
    pub fn is_leaving(&self) -> bool {
        matches!(self.state, ConnectionState::Parting { .. } | ConnectionState::Leaving { .. })
    }

    /// Takes a message and numbers it. A message that is not taken has its outcome right here, with an explanation.
    ///
    /// # Errors
    ///
    /// A message that the broker cannot take, or for which there is no room: its outcome, and the explanation.
    pub fn publish(&mut self, now_ms: u64, message: Message) -> Result<u64, (Error, String)> {
        let topic = match self.config.broker.check_message(&message, self.config.version) {
            Ok(topic) => topic,
            Err(problem) => return Err(self.refused(problem.into(), &message.topic)),
        };
        let bytes = entry::bytes(&message, &topic);
        if bytes > MAX_MESSAGE_BYTES {
            return Err(self.refused(RequestError::PayloadTooLarge.into(), &topic));
        }
        if self.events.len() >= MAX_EVENTS {
            let detail = Some("too many events wait to be taken".to_string());
            return Err(self.refused(Error { detail, ..not_taken(Cause::QueueFull) }, &topic));
        }
        let phase = self.phase();
        if self.outbox.is_full(bytes, phase) {
            // No message has to go for one that has no time left.
            self.tell_expired(now_ms);
        }
        match self.outbox.make_room(bytes, phase) {
            Ok(dropped) => {
                for dropped in dropped {
                    self.not_published(dropped, |_| not_taken(Cause::QueueFull));
                }
                Ok(self.outbox.push(message, topic, now_ms))
            }
            Err(NotTaken::QueueOff) => Err(self.refused(not_taken(Cause::NotConnected), &topic)),
            Err(NotTaken::QueueFull) => Err(self.refused(not_taken(Cause::QueueFull), &topic)),
        }
    }

    /// How the connection stands for a message that comes.
    fn phase(&self) -> QueuePhase {
        match &self.state {
            ConnectionState::Online(online)
                if online.is_resubscribing || self.outbox.has_fresh_before(online.backlog_end) =>
            {
                QueuePhase::Draining
            }
            ConnectionState::Online(_) => QueuePhase::Steady,
            _ => QueuePhase::Offline,
        }
    }

    fn tell_expired(&mut self, now_ms: u64) {
        for entry in self.outbox.take_expired(now_ms) {
            self.expired(entry);
        }
    }

    /// Its message expiry is over.
    fn expired(&mut self, entry: Entry) {
        self.not_published(entry, |entry| Error {
            delivery: entry.delivery(),
            retry: Retry::Never,
            ..not_taken(Cause::Expired)
        });
    }

    fn refused(&self, error: Error, topic: &str) -> (Error, String) {
        let explanation = self.explain(&error, &MqttErrorContext::Publication { topic });
        (error, explanation)
    }

    /// Subscribes to these topics, now and after each reconnect.
    ///
    /// # Errors
    ///
    /// A filter or an option that the broker cannot take, with the explanation.
    pub fn subscribe(&mut self, subscription: Subscription) -> Result<(), (Error, String)> {
        self.check_filter(&subscription.filter)?;
        self.check_options(&subscription)?;
        self.subscriptions.want(subscription);
        Ok(())
    }

    /// Ends a subscription.
    ///
    /// # Errors
    ///
    /// A filter that the broker cannot take, with the explanation.
    pub fn unsubscribe(&mut self, filter: &str) -> Result<(), (Error, String)> {
        self.check_filter(filter)?;
        let may_be_known = self.config.session_expiry_s > 0;
        if !self.subscriptions.end(filter, may_be_known) {
            self.tell(Event::Unsubscribed { filter: filter.to_string(), error: None });
        }
        Ok(())
    }

    fn check_filter(&self, filter: &str) -> Result<(), (Error, String)> {
        let checked = match filter.len() {
            ..=MAX_TEXT => self.config.broker.check_filter(filter),
            _ => Err(Field::TopicFilter.into()),
        };
        checked.map_err(|problem| {
            let error = problem.into();
            let explanation = self.explain(&error, &MqttErrorContext::Subscription { filter });
            (error, explanation)
        })
    }

    fn check_options(&self, subscription: &Subscription) -> Result<(), (Error, String)> {
        let Some(options) = subscription.options else { return Ok(()) };
        let detail = match self.config.version {
            Version::V3 => "options of a subscription are for MQTT 5",
            // The standard calls it a protocol error, for which a broker ends the connection.
            Version::V5 if options.no_local && subscription.filter.starts_with("$share/") => {
                "no-local is not to be had with a shared subscription"
            }
            Version::V5 => return Ok(()),
        };
        let error = Error { detail: Some(detail.to_string()), ..RequestError::Unsupported.into() };
        Err(self.about_subscription(error, &subscription.filter))
    }

    /// What happened next. A message is not acknowledged before [`Self::acknowledge`]: its taker may yet fail to keep it.
    pub fn poll_event(&mut self) -> Option<Event> {
        let Queued { event, acknowledge } = self.events.pop_front()?;
        self.event_bytes -= event_bytes(&event);
        self.taken.extend(acknowledge);
        Some(event)
    }

    /// Acknowledges the messages that were taken, if the connection over which they came is still there.
    pub fn acknowledge(&mut self) {
        let is_online = matches!(self.state, ConnectionState::Online(_));
        for (generation, packet_id) in core::mem::take(&mut self.taken) {
            if is_online && generation == self.generation {
                packet::puback(packet_id, self.output.buffer());
                self.has_acknowledged = true;
            }
        }
    }

    /// Whether bytes from the connection are wanted now. Who takes no events gets no more of them: what the broker sends is
    /// left in the connection, which keeps the broker from sending more.
    pub fn wants_input(&self) -> bool {
        match &self.state {
            ConnectionState::Online(_) | ConnectionState::Parting { .. } => {
                self.events.len() < ENOUGH_EVENTS && self.event_bytes < ENOUGH_BYTES
            }
            ConnectionState::Greeting { .. } => true,
            _ => false,
        }
    }

    /// Whether something has happened.
    pub fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// How many messages have no outcome.
    pub fn outstanding(&self) -> usize {
        self.outbox.len()
    }

    /// The messages without an outcome, oldest first.
    pub fn unfinished(&self, now_ms: u64) -> Vec<Unfinished> {
        self.outbox.unfinished(now_ms)
    }

    /// Gives each message its outcome that has none.
    pub fn abandon(&mut self) {
        for (entry, delivery) in self.outbox.give_up() {
            self.not_published(entry, |_| Error { delivery, retry: Retry::AfterMs(0), ..not_taken(Cause::Abandoned) });
        }
    }

    fn tell(&mut self, event: Event) {
        self.queue(event, None);
    }

    fn queue(&mut self, event: Event, acknowledge: Option<(u32, u16)>) {
        self.event_bytes += event_bytes(&event);
        self.events.push_back(Queued { event, acknowledge });
    }

    fn not_published(&mut self, entry: Entry, error: impl FnOnce(&Entry) -> Error) {
        let error = self.config.broker.redact(Error { attempts: entry.attempts, ..error(&entry) });
        let explanation = self.explain(&error, &MqttErrorContext::Publication { topic: &entry.topic });
        self.tell(Event::NotPublished { id: entry.id, error, explanation });
    }

    fn explain(&self, error: &Error, context: &MqttErrorContext) -> String {
        self.config.broker.explain(error, self.config.version, context)
    }
}

fn event_bytes(event: &Event) -> usize {
    match event {
        Event::Message(incoming) => {
            incoming.topic.len()
                + incoming.payload.len()
                + incoming.properties.as_ref().map_or(0, entry::properties_bytes)
        }
        _ => 0,
    }
}

/// A message did not leave.
fn not_taken(cause: Cause) -> Error {
    Error {
        cause,
        stage: Stage::Publication,
        delivery: Delivery::NotSent,
        retry: Retry::AfterMs(1000),
        attempts: 0,
        answer: None,
        detail: None,
    }
}
