//! Attempts, refusals, losses, and the pauses after them.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use super::connection_state::{ConnectionState, Limits, Online};
use super::{DesiredState, Session, Step};
use crate::error::{Cause, Error, Stage};
use crate::http::{TransportError, TransportErrorKind};
use crate::mqtt::MqttErrorContext;
use crate::mqtt::event::{AcceptedConnection, Disconnection, Event};
use crate::mqtt::packet::{self, Connack, Malformed};
use crate::mqtt::reason;
use crate::outcome::{Delivery, Retry};
use crate::secret::Secret;
use crate::signing::NotSigned;

/// How much longer than the one who dials.
pub(super) const GRACE_MS: u64 = 1000;

/// The longest signature there is has 64 characters.
const MAX_SIGNATURE: usize = 256;

impl Session {
    /// What to do next.
    pub fn poll(&mut self, now_ms: u64) -> Step {
        loop {
            if self.is_to_close {
                if let Some(until_ms) = self.last_word_ms(now_ms) {
                    return Step::Wait(Some(until_ms));
                }
                self.is_to_close = false;
                return Step::Close;
            }
            match &self.state {
                ConnectionState::Off if self.desired == DesiredState::Nothing => return Step::Wait(None),
                ConnectionState::Off => return self.begin(now_ms),
                ConnectionState::Pausing { until_ms } if *until_ms <= now_ms => self.state = ConnectionState::Off,
                ConnectionState::Pausing { until_ms } => return Step::Wait(Some(*until_ms)),
                ConnectionState::Signing => return Step::Wait(None),
                ConnectionState::Dialing { deadline_ms } => {
                    // The dialer has the same time, and can say better what it was spent on.
                    let deadline_ms = deadline_ms.saturating_add(GRACE_MS);
                    if now_ms < deadline_ms {
                        return Step::Wait(Some(deadline_ms));
                    }
                    self.handle_transport_error(now_ms, TransportErrorKind::ConnectTimeout.into());
                }
                ConnectionState::Greeting { deadline_ms } => {
                    if now_ms < *deadline_ms {
                        return Step::Wait(Some(*deadline_ms));
                    }
                    let detail = Some("the broker has not answered to CONNECT".to_owned());
                    self.handle_transport_error(
                        now_ms,
                        TransportError { kind: TransportErrorKind::AnswerTimeout, detail },
                    );
                }
                ConnectionState::Parting { deadline_ms } => {
                    if now_ms < *deadline_ms {
                        return Step::Wait(Some(*deadline_ms));
                    }
                    self.state = self.goodbye(now_ms);
                }
                ConnectionState::Leaving { deadline_ms } => {
                    if !self.output.is_empty() && now_ms < *deadline_ms {
                        return Step::Wait(Some(*deadline_ms));
                    }
                    self.state = ConnectionState::Off;
                    self.close();
                }
                ConnectionState::Online(_) => {
                    if let Some(until_ms) = self.serve(now_ms) {
                        return Step::Wait(until_ms);
                    }
                }
            }
        }
    }

    fn begin(&mut self, now_ms: u64) -> Step {
        // However often a connection is asked for, and waited for.
        let until_ms = self.reconnect.not_before_ms();
        if now_ms < until_ms {
            self.state = ConnectionState::Pausing { until_ms };
            return Step::Wait(Some(until_ms));
        }
        if self.signature.is_none()
            && let Some(signing) = self.config.broker.external_signing()
        {
            self.state = ConnectionState::Signing;
            return Step::Sign(signing);
        }
        let timeout_ms = self.options.connect_timeout_ms;
        self.reconnect.begun(now_ms);
        self.state = ConnectionState::Dialing { deadline_ms: now_ms.saturating_add(timeout_ms.into()) };
        let endpoint = self.config.broker.endpoint();
        let authority = [endpoint.host(), ":", &endpoint.port().to_string()].concat();
        Step::Dial { authority, timeout_ms }
    }

