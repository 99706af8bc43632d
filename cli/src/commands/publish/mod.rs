//! `thingpost publish`: one message, or one for each line.

mod lines;
mod outage;

use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::Message;

use crate::args::{PublishAliyun, PublishArguments, Reach, Source};
use crate::component::publisher::{Starter, load};
use crate::device::{Device, input_files};
use crate::error::Problem;
use crate::exit::Exit;
use crate::files::input_file::InputFile;
use crate::message;
use crate::message::{payload, thing_model};
use crate::output::still_trying::StillTrying;
use crate::output::summary::Summary;
use crate::output::{report, say};
use crate::terminal::complain;
use crate::terminal::interrupt::Interruptions;

/// Publishes what the arguments say. `message` has all but the payload.
pub async fn run(
    device: Device,
    reach: &Reach,
    message: Message,
    source: &Source,
    arguments: &PublishArguments,
) -> Result<Exit, Problem> {
    let mut starter = starter(device, reach, arguments)?;
    starter.keep_session(arguments.session.session_file.as_ref(), &inputs(source))?;
    if let Some(path) = &source.lines {
        return lines::publish(&mut starter, path, message, arguments).await;
    }
    let payload = payload::of(source)?;
    let mut publisher = starter.open().await?;
    each(&mut starter, &mut publisher, &[Message { payload, ..message }], arguments.report.json).await
}

/// Publishes a message, or what the thing model makes of properties and events.
pub async fn aliyun(device: Device, arguments: &PublishAliyun) -> Result<Exit, Problem> {
    let (reach, source) = (&arguments.device.reach, &arguments.source);
    if source.property.is_empty() && source.event.is_none() {
        let message = message::aliyun(arguments);
        return run(device, reach, message, &source.source(), &arguments.publish).await;
    }
    if arguments.publish.report.failed.is_some() {
        return Err(Problem::sentence(
            "--failed is of use only with --lines: leave it out with --property and --event",
        ));
    }
    let platform = device.platform.clone();
    let mut starter = starter(device, reach, &arguments.publish)?;
    starter.keep_session(arguments.publish.session.session_file.as_ref(), &[])?;
    let mut publisher = starter.open().await?;
    let messages = thing_model::messages(&mut publisher, &platform, source).await?;
    each(&mut starter, &mut publisher, &messages, arguments.publish.report.json).await
}

/// What the messages are read from.
pub fn inputs(source: &Source) -> Vec<InputFile> {
    input_files([("--file", source.file.as_ref()), ("--lines", source.lines.as_ref())])
}

/// What publishes for this device.
pub fn starter(mut device: Device, reach: &Reach, arguments: &PublishArguments) -> Result<Starter, Problem> {
    if let Some(pace) = arguments.max_per_second {
        device.routes = device.routes.into_iter().map(|route| route.max_per_second(pace)).collect();
    }
    let mut starter = Starter::new(load()?, device, reach.connect_to.clone(), reach.timeout)?;
    if let Some(pace) = arguments.max_per_second {
        // More at once would wait for their turn with their time running.
        starter.limit_in_flight(pace.get());
    }
    Ok(starter)
}

/// Publishes a few messages, and says of each what became of it. The gravest outcome counts.
async fn each(
    starter: &mut Starter,
    publisher: &mut Publisher,
    messages: &[Message],
    json: bool,
) -> Result<Exit, Problem> {
    starter.last_failure.clear();
    let interruptions = Interruptions::count();
    let still_trying = StillTrying::new(starter.last_failure.clone(), starter.timeout());
    let outcomes = tokio::select! {
        outcomes = publisher.publish_all(messages) => outcomes,
        never = still_trying.say(complain) => match never {},
        () = interruptions.reached(1) => {
            messages.iter().for_each(|message| say::unknown(message, "interrupted while it was on its way", json));
            return Ok(Exit::Unknown);
        }
    };
    // A trap says nothing of what had been sent before it.
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(trap) => {
            let reason = format!("the component failed: {trap:#}");
            messages.iter().for_each(|message| say::unknown(message, &reason, json));
            return Ok(Exit::Unknown);
        }
    };
    starter.save_session(publisher).await;
    let mut summary = Summary::default();
    for (message, outcome) in messages.iter().zip(&outcomes) {
        say::outcome(message, outcome, &starter.last_failure, json);
        summary.count(outcome);
    }
    Ok(match &outcomes[..] {
        // A single message that cannot be sent is wrong usage.
        [outcome] => report::exit(outcome),
        _ => summary.exit(),
    })
}
