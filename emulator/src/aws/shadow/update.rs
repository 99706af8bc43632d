//! An update is one JSON document, and AWS has a text for each thing that can be wrong with it. They are checked in the
//! order in which a reader of the document meets them.

use serde_json::{Map, Value, json};

use super::MAX_BYTES;
use super::document::stamps;
use crate::aws::answer::Refusal;

/// Below `desired` or `reported`.
const MAX_LEVELS: usize = 8;
const MAX_CLIENT_TOKEN_BYTES: usize = 64;

/// What an update asks for.
pub(in crate::aws) struct Update {
    pub(super) desired: Part,
    pub(super) reported: Part,
    /// The version that the sender believes to be the current one.
    pub(super) version: Option<u64>,
    client_token: Option<String>,
}

/// What it asks for in one of the two sections.
pub(super) enum Part {
    Nothing,
    /// JSON's null.
    Removal,
    Changes(Map<String, Value>),
}

impl Update {
    pub(in crate::aws) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.len() > MAX_BYTES {
            return Err(Refusal::SHADOW_TOO_LARGE);
        }
        let text = std::str::from_utf8(body).map_err(|_| Refusal::SHADOW_ENCODING)?;
        let Ok(Value::Object(mut document)) = serde_json::from_str(text) else {
            return Err(Refusal::invalid("Invalid JSON"));
        };
        let (desired, reported) = match document.remove("state") {
            None => return Err(Refusal::invalid("Missing required node: state")),
            // Says the same as null in both sections.
            Some(Value::Null) => (Part::Removal, Part::Removal),
            Some(Value::Object(mut state)) => {
                let desired = part(state.remove("desired"), "Desired node must be an object")?;
                let reported = part(state.remove("reported"), "Reported node must be an object")?;
                if !state.is_empty() {
                    return Err(Refusal::invalid("State contains an invalid node"));
                }
                (desired, reported)
            }
            Some(_) => return Err(Refusal::invalid("State node must be an object")),
        };
        let version = match document.remove("version") {
            None => None,
            Some(version) => Some(version.as_u64().ok_or_else(|| Refusal::invalid("Invalid version"))?),
        };
        let client_token = match document.remove("clientToken") {
            None => None,
            Some(Value::String(token)) if token.len() <= MAX_CLIENT_TOKEN_BYTES => Some(token),
            Some(_) => return Err(Refusal::invalid("Invalid clientToken")),
        };
        Ok(Self { desired, reported, version, client_token })
    }

    /// The answer to an update that was accepted. It repeats what was asked for, not what the shadow is now.
    pub(super) fn accepted(&self, version: u64, now: u64) -> String {
        let (mut state, mut metadata) = (Map::new(), Map::new());
        for (name, part) in [("desired", &self.desired), ("reported", &self.reported)] {
            match part {
                Part::Nothing => {}
                Part::Removal => {
                    state.insert(name.to_owned(), Value::Null);
                }
                Part::Changes(changes) => {
                    let changes = Value::from(changes.clone());
                    metadata.insert(name.to_owned(), stamps(&changes, now));
                    state.insert(name.to_owned(), changes);
                }
            }
        }
        let (state, metadata) = (Value::from(state), Value::from(metadata));
        let token = self.client_token.as_ref().map(|token| format!(r#","clientToken":{}"#, json!(token)));
        let token = token.unwrap_or_default();
        format!(r#"{{"state":{state},"metadata":{metadata},"version":{version},"timestamp":{now}{token}}}"#)
    }
}

fn part(section: Option<Value>, no_object: &'static str) -> Result<Part, Refusal> {
    let changes = match section {
        None => return Ok(Part::Nothing),
        Some(Value::Null) => return Ok(Part::Removal),
        Some(Value::Object(changes)) => changes,
        Some(_) => return Err(Refusal::invalid(no_object)),
    };
    if levels(changes.values()) > MAX_LEVELS {
        return Err(Refusal::invalid(format!("JSON contains too many levels of nesting; maximum is {MAX_LEVELS}")));
    }
    if changes.values().any(has_null_in_array) {
        return Err(Refusal::invalid("State contains an invalid node"));
    }
    Ok(Part::Changes(changes))
}

/// How many keys stand one below the other. An array is a value and no level of its own.
fn levels<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    values.map(|value| 1 + below(value)).max().unwrap_or(0)
}

fn below(value: &Value) -> usize {
    match value {
        Value::Object(object) => levels(object.values()),
        Value::Array(elements) => elements.iter().map(below).max().unwrap_or(0),
        _ => 0,
    }
}

fn has_null_in_array(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.values().any(has_null_in_array),
        Value::Array(elements) => elements.iter().any(|element| element.is_null() || has_null_in_array(element)),
        _ => false,
    }
}