    /// What came of a [`Step::Sign`].
    pub fn handle_signature(&mut self, now_ms: u64, signature: Result<String, NotSigned>) {
        if !matches!(self.state, ConnectionState::Signing) {
            return;
        }
        match signature {
            Ok(signature) if signature.len() <= MAX_SIGNATURE => {
                self.signature = Some(Secret::new(signature));
                self.state = ConnectionState::Off;
            }
            Ok(_) => self.not_signed(now_ms, "what came is no signature".to_owned().into()),
            Err(problem) => self.not_signed(now_ms, problem),
        }
    }

    fn not_signed(&mut self, now_ms: u64, problem: NotSigned) {
        self.end(now_ms, Error { stage: Stage::Connection, ..Error::not_signed(problem) });
    }

    /// There is a connection: the broker is greeted.
    pub fn handle_dialed(&mut self) {
        let ConnectionState::Dialing { deadline_ms } = self.state else { return };
        self.state = ConnectionState::Greeting { deadline_ms };
        let signature = self.signature.as_ref().map(|signature| signature.reveal().to_owned());
        let login = self.config.broker.login(signature);
        let connect = packet::Connect {
            login: &login,
            keep_alive_s: self.config.keep_alive_s,
            session_expiry_s: self.config.session_expiry_s,
            starts_clean: self.starts_clean(),
            will_delay_s: self.config.will_delay_s,
            will: self.config.will.as_ref().zip(self.will_topic.as_deref()),
        };
        // What stands in it has been checked when the session was opened.
        let encoded = self.config.version.connect(&connect, self.output.buffer());
        debug_assert!(encoded.is_ok(), "a checked CONNECT can be sent");
    }

    /// Whether the next connection begins a new session.
    fn starts_clean(&self) -> bool {
        let keeps_nothing = self.config.session_expiry_s == 0;
        match self.config.clean_start {
            None => keeps_nothing,
            Some(false) => false,
            Some(true) => keeps_nothing || self.generation == 0,
        }
    }

    /// There is no connection, or it has ended. `failure` says how: [`TransportErrorKind::ConnectionClosed`] if the broker closed it in good
    /// order, [`TransportErrorKind::ConnectionReset`] if it was broken off.
    pub fn handle_transport_error(&mut self, now_ms: u64, transport_error: TransportError) {
        self.last_word_until_ms = None;
        self.end(now_ms, Error { delivery: Delivery::NotSent, ..Error::transport(Stage::Connection, transport_error) });
    }

    /// The broker has answered the CONNECT.
    pub(super) fn greeted(&mut self, now_ms: u64, connack: Connack) {
        if connack.code != 0 {
            // Perhaps it was made with a secret that has been replaced.
            self.signature = None;
            let error = reason::refused_connection(self.config.version, connack.code, connack.reason);
            let elsewhere = connack.elsewhere.map(|server| reason::elsewhere(&server));
            let detail = elsewhere.or_else(|| connack.is_of_v3.then(|| "it answers as MQTT 3.1.1 does".to_owned()));
            return self.end(now_ms, Error { detail, ..error });
        }
        if connack.session_present && self.starts_clean() {
            // Both versions demand it: what would come belongs to a session that is unknown here.
            let rule = "it goes on with a session where a new one was asked for";
            return self.broken(now_ms, Malformed::Broken("CONNACK", rule), Retry::AfterMs(1000));
        }
        self.reconnect.succeeded();
        if let Some(lost_ms) = self.lost_ms.take() {
            self.outbox.was_offline_for(now_ms.saturating_sub(lost_ms));
        }
        let longest_s = self.config.broker.longest_keep_alive().unwrap_or(u16::MAX);
        let keep_alive_s = connack.keep_alive_s.unwrap_or(self.config.keep_alive_s).min(longest_s);
        let connection = AcceptedConnection { session_present: connack.session_present, keep_alive_s };
        for filter in self.subscriptions.connected(connack.session_present) {
            self.tell(Event::Unsubscribed { filter, error: None });
        }
        let window = connack.receive_maximum.map_or(u32::MAX, u32::from).min(self.options.max_in_flight);
        self.generation = self.generation.wrapping_add(1);
        self.has_acknowledged = false;
        self.state = ConnectionState::Online(Online {
            connection,
            since_ms: now_ms,
            window: window as usize,
            is_cautious: self.outbox.first_waiting().is_some_and(|entry| entry.is_suspect),
            has_unconfirmed: false,
            // A quarter before its time, so that it is not late for the broker. One that wants none gets one all the same:
            // without it a dead connection is never noticed.
            ping_after_ms: match keep_alive_s {
                0 => u64::from(self.config.keep_alive_s.min(longest_s)) * 750,
                seconds => u64::from(seconds) * 750,
            },
            limits: Limits {
                max_packet_bytes: connack.max_packet_bytes,
                takes_qos_1: connack.takes_qos_1,
                takes_retained: connack.takes_retained,
            },
            is_resubscribing: !self.subscriptions.is_settled(),
            backlog_end: self.outbox.next_id(),
            drain_at_us: now_ms.saturating_mul(1000),
            last_sent_ms: now_ms,
            last_received_ms: now_ms,
            pinged_ms: None,
            silent_since_ms: None,
            asked_since_ms: None,
        });
        match self.desired {
            DesiredState::Once => self.attempt = Some(Ok(connection)),
            _ => self.tell(Event::Connected(connection)),
        }
        self.desired = DesiredState::Always;
    }

