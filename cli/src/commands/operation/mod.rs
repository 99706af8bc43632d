//! The commands for what AWS's endpoint does beside publishing. Each is a question and its answer; what all of them have in
//! common is here: the publisher, an interruption, a failure, and lists that come in parts.

mod connection;
mod direct;
mod moment;
mod pages;
mod retained;
mod shadow;

use thingpost_host::runtime::types::Error;
use thingpost_host::runtime::{DataPlane, Publisher};

use crate::args::{ConnectionCommand, DirectCommand, OperationArgs, RetainedCommand, ShadowCommand};
use crate::component::publisher::{PublisherFactory, load};
use crate::device;
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::files::input_file::InputFile;
use crate::output::interruption::{Departures, give_up_question};
use crate::output::still_trying::StillTrying;
use crate::output::{printer, report};
use crate::terminal::complain;
use crate::terminal::interrupt::Interruptions;
use pages::RepeatedPageToken;

/// `thingpost shadow`.
pub async fn shadow(command: &ShadowCommand) -> Result<Exit, CliError> {
    end(shadow::run(command).await)
}

/// `thingpost retained`.
pub async fn retained(command: &RetainedCommand) -> Result<Exit, CliError> {
    end(retained::run(command).await)
}

/// `thingpost direct`.
pub async fn direct(command: &DirectCommand) -> Result<Exit, CliError> {
    end(direct::run(command).await)
}

/// `thingpost connection`.
pub async fn connection(command: &ConnectionCommand) -> Result<Exit, CliError> {
    end(connection::run(command).await)
}

/// Why there is no answer.
enum QueryError {
    /// Nothing was asked.
    NotAsked(CliError),
    /// It has been said already. This is how the run ends.
    Said(Exit),
    /// There is a part of it, and no end.
    RepeatedPageToken(RepeatedPageToken),
}

impl From<CliError> for QueryError {
    fn from(error: CliError) -> Self {
        Self::NotAsked(error)
    }
}

impl From<RepeatedPageToken> for QueryError {
    fn from(error: RepeatedPageToken) -> Self {
        Self::RepeatedPageToken(error)
    }
}

fn end(answered: Result<(), QueryError>) -> Result<Exit, CliError> {
    match answered {
        Ok(()) => Ok(Exit::Delivered),
        Err(QueryError::Said(exit)) => Ok(exit),
        Err(QueryError::NotAsked(error)) => Err(error),
        Err(QueryError::RepeatedPageToken(error)) => {
            complain(format_args!("unknown: {error}"));
            Ok(Exit::Unknown)
        }
    }
}

/// Asks, and says why there is no answer.
struct QueryRunner {
    factory: PublisherFactory,
    publisher: Publisher,
    interruptions: Interruptions,
    json: bool,
}

impl QueryRunner {
    /// `inputs` are the files that the command reads beside those of the device.
    async fn open(arguments: &OperationArgs, inputs: &[InputFile]) -> Result<Self, CliError> {
        let device = device::aws(&arguments.device)?;
        let network = &arguments.device.network;
        let mut factory = PublisherFactory::new(load()?, device, network.timeout)?;
        factory.keep_credential(arguments.session.session_file.as_ref(), inputs)?;
        let publisher = factory.open().await?;
        Ok(Self { factory, publisher, interruptions: Interruptions::count(), json: arguments.json })
    }

    /// The answer. Where there is none, that has been said.
    async fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(DataPlane<'_>) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, QueryError> {
        self.factory.last_failure.clear();
        let departures = Departures::watch(&self.factory.last_failure);
        let still_trying = StillTrying::new(self.factory.last_failure.clone(), self.factory.timeout());
        let answered = tokio::select! {
            answered = question(self.publisher.aws()) => answered,
            never = still_trying.say(complain) => match never {},
            () = self.interruptions.reached(1) => {
                return Err(QueryError::Said(give_up_question(departures.delivery())));
            }
        };
        // A trap says nothing of what had been sent before it.
        let answered = answered.map_err(|trap| {
            complain(one_line(&format!("unknown: the component failed: {trap:#}")));
            QueryError::Said(Exit::Unknown)
        })?;
        self.factory.save_credential(&mut self.publisher).await;
        answered.map_err(|error| {
            printer::failure(&error, &self.factory.last_failure, self.json);
            QueryError::Said(report::exit_of_failure(&error))
        })
    }
}
