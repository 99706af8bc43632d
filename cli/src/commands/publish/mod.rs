//! `thingpost publish`: one message, or one for each line.

mod lines;
mod outage;

use std::num::NonZeroU32;

use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{Delivery, Message, Platform};

use crate::args::{NetworkArgs, PublishAliyun, PublishArgs, Source};
use crate::component::publisher::{PublisherFactory, load};
use crate::device::reload::{DeviceSource, Reload};
use crate::device::{Device, input_files};
use crate::error::CliError;
use crate::exit::Exit;
use crate::files::input_file::InputFile;
use crate::message;
use crate::message::{payload, thing_model};
use crate::output::interruption::Departures;
use crate::output::still_trying::StillTrying;
use crate::output::summary::Summary;
use crate::output::{printer, report};
use crate::terminal::complain;
use crate::terminal::interrupt::Interruptions;

/// Publishes what the arguments say. `message` has all but the payload.
pub async fn run(
    device: DeviceSource<'_, Platform>,
    network: &NetworkArgs,
    message: Message,
    source: &Source,
    arguments: &PublishArgs,
) -> Result<Exit, CliError> {
    let make = || (device.make)().map(|device| paced(device, arguments.max_per_second));
    let (device, reload) = Reload::make(DeviceSource { files: device.files.clone(), make: &make })?;
    let mut factory = factory(device, network, arguments)?;
    factory.keep_credential(arguments.session.session_file.as_ref(), &inputs(source))?;
    if let Some(path) = &source.lines {
        return lines::publish(&mut factory, reload, path, message, arguments).await;
    }
    let payload = payload::of(source)?;
    let mut publisher = factory.open().await?;
    each(&mut factory, &mut publisher, &[Message { payload, ..message }], arguments.report.json).await
}

/// Publishes a message, or what the thing model makes of properties and events.
pub async fn aliyun(device: DeviceSource<'_, Platform>, arguments: &PublishAliyun) -> Result<Exit, CliError> {
    let (network, source) = (&arguments.device.network, &arguments.source);
    if source.property.is_empty() && source.event.is_none() {
        let message = message::aliyun(arguments);
        return run(device, network, message, &source.source(), &arguments.publish).await;
    }
    if arguments.publish.report.failed.is_some() {
        return Err(CliError::sentence(
            "--failed is of use only with --lines: leave it out with --property and --event",
        ));
    }
    let device = (device.make)()?;
    let platform = device.platform.clone();
    let mut factory = factory(device, network, &arguments.publish)?;
    factory.keep_credential(arguments.publish.session.session_file.as_ref(), &[])?;
    let mut publisher = factory.open().await?;
    let messages = thing_model::messages(&mut publisher, &platform, source).await?;
    each(&mut factory, &mut publisher, &messages, arguments.publish.report.json).await
}

/// What the messages are read from.
pub fn inputs(source: &Source) -> Vec<InputFile> {
    input_files([("--file", source.file.as_ref()), ("--lines", source.lines.as_ref())])
}

/// What publishes for this device.
pub fn factory(device: Device, network: &NetworkArgs, arguments: &PublishArgs) -> Result<PublisherFactory, CliError> {
    let device = paced(device, arguments.max_per_second);
    let mut factory = PublisherFactory::new(load()?, device, network.timeout)?;
    if let Some(pace) = arguments.max_per_second {
        // More at once would wait for their turn with their time running.
        factory.limit_in_flight(pace.get());
    }
    Ok(factory)
}

/// A device that keeps a pace.
fn paced(device: Device, max_per_second: Option<NonZeroU32>) -> Device {
    match max_per_second {
        None => device,
        Some(pace) => {
            let routes = device.routes.into_iter().map(|route| route.max_per_second(pace)).collect();
            Device { routes, ..device }
        }
    }
}

/// Publishes a few messages, and says of each what became of it. The gravest outcome counts.
async fn each(
    factory: &mut PublisherFactory,
    publisher: &mut Publisher,
    messages: &[Message],
    json: bool,
) -> Result<Exit, CliError> {
    factory.last_failure.clear();
    let interruptions = Interruptions::count();
    let departures = Departures::watch(&factory.last_failure);
    let still_trying = StillTrying::new(factory.last_failure.clone(), factory.timeout());
    let outcomes = tokio::select! {
        outcomes = publisher.publish_all(messages) => outcomes,
        never = still_trying.say(complain) => match never {},
        () = interruptions.reached(1) => {
            let (delivery, reason, exit) = match departures.delivery() {
                Delivery::NotSent => (Delivery::NotSent, "interrupted before it was sent", Exit::NotSent),
                delivery => (delivery, "interrupted while it was on its way", Exit::Unknown),
            };
            messages.iter().for_each(|message| printer::without_answer(message, delivery, reason, json));
            return Ok(exit);
        }
    };
    // A trap says nothing of what had been sent before it.
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(trap) => {
            let reason = format!("the component failed: {trap:#}");
            messages.iter().for_each(|message| printer::without_answer(message, Delivery::Unknown, &reason, json));
            return Ok(Exit::Unknown);
        }
    };
    factory.save_credential(publisher).await;
    let mut summary = Summary::default();
    for (message, outcome) in messages.iter().zip(&outcomes) {
        printer::outcome(message, outcome, &factory.last_failure, json);
        summary.count(outcome, &factory.last_failure);
    }
    Ok(match &outcomes[..] {
        // A single message that cannot be sent is wrong usage.
        [outcome] => report::exit(outcome),
        _ => summary.exit(),
    })
}