    /// The connection, or the attempt to get one, is over.
    pub(super) fn end(&mut self, now_ms: u64, error: Error) {
        self.end_upon(now_ms, error, None);
    }

    /// The connection, or the attempt to get one, is over; `upon` is what was going on, where more is known of it than that.
    pub(super) fn end_upon(&mut self, now_ms: u64, error: Error, upon: Option<MqttErrorContext>) {
        let error = self.config.broker.redact(error);
        let after_ms = match &self.state {
            ConnectionState::Off | ConnectionState::Pausing { .. } => return,
            ConnectionState::Parting { .. } | ConnectionState::Leaving { .. } => {
                self.state = ConnectionState::Off;
                return self.close();
            }
            ConnectionState::Online(online) => Some(now_ms.saturating_sub(online.since_ms)),
            ConnectionState::Signing => None,
            ConnectionState::Dialing { .. } | ConnectionState::Greeting { .. } => {
                let was_greeted = matches!(self.state, ConnectionState::Greeting { .. });
                self.reconnect.failed(was_greeted);
                let is_closed = matches!(
                    error.cause,
                    Cause::Transport(TransportErrorKind::ConnectionClosed | TransportErrorKind::ConnectionReset)
                );
                if was_greeted && is_closed && self.generation == 0 {
                    self.reconnect.was_unknown();
                }
                None
            }
        };
        // Who closes upon a message does so upon the first one that was not acknowledged, whatever was sent behind it.
        let suspect = self.outbox.first_in_flight().map(|first| first.topic.clone());
        let last_topic = self.last_topic.take().map(|(topic, _)| topic);
        let suspect = suspect.or(last_topic);
        if let Some(after_ms) = after_ms {
            self.reconnect.lost(after_ms);
            self.lost_ms = Some(now_ms);
            self.blame(now_ms, &error);
            if error.cause == Cause::Throttled {
                self.rate.slow_down(now_ms);
            }
        }
        if matches!(error.cause, Cause::Transport(TransportErrorKind::Denied | TransportErrorKind::RequestRejected))
            && self.desired == DesiredState::Always
        {
            // The host has said no, and says it each time.
            self.desired = DesiredState::Nothing;
        }
        let retry_ms = (self.desired == DesiredState::Always).then(|| self.reconnect.pause_ms(now_ms));
        self.state = match retry_ms {
            Some(pause_ms) => ConnectionState::Pausing { until_ms: now_ms.saturating_add(pause_ms) },
            None => ConnectionState::Off,
        };
        self.close();
        let context = upon.unwrap_or(match after_ms {
            Some(after_ms) => MqttErrorContext::Lost { last_topic: suspect.as_deref(), after_ms },
            None => MqttErrorContext::Connecting,
        });
        let explanation = self.explain(&error, &context);
        let disconnection = Disconnection { error, was_connected: after_ms.is_some(), retry_ms, explanation };
        if self.desired == DesiredState::Once {
            self.desired = DesiredState::Nothing;
            self.attempt = Some(Err(disconnection));
        } else {
            self.tell(Event::Disconnected(disconnection));
        }
    }

