//! From the head of a request to what is to be done. All that can be judged without any settings is judged here, so that a
//! function that is not configured yet answers a wrong path with 404 and not with its own troubles.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::path::Path;
use super::query::Query;
use super::refusal::Refusal;
use crate::aws;
use crate::message::{Message, Properties, Qos};
use crate::topic;

/// The head of an HTTP request.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// Path and query, as they stand in the request: neither decoded nor tidied up.
    pub path_with_query: &'a str,
    /// The headers, in any case and any order.
    pub headers: &'a [(String, Vec<u8>)],
}

impl Head<'_> {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))?;
        Some(value.trim_ascii())
    }
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// To publish what its body holds.
    Publish(Publication),
    /// Whether this function runs.
    Liveness,
    /// Whether this function could publish.
    Readiness,
}

/// A message without its payload, and the device in whose name it is to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The device that the path names; without one, the default device.
    pub device: Option<String>,
    /// The topic.
    pub topic: String,
    /// How often the message may arrive. At most once if nothing is said, as on AWS.
    pub qos: Qos,
    /// Whether the topic keeps the message for later subscribers.
    pub retain: bool,
    /// What subscribers with MQTT 5 get along with it.
    pub properties: Option<Properties>,
}

impl Publication {
    /// The message.
    pub fn into_message(self, payload: impl Into<Arc<[u8]>>) -> Message {
        let Self { device: _, topic, qos, retain, properties } = self;
        Message { retain, properties, ..Message::new(topic, payload, qos) }
    }
}

/// Reads the head of a request.
///
/// # Errors
///
/// The path, the method, the length that is announced, the topic or a property is wrong.
pub fn read(head: &Head<'_>) -> Result<Task, Refusal> {
    let (path, query) = head.path_with_query.split_once('?').unwrap_or((head.path_with_query, ""));
    let path = Path::of(path).ok_or(Refusal::NoSuchPath)?;
    if !path.methods().contains(&head.method) {
        return Err(Refusal::MethodNotAllowed { allowed: path.methods() });
    }
    match path {
        Path::Liveness => Ok(Task::Liveness),
        Path::Readiness => Ok(Task::Readiness),
        Path::Topic { device, topic } => {
            super::payload::check_announced(head)?;
            let (device, topic) = (device.map(super::path::decode).transpose()?, super::path::decode(topic)?);
            topic::check_common(&topic)?;
            let Query { qos, retain, mut properties } = Query::read(query)?;
            read_headers(head, &mut properties)?;
            aws::check_properties(&properties)?;
            let properties = Some(properties).filter(|properties| *properties != Properties::default());
            Ok(Task::Publish(Publication { device, topic, qos, retain, properties }))
        }
    }
}

/// The properties that AWS has in headers.
fn read_headers(head: &Head<'_>, properties: &mut Properties) -> Result<(), Refusal> {
    for (name, read) in aws::PROPERTY_HEADERS {
        if let Some(value) = head.header(name) {
            read(value, properties).ok_or(Refusal::Header(name))?;
        }
    }
    Ok(())
}
