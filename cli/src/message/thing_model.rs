//! Properties and events of a thing model, as messages that the component makes of them.

use std::collections::HashSet;
use std::slice;
use std::time::{SystemTime, UNIX_EPOCH};

use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{AliyunConfig, Event, Field, Message, Platform, Property, RequestError};

use super::property_value;
use crate::args::AliyunSource;
use crate::error::{CliError, one_line};
use crate::terminal::complain;

/// The messages of these arguments; none if there is nothing of the thing model in them.
pub async fn messages(
    publisher: &mut Publisher,
    platform: &Platform,
    source: &AliyunSource,
) -> Result<Vec<Message>, CliError> {
    let Platform::Aliyun(device) = platform else { return Ok(Vec::new()) };
    let made = match &source.event {
        Some(event) => post_event(publisher, device, event).await,
        None => {
            refuse_repeated(&source.property)?;
            for (name, value) in &source.property {
                if let Some(doubt) = property_value::doubt(value) {
                    complain(one_line(&format!("--property {name}: {doubt}")));
                }
            }
            post_properties(publisher, device, &source.property).await
        }
    };
    made.map_err(|trap| CliError::new("the component failed", format!("{trap:#}")))?
}

async fn post_event(
    publisher: &mut Publisher,
    device: &AliyunConfig,
    (identifier, value): &(String, String),
) -> wasmtime::Result<Result<Vec<Message>, CliError>> {
    let event = Event { identifier: identifier.clone(), value: value.clone(), time_ms: None };
    let made = publisher.event_post(device, id(), &event).await?;
    Ok(made.map(|message| vec![message]).map_err(|error| explain(&format!("--event {identifier}"), error)))
}

async fn post_properties(
    publisher: &mut Publisher,
    device: &AliyunConfig,
    given: &[(String, String)],
) -> wasmtime::Result<Result<Vec<Message>, CliError>> {
    let property = |(identifier, value): &(String, String)| Property {
        identifier: identifier.clone(),
        value: property_value::as_json(value),
        time_ms: None,
    };
    let properties: Vec<Property> = given.iter().map(property).collect();
    let error = match publisher.property_post(device, id(), &properties).await? {
        Ok(messages) => return Ok(Ok(messages)),
        Err(error) => error,
    };
    // Which of them it is, is told by asking for each alone.
    for property in properties {
        let alone = slice::from_ref(&property);
        if let Err(error) = publisher.property_post(device, id(), alone).await? {
            return Ok(Err(explain(&format!("--property {}", property.identifier), error)));
        }
    }
    Ok(Err(explain("--property", error)))
}

/// Of two values for one name in a message the platform would take either, without a word.
fn refuse_repeated(properties: &[(String, String)]) -> Result<(), CliError> {
    let mut names = HashSet::new();
    match properties.iter().find(|(name, _)| !names.insert(name)) {
        Some((name, _)) => Err(CliError::sentence(format!("--property {name} is given twice: give it once"))),
        None => Ok(()),
    }
}

/// A number for a message that differs from that of the last run: the documentation has up to ten digits for it.
fn id() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_millis() as u32
}

fn explain(what: &str, error: RequestError) -> CliError {
    CliError::new(
        what,
        match error {
            RequestError::InvalidField(Field::EventValue) => "give the output of the event as a JSON object",
            RequestError::InvalidField(Field::PropertyValue) => "the value is no JSON that the platform takes",
            RequestError::InvalidField(_) => {
                "the name of a property or an event has 1 to 50 letters, digits, `_` and `:`"
            }
            RequestError::PayloadTooLarge => "more than 128 KB (131072 bytes) for one message",
            RequestError::InvalidConfiguration(error) | RequestError::Other(error) => {
                return CliError::sentence(error);
            }
            RequestError::InvalidTopic(_) | RequestError::Unsupported => "not for this device",
        },
    )
}