    /// Forgets all that belongs to a connection.
    pub(super) fn close(&mut self) {
        self.is_to_close = true;
        self.outbox.lost(&self.output);
        for packet_id in core::mem::take(&mut self.asked) {
            self.outbox.release(packet_id);
        }
        self.output.clear();
        self.input.clear();
    }

    /// A broker may close the connection upon a message or a subscription that it does not want, and over MQTT 3.1.1 AWS
    /// does nothing else. That would be sent again for ever, and nothing behind it.
    ///
    /// A reset proves nothing: anything on the way can send one. But a broker that closes with something unread resets as well,
    /// and so does one that closes upon the first of many messages. So whatever may be the reason goes alone the next time: then
    /// nothing is unread, and the close is a close.
    fn blame(&mut self, now_ms: u64, error: &Error) {
        let is_closed = matches!(
            error.cause,
            Cause::Transport(TransportErrorKind::ConnectionClosed)
                | Cause::Forbidden
                | Cause::InvalidRequest
                | Cause::InvalidField(_)
                | Cause::PayloadTooLarge
                | Cause::Unsupported
                | Cause::ServerError
                | Cause::UndocumentedAnswer
        );
        let is_reset = error.cause == Cause::Transport(TransportErrorKind::ConnectionReset);
        let is_unanswered = error.cause == Cause::Transport(TransportErrorKind::AnswerTimeout);
        let max_attempts = self.options.max_attempts;
        if is_reset {
            self.subscriptions.reset();
        }
        for (filter, is_end) in self.subscriptions.lost(is_closed || is_unanswered, max_attempts) {
            let error = Error { stage: Stage::Publication, delivery: Delivery::Unknown, ..error.clone() };
            self.tell_unasked(filter, is_end, error);
        }
        if is_closed || is_reset {
            self.suspect(now_ms, is_closed.then_some(error));
        }
    }

    /// Brokers take messages in their order, so it is the first one that was not acknowledged; if it had left in full, and if
    /// that was not long ago. It is blamed for a close alone, and if nothing else was under way.
    fn suspect(&mut self, now_ms: u64, close: Option<&Error>) {
        let ConnectionState::Online(online) = &self.state else { return };
        let is_alone = !online.has_unconfirmed && self.asked.is_empty() && self.outbox.is_first_alone();
        let patience_ms = u64::from(self.options.operation_timeout_ms);
        let is_long_ago = self.outbox.first_waits_since_ms().is_some_and(|ms| now_ms.saturating_sub(ms) > patience_ms);
        let Some(first) = self.outbox.first_in_flight() else { return };
        if !self.output.is_written(first.end) || is_long_ago {
            return;
        }
        first.is_suspect = true;
        let Some(error) = close.filter(|_| is_alone) else { return };
        first.closings += 1;
        if first.closings >= self.options.max_attempts
            && let Some(entry) = self.outbox.pop_in_flight()
        {
            let error =
                Error { stage: Stage::Publication, delivery: Delivery::Unknown, retry: Retry::Never, ..error.clone() };
            self.not_published(entry, |_| error);
        }
    }

    /// A subscription, or the end of one, is given up.
    pub(super) fn tell_unasked(&mut self, filter: String, is_end: bool, error: Error) {
        let explained = self.about_subscription(error, &filter);
        self.tell(match is_end {
            true => Event::Unsubscribed { filter, error: Some(explained) },
            false => Event::Subscribed { filter, granted: Err(explained) },
        });
    }
}

pub(super) fn connection_error(cause: Cause, retry: Retry) -> Error {
    Error {
        cause,
        stage: Stage::Connection,
        delivery: Delivery::NotSent,
        retry,
        attempts: 1,
        answer: None,
        detail: None,
    }
}
