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

use crate::args::{ConnectionCommand, DirectCommand, OperationArguments, RetainedCommand, ShadowCommand};
use crate::component::publisher::{Starter, load};
use crate::device;
use crate::error::{Problem, one_line};
use crate::exit::Exit;
use crate::files::input_file::InputFile;
use crate::output::still_trying::StillTrying;
use crate::output::{report, say};
use crate::terminal::complain;
use crate::terminal::interrupt::Interruptions;
use pages::Circle;

/// `thingpost shadow`.
pub async fn shadow(command: &ShadowCommand) -> Result<Exit, Problem> {
    end(shadow::run(command).await)
}

/// `thingpost retained`.
pub async fn retained(command: &RetainedCommand) -> Result<Exit, Problem> {
    end(retained::run(command).await)
}

/// `thingpost direct`.
pub async fn direct(command: &DirectCommand) -> Result<Exit, Problem> {
    end(direct::run(command).await)
}

/// `thingpost connection`.
pub async fn connection(command: &ConnectionCommand) -> Result<Exit, Problem> {
    end(connection::run(command).await)
}

/// Why there is no answer.
enum Unanswered {
    /// Nothing was asked.
    Problem(Problem),
    /// It has been said already. This is how the run ends.
    Said(Exit),
    /// There is a part of it, and no end.
    Circle(Circle),
}

impl From<Problem> for Unanswered {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Circle> for Unanswered {
    fn from(circle: Circle) -> Self {
        Self::Circle(circle)
    }
}

fn end(answered: Result<(), Unanswered>) -> Result<Exit, Problem> {
    match answered {
        Ok(()) => Ok(Exit::Delivered),
        Err(Unanswered::Said(exit)) => Ok(exit),
        Err(Unanswered::Problem(problem)) => Err(problem),
        Err(Unanswered::Circle(circle)) => {
            complain(format_args!("unknown: {circle}"));
            Ok(Exit::Unknown)
        }
    }
}

/// Asks, and says why there is no answer.
struct Asker {
    starter: Starter,
    publisher: Publisher,
    interruptions: Interruptions,
    json: bool,
}

impl Asker {
    /// `inputs` are the files that the command reads beside those of the device.
    async fn open(arguments: &OperationArguments, inputs: &[InputFile]) -> Result<Self, Problem> {
        let device = device::aws(&arguments.device)?;
        let reach = &arguments.device.reach;
        let mut starter = Starter::new(load()?, device, reach.connect_to.clone(), reach.timeout)?;
        starter.keep_session(arguments.session.session_file.as_ref(), inputs)?;
        let publisher = starter.open().await?;
        Ok(Self { starter, publisher, interruptions: Interruptions::count(), json: arguments.json })
    }

    /// The answer. Where there is none, that has been said.
    async fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(DataPlane<'_>) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, Unanswered> {
        self.starter.last_failure.clear();
        let still_trying = StillTrying::new(self.starter.last_failure.clone(), self.starter.timeout());
        let answered = tokio::select! {
            answered = question(self.publisher.aws()) => answered,
            never = still_trying.say(complain) => match never {},
            () = self.interruptions.reached(1) => {
                complain("unknown: interrupted before the answer came");
                return Err(Unanswered::Said(Exit::Unknown));
            }
        };
        // A trap says nothing of what had been sent before it.
        let answered = answered.map_err(|trap| {
            complain(one_line(&format!("unknown: the component failed: {trap:#}")));
            Unanswered::Said(Exit::Unknown)
        })?;
        self.starter.save_session(&mut self.publisher).await;
        answered.map_err(|error| {
            say::failure(&error, &self.starter.last_failure, self.json);
            Unanswered::Said(report::exit_of_failure(&error))
        })
    }
}
