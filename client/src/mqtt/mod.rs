//! A device on an MQTT broker: a session that connects by itself, and comes back by itself.

mod builder;
mod driver;
mod link;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thingpost::mqtt::{AcceptedConnection, Disconnection, Incoming, Subscription, Unfinished};
use thingpost::{Message, Qos, Receipt};
use tokio::sync::{mpsc, oneshot, watch};

pub use builder::MqttBuilder;
use driver::Command;

use crate::error::PublishError;

/// A device on an MQTT broker. Cheap to clone; all clones share one connection. When the last of them and the [`Messages`] are
/// dropped, the connection ends, and what has no outcome then has none; [`disconnect`](Self::disconnect) gives it back.
#[derive(Clone)]
pub struct MqttClient {
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Status>,
}

/// The messages that come by the subscriptions of a device.
pub struct Messages {
    commands: mpsc::Sender<Command>,
    /// For a message that was asked for, and whose asker was dropped before it came.
    asked: Option<oneshot::Receiver<Incoming>>,
    dropped: Arc<AtomicU64>,
}

/// How the connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// There was none yet.
    Connecting,
    /// There is one.
    Connected(AcceptedConnection),
    /// There is none at the moment, or it was ended; it says why, and when the next attempt is made.
    Disconnected(Disconnection),
}

/// The session has ended: [`MqttClient::disconnect`] was called, or its runtime ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

/// The reason why something that was asked of a session did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionError {
    /// The session has ended before.
    Ended(Ended),
    /// The broker, or the way to it.
    Refused(PublishError),
}

impl MqttClient {
    /// Publishes a message, and waits for its outcome: at least once for the acknowledgement, at most once until it was handed to
    /// the connection. Without a connection it waits in the queue for one. Dropping the future does not take the message back.
    ///
    /// # Errors
    ///
    /// It was not delivered, or the session has ended.
    pub async fn publish(&self, message: Message) -> Result<Receipt, SessionError> {
        self.ask(|told| Command::Publish(message, told)).await
    }

    /// Subscribes, now and after each reconnect; gives the quality of service that the broker grants.
    ///
    /// # Errors
    ///
    /// The broker does not grant it, or the session has ended.
    pub async fn subscribe(&self, filter: impl Into<String>, qos: Qos) -> Result<Qos, SessionError> {
        let subscription = Subscription::new(filter, qos);
        self.ask(|told| Command::Subscribe(subscription, told)).await
    }

    /// Ends a subscription.
    ///
    /// # Errors
    ///
    /// The broker does not end it, or the session has ended.
    pub async fn unsubscribe(&self, filter: impl Into<String>) -> Result<(), SessionError> {
        let filter = filter.into();
        self.ask(|told| Command::Unsubscribe(filter, told)).await
    }

    /// How the connection stands, and each change of that.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Says goodbye to the broker. Gives the messages that have no outcome, for [`MqttBuilder::unfinished`] of the next session;
    /// those who wait for them learn that they were abandoned.
    pub async fn disconnect(self) -> Vec<Unfinished> {
        let (left, is_left) = oneshot::channel();
        match self.commands.send(Command::Disconnect(left)).await {
            Ok(()) => is_left.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, PublishError>>) -> Command,
    ) -> Result<T, SessionError> {
        let (told, outcome) = oneshot::channel();
        self.commands.send(command(told)).await.map_err(|_| SessionError::Ended(Ended))?;
        outcome.await.map_err(|_| SessionError::Ended(Ended))?.map_err(SessionError::Refused)
    }
}

impl Messages {
    /// The next message. Asking for it says that those before it are kept: what was handed over last is acknowledged only then, and
    /// comes again if that does not happen. None when the session has ended.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one was.
    pub async fn next(&mut self) -> Option<Incoming> {
        let asked = match &mut self.asked {
            Some(asked) => asked,
            None => {
                // Room first, so that what follows cannot be interrupted.
                let room = self.commands.reserve().await.ok()?;
                let (next, asked) = oneshot::channel();
                room.send(Command::Next(next));
                self.asked.insert(asked)
            }
        };
        let message = asked.await;
        self.asked = None;
        message.ok()
    }

    /// Messages that are at most once and found no room, as a thousand others waited to be taken.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl From<Ended> for SessionError {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session has ended; open a new one")
    }
}

impl std::error::Error for Ended {}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(ended) => ended.fmt(f),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionError {}

/// Shows nothing of the device.
impl fmt::Debug for MqttClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttClient").finish_non_exhaustive()
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}
