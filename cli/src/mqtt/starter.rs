//! Component, device and routes put together: a session, and before it one that goes nowhere, to find what is wrong with a
//! message while nothing is connected yet.

use std::sync::Arc;
use std::time::Duration;

use thingpost_host::runtime::types::mqtt::{Event, MqttConfig, SessionOptions, Unfinished};
use thingpost_host::runtime::types::{Error, Message};
use thingpost_host::runtime::{MqttPre, MqttSession, OpenError};
use thingpost_host::{ConnectTo, Transport};

use super::trapped;
use crate::device::Device;
use crate::input_file::InputFile;
use crate::problem::Problem;
use crate::report::LastFailure;
use crate::starter::{load_mqtt, transport};

/// What a session is started from.
pub struct MqttStarter {
    component: MqttPre,
    device: Device<MqttConfig>,
    transport: Transport,
    options: SessionOptions,
    /// How long the broker keeps the session after the goodbye, if not as long as it says when it connects.
    expiry_at_disconnect_s: Option<u32>,
    /// What the host saw of the last failed connection.
    pub last_failure: LastFailure,
}

impl MqttStarter {
    /// No attempt to connect takes longer than the timeout, and no message is tried for longer while there is a connection,
    /// unless the options say so.
    pub fn new(
        device: Device<MqttConfig>,
        connect_to: Vec<ConnectTo>,
        timeout_ms: u32,
        options: SessionOptions,
    ) -> Result<Self, Problem> {
        device.warn();
        let (transport, last_failure) = transport(device.routes.clone(), connect_to, timeout_ms)?;
        let message_timeout_ms = options.message_timeout_ms.or(Some(timeout_ms));
        let options = SessionOptions { connect_timeout_ms: Some(timeout_ms), message_timeout_ms, ..options };
        let component = load_mqtt()?;
        Ok(Self { component, device, transport, options, expiry_at_disconnect_s: None, last_failure })
    }

    /// With another session expiry for the goodbye.
    pub fn expiring(self, at_disconnect_s: Option<u32>) -> Self {
        Self { expiry_at_disconnect_s: at_disconnect_s, ..self }
    }

    /// A session, with what an earlier one left.
    pub async fn open(&self, unfinished: &[Unfinished]) -> Result<MqttSession, Problem> {
        if !unfinished.is_empty() {
            self.refuse_all_of_another(unfinished).await?;
        }
        self.open_with(&self.options, unfinished).await
    }

    /// The session gives its outcome to each message that this device cannot send. If it can send none of them, they were left
    /// by another device, and that is not to lose them.
    async fn refuse_all_of_another(&self, unfinished: &[Unfinished]) -> Result<(), Problem> {
        let mut session = self.open_with(&self.options, unfinished).await?;
        if session.outstanding().await.map_err(trapped)? > 0 {
            return Ok(());
        }
        let events = session.receive(Duration::ZERO).await.map_err(trapped)?;
        let reason = events.into_iter().rev().find_map(|event| match event {
            Event::NotPublished(refused) => Some(refused.error.explanation),
            _ => None,
        });
        Err(Problem::sentence(reason.unwrap_or_default()))
    }

    /// What no connection can change about the message.
    pub async fn rehearse(&self, message: &Message) -> Result<Result<u64, Error>, Problem> {
        // With a queue, as it would be refused without.
        let options = SessionOptions { queue_unlimited: true, ..self.options };
        self.open_with(&options, &[]).await?.publish(message).await.map_err(trapped)
    }

    async fn open_with(&self, options: &SessionOptions, unfinished: &[Unfinished]) -> Result<MqttSession, Problem> {
        let (transport, secrets) = (self.transport.clone(), Arc::clone(&self.device.secrets));
        let opened = self.component.open(transport, secrets, &self.device.platform, options, unfinished).await;
        let mut session = opened.map_err(|error| match error {
            OpenError::Configuration(_) => Problem::sentence(error),
            OpenError::Runtime(error) => Problem::new("the component cannot be started", format!("{error:#}")),
        })?;
        if let Some(seconds) = self.expiry_at_disconnect_s {
            let changed = session.expire_after_disconnect(seconds).await.map_err(trapped)?;
            changed.map_err(|problem| Problem::new("--session-expiry-at-disconnect", problem))?;
        }
        Ok(session)
    }

    /// What the device was made from.
    pub fn files(&self) -> &[InputFile] {
        &self.device.files
    }
}
