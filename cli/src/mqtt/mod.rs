//! `thingpost mqtt`: a connection that is kept. A request has an answer and is over; here messages wait for a connection, for
//! their acknowledgement or for their line to be read, while the connection wants to be served all the time. So everything
//! that may take its time (lines, pauses, Ctrl-C) interrupts the call of the component that waits for the broker, and none of
//! it is waited for alone.

mod feed;
mod incoming;
mod link;
mod outstanding;
mod properties;
mod publish;
mod saving;
mod starter;
mod subscribe;
mod unfinished_file;

pub use publish::options as session_options;
pub use starter::MqttStarter;
pub use unfinished_file::UnfinishedFile;

use super::Exit;
use super::arguments::MqttCommand;
use super::problem::Problem;

/// `thingpost mqtt`.
pub async fn run(command: &MqttCommand) -> Result<Exit, Problem> {
    match command {
        MqttCommand::Publish(arguments) => publish::run(arguments).await,
        MqttCommand::Subscribe(arguments) => subscribe::run(arguments).await,
    }
}

/// A session that has trapped says nothing of what had been sent before it, and is of no more use.
pub fn trapped(trap: wasmtime::Error) -> Problem {
    Problem::new("the component failed", format!("{trap:#}"))
}
