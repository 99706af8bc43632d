//! A session that is being put together.

use std::sync::Arc;

use thingpost::Message;
use thingpost::mqtt::{Broker, Config, Options, Session, Unfinished, Version};
use thingpost_host::Transport;
use tokio::sync::{mpsc, watch};

use super::driver::Driver;
use super::{Messages, MqttClient, Status};
use crate::clock::{monotonic_ms, seed};
use crate::error::OpenError;

/// Commands that wait for the task. With more of them those who give them wait.
const COMMANDS: usize = 64;

/// A session that is being put together: `Client::aws(..).mqtt(..)` and its like begin one.
#[must_use = "there is no client before `open`"]
pub struct MqttBuilder {
    config: Config,
    options: Options,
    unfinished: Vec<Unfinished>,
    transport: Transport,
}

impl MqttBuilder {
    /// A session on any broker of the core, over any transport that has a route to it for MQTT.
    pub fn new(broker: Arc<dyn Broker>, transport: Transport) -> Self {
        let config = Config {
            broker,
            version: Version::V3,
            session_expiry_s: 0,
            clean_start: None,
            keep_alive_s: 60,
            will: None,
            will_delay_s: None,
        };
        Self { config, options: Options::default(), unfinished: Vec::new(), transport }
    }

    /// Which MQTT. Default 3.1.1, which all brokers have.
    pub fn version(mut self, version: Version) -> Self {
        self.config.version = version;
        self
    }

    /// The longest silence before the connection is looked after, in seconds. Default 60.
    pub fn keep_alive_s(mut self, seconds: u16) -> Self {
        self.config.keep_alive_s = seconds;
        self
    }

    /// How long the broker keeps subscriptions and messages for the device while it is away, in seconds. Default 0: not at all.
    pub fn session_expiry_s(mut self, seconds: u32) -> Self {
        self.config.session_expiry_s = seconds;
        self
    }

    /// What the broker publishes when the device is lost.
    pub fn will(mut self, will: Message) -> Self {
        self.config.will = Some(will);
        self
    }

    /// Bounds and pace.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Begins with what [`MqttClient::disconnect`] has left.
    pub fn unfinished(mut self, unfinished: Vec<Unfinished>) -> Self {
        self.unfinished = unfinished;
        self
    }

    /// Begins the session, in a task of the current runtime of tokio. It connects by itself, and again whenever the connection is
    /// lost.
    ///
    /// # Errors
    ///
    /// Something that was given does not go together; the [`OpenError`] names it.
    ///
    /// # Panics
    ///
    /// Outside of a runtime of tokio.
    pub fn open(self) -> Result<(MqttClient, Messages), OpenError> {
        let Self { config, options, unfinished, transport } = self;
        let session = Session::open(monotonic_ms(), config, options, unfinished, seed())?;
        let (sender, commands) = mpsc::channel(COMMANDS);
        let (status, seen) = watch::channel(Status::Connecting);
        let dropped = Arc::default();
        tokio::spawn(Driver::new(session, transport, commands, status, Arc::clone(&dropped)).run());
        let messages = Messages { commands: sender.clone(), asked: None, dropped };
        Ok((MqttClient { commands: sender, status: seen }, messages))
    }
}
