//! `thingpost direct`.

use serde_json::json;
use thingpost_host::runtime::types::{DirectMessage, Message, Qos};

use super::{QueryError, QueryRunner};
use crate::args::{DirectCommand, SendArgs};
use crate::error::{CliError, one_line};
use crate::files::input_file::InputFile;
use crate::message;
use crate::message::payload;
use crate::output::report;
use crate::terminal::answer;

/// How long AWS waits for a confirmation unless it is told.
const DEFAULT_CONFIRM_TIMEOUT_S: u32 = 5;

pub(super) async fn run(command: &DirectCommand) -> Result<(), QueryError> {
    match command {
        DirectCommand::Send(arguments) => send(arguments).await,
    }
}

async fn send(arguments: &SendArgs) -> Result<(), QueryError> {
    check_timeouts(arguments)?;
    let file = arguments.payload.file.as_ref();
    let payload = match file {
        Some(path) => payload::read("message", path)?,
        None => arguments.payload.message.clone().unwrap_or_default().into_bytes(),
    };
    let qos = if arguments.confirm { Qos::AtLeastOnce } else { Qos::AtMostOnce };
    let properties = message::properties(&arguments.properties);
    let message = DirectMessage {
        client_id: arguments.client_id.clone(),
        message: Message { properties, ..Message::new(&arguments.topic, payload, qos) },
        timeout_s: arguments.confirm_timeout,
    };
    let inputs: Vec<_> = file.map(|path| InputFile { option: "--file", path: path.clone() }).into_iter().collect();
    let mut runner = QueryRunner::open(&arguments.operation, &inputs).await?;
    let receipt = runner.ask(async |mut aws| aws.send_direct_message(&message).await).await?;
    if runner.json {
        answer(json!({
            "outcome": "delivered",
            "client_id": arguments.client_id,
            "topic": arguments.topic,
            "confirmed": arguments.confirm,
            "trace_id": receipt.trace_id,
            "attempts": receipt.attempts,
        }));
    } else {
        let confirmed = if arguments.confirm { ", which has confirmed it" } else { "" };
        answer(one_line(&format!("delivered to {}{confirmed}{}", arguments.client_id, report::facts(&receipt))));
    }
    Ok(())
}

/// An answer that is waited for longer than there is time never comes.
fn check_timeouts(arguments: &SendArgs) -> Result<(), CliError> {
    let seconds = arguments.confirm_timeout.unwrap_or(DEFAULT_CONFIRM_TIMEOUT_S);
    let timeout_ms = arguments.operation.device.network.timeout;
    if arguments.confirm && u64::from(timeout_ms) <= u64::from(seconds) * 1000 {
        return Err(CliError::sentence(format!(
            "--timeout must be longer than the {seconds} seconds that AWS waits for the confirmation (--confirm-timeout)"
        )));
    }
    Ok(())
}
