//! Properties and events of a thing model, as messages that the component makes of them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{AliyunConfig, Event, Field, Message, Platform, Property, RequestProblem};

use super::arguments::AliyunSource;
use super::problem::Problem;

/// The messages of these arguments; none if there is nothing of the thing model in them.
pub async fn messages(
    publisher: &mut Publisher,
    platform: &Platform,
    source: &AliyunSource,
) -> Result<Vec<Message>, Problem> {
    let Platform::Aliyun(device) = platform else { return Ok(Vec::new()) };
    let made = match &source.event {
        Some((identifier, value)) => {
            let event = Event { identifier: identifier.clone(), value: value.clone(), time_ms: None };
            publisher.event_post(device, id(), &event).await.map(|made| made.map(|message| vec![message]))
        }
        None => properties(publisher, device, source).await,
    };
    made.map_err(|trap| Problem::new("the component failed", format!("{trap:#}")))?.map_err(sentence)
}

async fn properties(
    publisher: &mut Publisher,
    device: &AliyunConfig,
    source: &AliyunSource,
) -> wasmtime::Result<Result<Vec<Message>, RequestProblem>> {
    let property = |(identifier, value): &(String, String)| Property {
        identifier: identifier.clone(),
        value: as_json(value),
        time_ms: None,
    };
    let properties: Vec<Property> = source.property.iter().map(property).collect();
    publisher.property_post(device, id(), &properties).await
}

/// What is JSON stays as it is, digits included; everything else is a text.
fn as_json(value: &str) -> String {
    match serde_json::from_str::<Value>(value) {
        Ok(_) => value.to_owned(),
        Err(_) => Value::from(value).to_string(),
    }
}

/// A number for a message that differs from that of the last run: the documentation has up to ten digits for it.
fn id() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_millis() as u32
}

fn sentence(problem: RequestProblem) -> Problem {
    Problem::sentence(match problem {
        RequestProblem::InvalidField(Field::EventValue) => "--event: the output of an event is a JSON object",
        RequestProblem::InvalidField(_) => {
            "--property, --event: the name of a property or an event has 1 to 50 letters, digits, `_` and `:`"
        }
        RequestProblem::PayloadTooLarge => "--property, --event: more than 128 KB (131072 bytes) for one message",
        RequestProblem::InvalidConfiguration(problem) => return Problem::sentence(problem),
        RequestProblem::InvalidTopic(_) | RequestProblem::Unsupported => "--property, --event: not for this device",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_stays_as_it_is_and_the_rest_is_text() {
        for (value, json) in
            [("21.50", "21.50"), ("true", "true"), (r#"{"x":1}"#, r#"{"x":1}"#), ("on", r#""on""#), ("", r#""""#)]
        {
            assert_eq!(as_json(value), json);
        }
    }
}
