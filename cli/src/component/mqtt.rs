//! Component, device and routes put together: a session, and before it one that goes nowhere, to find what is wrong with a
//! message while nothing is connected yet.

use std::sync::Arc;
use std::time::Duration;

use thingpost_host::runtime::types::mqtt::{Broker, Event, MqttConfig, SessionOptions, Unfinished};
use thingpost_host::runtime::types::{Error, Message};
use thingpost_host::runtime::{MqttPre, MqttSession, OpenError};
use thingpost_host::{ExpiresSoon, Transport};

use super::publisher::{load_mqtt, reconfigured, transport};
use crate::device::Device;
use crate::device::reload::{NotTakenUp, Reloaded};
use crate::error::CliError;
use crate::files::input_file::InputFile;
use crate::output::report::LastFailure;

/// What a session is started from.
pub struct MqttSessionFactory {
    component: MqttPre,
    device: Device<MqttConfig>,
    transport: Transport,
    options: SessionOptions,
    /// How long the broker keeps the session after the goodbye, if not as long as it says when it connects.
    expiry_at_disconnect_s: Option<u32>,
    /// What the host saw of the last failed connection.
    pub last_failure: LastFailure,
}

/// A message of an earlier run that this device cannot send.
pub struct Refused {
    pub unfinished: Unfinished,
    pub reason: String,
}

impl MqttSessionFactory {
    /// No attempt to connect takes longer than the timeout, and no message is tried for longer while there is a connection,
    /// unless the options say so.
    pub fn new(device: Device<MqttConfig>, timeout_ms: u32, options: SessionOptions) -> Result<Self, CliError> {
        device.warn();
        let (transport, last_failure) = transport(device.routes.clone(), device.network.clone(), timeout_ms)?;
        let message_timeout_ms = options.message_timeout_ms.or(Some(timeout_ms));
        let options = SessionOptions { connect_timeout_ms: Some(timeout_ms), message_timeout_ms, ..options };
        let component = load_mqtt()?;
        Ok(Self { component, device, transport, options, expiry_at_disconnect_s: None, last_failure })
    }

    /// With another session expiry for the goodbye.
    pub fn expiring(self, at_disconnect_s: Option<u32>) -> Self {
        Self { expiry_at_disconnect_s: at_disconnect_s, ..self }
    }

    /// A session without a past.
    pub async fn open(&self) -> Result<MqttSession, CliError> {
        self.open_with(&self.options, &[]).await
    }

    /// A session, with what an earlier one left, and what of that this device cannot send. The session gives those their
    /// outcome, and has no more of them: the keeper of messages goes on keeping them, as they may be another device's, or were
    /// left by a run with other options.
    pub async fn resume(&self, unfinished: &[Unfinished]) -> Result<(MqttSession, Vec<Refused>), CliError> {
        let refused = if unfinished.is_empty() { Vec::new() } else { self.refused(unfinished).await? };
        Ok((self.open_with(&self.options, unfinished).await?, refused))
    }

    /// What no connection can change about them. If none of them can be sent, another file was meant.
    async fn refused(&self, unfinished: &[Unfinished]) -> Result<Vec<Refused>, CliError> {
        let mut session = self.open_with(&self.options, unfinished).await?;
        let can_be_sent = session.outstanding().await.map_err(trapped)?;
        let mut refused: Vec<Refused> = Vec::new();
        loop {
            let events = session.receive(Duration::ZERO).await.map_err(trapped)?;
            if events.is_empty() {
                break;
            }
            refused.extend(events.into_iter().filter_map(|event| match event {
                Event::NotPublished(it) => {
                    let unfinished =
                        unfinished.binary_search_by_key(&it.id, |it| it.id).ok().and_then(|at| unfinished.get(at));
                    Some(Refused { unfinished: unfinished?.clone(), reason: it.error.explanation })
                }
                _ => None,
            }));
        }
        match refused.pop() {
            Some(last) if can_be_sent == 0 => Err(CliError::sentence(last.reason)),
            last => Ok(refused.into_iter().chain(last).collect()),
        }
    }

    /// What no connection can change about the message.
    pub async fn rehearse(&self, message: &Message) -> Result<Result<u64, Error>, CliError> {
        // With a queue, as it would be refused without.
        let options = SessionOptions { queue_unlimited: true, ..self.options };
        self.open_with(&options, &[]).await?.publish(message).await.map_err(trapped)
    }

    async fn open_with(&self, options: &SessionOptions, unfinished: &[Unfinished]) -> Result<MqttSession, CliError> {
        let (transport, secrets) = (self.transport.clone(), Arc::clone(&self.device.secrets));
        let session = self.component.builder(transport, &self.device.platform).options(*options).secrets(secrets);
        let opened = session.unfinished(unfinished).open().await;
        let mut session = opened.map_err(|error| match error {
            OpenError::Configuration(_) => CliError::sentence(error),
            OpenError::Runtime(error) => CliError::new("the component cannot be started", format!("{error:#}")),
        })?;
        if let Some(seconds) = self.expiry_at_disconnect_s {
            let changed = session.expire_after_disconnect(seconds).await.map_err(trapped)?;
            changed.map_err(|error| CliError::new("--session-expiry-at-disconnect", error))?;
        }
        Ok(session)
    }

    /// Takes up a device that was made anew: its routes for all connections from now on, its secrets for all sessions that are opened
    /// from now on, and says whether there is a need for one. If none can be opened, all stays as it was.
    pub async fn take_up(&mut self, reloaded: Reloaded<MqttConfig>) -> Result<bool, NotTakenUp> {
        let (has_other_routes, has_other_secrets) = (reloaded.has_other_routes(), reloaded.has_other_secrets());
        let (mut device, changed) = reloaded.into_parts();
        let config = match reconfigured(&self.transport, device.routes, device.network) {
            Ok(config) => config,
            Err(error) => return Err(NotTakenUp { error, changed }),
        };
        if has_other_secrets {
            goes_on_as(&mut device.platform, &self.device.platform);
            let platform = std::mem::replace(&mut self.device.platform, device.platform);
            let secrets = std::mem::replace(&mut self.device.secrets, device.secrets);
            if let Err(error) = self.open().await {
                (self.device.platform, self.device.secrets) = (platform, secrets);
                return Err(NotTakenUp { error, changed });
            }
        }
        if has_other_routes {
            self.transport.reconfigure(config);
        }
        Ok(has_other_secrets)
    }

    /// A session in the place of one that has left these.
    pub async fn open_again(&self, unfinished: &[Unfinished]) -> Result<MqttSession, CliError> {
        self.open_with(&self.options, unfinished).await
    }

    /// The end of the device's certificate, if it is soon.
    pub fn expires_soon(&self) -> Option<ExpiresSoon> {
        self.transport.expires_soon()
    }

    /// What the device was made from.
    pub fn files(&self) -> &[InputFile] {
        &self.device.files
    }
}

/// To the broker it is the same client, whose session goes on: a client id may be a random one.
fn goes_on_as(config: &mut MqttConfig, before: &MqttConfig) {
    match (&mut config.broker, &before.broker) {
        (Broker::Aws(now), Broker::Aws(before)) => now.client_id.clone_from(&before.client_id),
        (Broker::Generic(now), Broker::Generic(before)) => now.client_id.clone_from(&before.client_id),
        _ => {}
    }
    config.session.clean_start = None;
}

/// A session that has trapped says nothing of what had been sent before it, and is of no more use.
pub fn trapped(trap: wasmtime::Error) -> CliError {
    CliError::new("the component failed", format!("{trap:#}"))
}
