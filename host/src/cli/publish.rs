//! `thingpost publish`: one message, or one for each line.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thingpost_host::runtime::types::{Cause, Error, Message, Options, Qos};
use thingpost_host::runtime::{CompilationCache, DEFAULT_OPTIONS, OpenError, Publisher, PublisherPre, Runtime};
use thingpost_host::{ConnectTo, Pool, Profile, RouteTable, Timeouts, Transport};

use super::arguments::{CommonArguments, Source};
use super::device::Device;
use super::failed::InputFile;
use super::interrupt::Interruptions;
use super::problem::{Problem, one_line};
use super::report::{self, LastFailure};
use super::terminal::{complain, print};
use super::{Exit, lines};

/// Bytes of a message to read at most: the component must see that it is too large, not hold all of it.
const ENOUGH_TO_BE_REFUSED: u64 = 1024 * 1024;

/// What a publisher is started from, again if need be.
pub struct Starter {
    component: PublisherPre,
    device: Device,
    transport: Transport,
    options: Options,
    /// What the host saw of the last failed connection.
    pub last_failure: LastFailure,
}

impl Starter {
    /// Puts component, device and routes together.
    pub fn new(
        component: PublisherPre,
        device: Device,
        connect_to: Vec<ConnectTo>,
        timeout_ms: u32,
    ) -> Result<Self, Problem> {
        let routes = RouteTable::new(vec![device.route.clone()]).map_err(|error| Problem::new("--endpoint", error))?;
        let profile = Profile { workload: "thingpost publish".to_owned(), routes, connect_to };
        let last_failure = LastFailure::default();
        let noted = last_failure.clone();
        // Whoever typed the timeout is no guest.
        let maximum = Duration::from_millis(timeout_ms.into());
        let transport = Transport::new(Pool::default(), profile)
            .timeouts(Timeouts { maximum, ..Timeouts::default() })
            .on_failure(Arc::new(move |error| noted.note(error)));
        let options = Options { timeout_ms: Some(timeout_ms), ..DEFAULT_OPTIONS };
        Ok(Self { component, device, transport, options, last_failure })
    }

    /// A fresh instance of the component.
    pub async fn open(&self) -> Result<Publisher, Problem> {
        let transport = self.transport.clone();
        let opened = self.component.open(transport, &self.device.platform, &self.options, None).await;
        opened.map_err(|error| match error {
            OpenError::Configuration(_) => Problem::sentence(error),
            OpenError::Runtime(error) => Problem::new("the component cannot be started", format!("{error:#}")),
        })
    }

    /// What the device was made from.
    pub fn files(&self) -> &[InputFile] {
        &self.device.files
    }

    /// How often the device's messages may arrive.
    pub fn qos(&self) -> Qos {
        self.device.qos
    }
}

/// The publisher component that this command carries with it.
pub fn load() -> Result<PublisherPre, Problem> {
    let runtime = Runtime::new(&CompilationCache::System);
    let component = runtime.and_then(|runtime| runtime.load(thingpost_artifacts::PUBLISHER.bytes));
    component.map_err(|error| Problem::new("the component cannot be loaded", format!("{error:#}")))
}

/// Publishes what the arguments say.
pub async fn run(device: Device, arguments: CommonArguments) -> Result<Exit, Problem> {
    let starter = || Starter::new(load()?, device, arguments.connect_to.clone(), arguments.timeout);
    match &arguments.source {
        Source { lines: Some(path), .. } => lines::publish(&starter()?, path, &arguments).await,
        Source { file: Some(path), .. } => {
            let payload = read(path)?;
            one(&starter()?, payload, &arguments).await
        }
        Source { message, .. } => {
            let payload = message.clone().unwrap_or_default().into_bytes();
            one(&starter()?, payload, &arguments).await
        }
    }
}

async fn one(starter: &Starter, payload: Vec<u8>, arguments: &CommonArguments) -> Result<Exit, Problem> {
    let topic = arguments.topic.clone();
    let message = Message::new(&topic, payload, starter.qos());
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
    if arguments.json {
        let mut object = report::json(&message.topic, &outcome);
        if let Err(Error { cause: Cause::Transport(failure), .. }) = &outcome {
            object.insert("host".to_owned(), starter.last_failure.about(*failure).into());
        }
        print(serde_json::Value::Object(object));
    } else {
        let text = one_line(&report::text(&message.topic, &outcome, &starter.last_failure));
        match outcome {
            Ok(_) => print(text),
            Err(_) => complain(text),
        }
    }
    Ok(report::exit(&outcome))
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let mut payload = Vec::new();
    let file = File::open(path).and_then(|file| file.take(ENOUGH_TO_BE_REFUSED).read_to_end(&mut payload));
    match file {
        Ok(_) => Ok(payload),
        Err(error) => Err(Problem::new(format!("cannot read the message from {}", path.display()), error)),
    }
}
