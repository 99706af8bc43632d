//! `thingpost mqtt`: a connection that is kept. A request has an answer and is over; here messages wait for a connection, for
//! their acknowledgement or for their line to be read, while the connection wants to be served all the time. So everything
//! that may take its time (lines, pauses, Ctrl-C) interrupts the call of the component that waits for the broker, and none of
//! it is waited for alone.

mod connection_log;
mod next_attempt;
mod properties;
mod publish;
mod subscribe;
mod unfinished_file;

pub use publish::options as session_options;
pub use unfinished_file::UnfinishedFile;

use crate::args::MqttCommand;
use crate::error::CliError;
use crate::exit::Exit;

/// `thingpost mqtt`.
pub async fn run(command: &MqttCommand) -> Result<Exit, CliError> {
    match command {
        MqttCommand::Publish(arguments) => publish::run(arguments).await,
        MqttCommand::Subscribe(arguments) => subscribe::run(arguments).await,
    }
}
