//! What a device of Aliyun needs before its first message: a secret, the address of its instance, credentials for MQTT. Each
//! is one question to a host that takes no messages, and two of the answers hold a secret; what all of them have in common is
//! here: the connection, an interruption, and a failure.

mod bootstrap;
mod issued;
mod mqtt_credentials;
mod register;
mod register_mqtt;

use std::sync::Arc;
use std::time::Duration;

use thingpost_host::runtime::types::Error;
use thingpost_host::runtime::{DeviceSecrets, Provisioning};
use thingpost_host::{Route, TrustRoots};

use crate::args::{BootstrapCommand, EndpointArgument, MqttCredentialsCommand, NetworkArgs, RegisterCommand};
use crate::component::publisher::{load, transport};
use crate::device::{Network, roots};
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::output::interruption::{Departures, give_up_question};
use crate::output::printer;
use crate::output::report::{self, LastFailure};
use crate::output::still_trying::StillTrying;
use crate::terminal::complain;
use crate::terminal::interrupt::Interruptions;

/// `thingpost register`.
pub async fn register(command: &RegisterCommand) -> Result<Exit, CliError> {
    let RegisterCommand::Aliyun(arguments) = command;
    end(register::run(arguments).await)
}

/// `thingpost bootstrap`.
pub async fn bootstrap(command: &BootstrapCommand) -> Result<Exit, CliError> {
    let BootstrapCommand::Aliyun(arguments) = command;
    end(bootstrap::run(arguments).await)
}

/// `thingpost mqtt-credentials`.
pub async fn mqtt_credentials(command: &MqttCredentialsCommand) -> Result<Exit, CliError> {
    let MqttCredentialsCommand::Aliyun(arguments) = command;
    end(mqtt_credentials::run(arguments).await)
}

/// Why there is no answer, or no place for it.
enum QueryError {
    /// Nothing was asked.
    NotAsked(CliError),
    /// It has been said already. This is how the run ends.
    Said(Exit),
}

impl From<CliError> for QueryError {
    fn from(error: CliError) -> Self {
        Self::NotAsked(error)
    }
}

fn end(answered: Result<(), QueryError>) -> Result<Exit, CliError> {
    match answered {
        Ok(()) => Ok(Exit::Delivered),
        Err(QueryError::Said(exit)) => Ok(exit),
        Err(QueryError::NotAsked(error)) => Err(error),
    }
}

/// Where a question goes.
struct Destination {
    host: String,
    port: u16,
    roots: TrustRoots,
}

impl Destination {
    fn new(endpoint: EndpointArgument, port: Option<u16>, network: &NetworkArgs) -> Result<Self, CliError> {
        let port = endpoint.port("--port", port, 443)?;
        Ok(Self { host: endpoint.host, port, roots: roots(network)? })
    }
}

/// Asks, and says why there is no answer.
struct QueryRunner {
    provisioning: Provisioning,
    last_failure: LastFailure,
    interruptions: Interruptions,
    timeout_ms: u32,
    json: bool,
}

impl QueryRunner {
    async fn open(
        to: &Destination,
        network: &NetworkArgs,
        secrets: DeviceSecrets,
        json: bool,
    ) -> Result<Self, CliError> {
        let route = Route::new(&to.host, to.roots.clone()).port(to.port);
        let (transport, last_failure) = transport(vec![route], Network::of(network)?, network.timeout)?;
        let provisioning = load()?.provisioning_with_secrets(transport, Arc::new(secrets)).await;
        let provisioning =
            provisioning.map_err(|error| CliError::new("the component cannot be started", format!("{error:#}")))?;
        let interruptions = Interruptions::count();
        Ok(Self { provisioning, last_failure, interruptions, timeout_ms: network.timeout, json })
    }

    /// The answer. Where there is none, that has been said.
    async fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut Provisioning, Option<u32>) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, QueryError> {
        let timeout = Duration::from_millis(self.timeout_ms.into());
        let departures = Departures::watch(&self.last_failure);
        let still_trying = StillTrying::new(self.last_failure.clone(), timeout);
        let answered = tokio::select! {
            never = still_trying.say(complain) => match never {},
            answered = question(&mut self.provisioning, Some(self.timeout_ms)) => answered,
            () = self.interruptions.reached(1) => {
                return Err(QueryError::Said(give_up_question(departures.delivery())));
            }
        };
        // A trap says nothing of what had been sent before it.
        let answered = answered.map_err(|trap| {
            complain(one_line(&format!("unknown: the component failed: {trap:#}")));
            QueryError::Said(Exit::Unknown)
        })?;
        answered.map_err(|error| {
            printer::failure(&error, &self.last_failure, self.json);
            QueryError::Said(report::exit_of_failure(&error))
        })
    }
}
