//! `thingpost publish`: one message, or one for each line.

use thingpost_host::runtime::types::Message;

use super::arguments::{PublishArguments, Reach, Source};
use super::device::Device;
use super::input_file::InputFile;
use super::interrupt::Interruptions;
use super::problem::{Problem, one_line};
use super::report;
use super::starter::{Starter, load};
use super::terminal::{complain, print};
use super::{Exit, lines, payload};

/// Publishes what the arguments say. `message` has all but the payload.
pub async fn run(
    device: Device,
    reach: &Reach,
    message: Message,
    arguments: &PublishArguments,
) -> Result<Exit, Problem> {
    let mut starter = Starter::new(load()?, device, reach.connect_to.clone(), reach.timeout)?;
    let Source { message: text, file, lines } = &arguments.source;
    let input = |option, path: &Option<_>| Some(InputFile { option, path: path.clone()? });
    let inputs: Vec<_> = [input("--file", file), input("--lines", lines)].into_iter().flatten().collect();
    starter.keep_session(arguments.session.session_file.as_ref(), &inputs)?;
    if let Some(path) = lines {
        return lines::publish(&mut starter, path, message, arguments).await;
    }
    let payload = match file {
        Some(path) => payload::read("message", path)?,
        None => text.clone().unwrap_or_default().into_bytes(),
    };
    one(&mut starter, Message { payload, ..message }, arguments.json).await
}

async fn one(starter: &mut Starter, message: Message, json: bool) -> Result<Exit, Problem> {
    let mut publisher = starter.open().await?;
    starter.last_failure.clear();
    let interruptions = Interruptions::count();
    let outcome = tokio::select! {
        outcome = publisher.publish(&message) => outcome,
        () = interruptions.reached(1) => {
            complain("unknown: interrupted while the message was on its way");
            return Ok(Exit::Unknown);
        }
    };
    // A trap says nothing of what had been sent before it.
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(trap) => {
            complain(one_line(&format!("unknown: the component failed: {trap:#}")));
            return Ok(Exit::Unknown);
        }
    };
    starter.save_session(&mut publisher).await;
    if json {
        let mut object = report::json(&message, &outcome);
        if let Err(error) = &outcome {
            starter.last_failure.add_to(&mut object, error);
        }
        print(serde_json::Value::Object(object));
    } else {
        let text = one_line(&report::text(&message, &outcome, &starter.last_failure));
        match outcome {
            Ok(_) => print(text),
            Err(_) => complain(text),
        }
    }
    Ok(report::exit(&outcome))
}
