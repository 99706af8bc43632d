//! A retained message outlives its sender: each later subscriber gets it, until another takes its place or an empty
//! one takes it away. There are no subscriptions here, so what a subscriber would get can be asked for instead.

use std::collections::BTreeMap;

use serde_json::json;

use super::answer::Refusal;
use super::operation;
use super::paging::Page;
use super::publish::Publish;
use crate::base64;
use crate::http1::Request;

/// The most topics that are listed at once, and the number of those who do not say how many they want.
const MAX_LISTED: usize = 200;

/// The message that a topic retains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retained {
    /// After decoding.
    pub topic: String,
    /// Never empty.
    pub payload: Vec<u8>,
    /// What it was published with.
    pub qos: u8,
}

/// The retained messages by their topics.
#[derive(Default)]
pub(super) struct Store(BTreeMap<String, Stored>);

struct Stored {
    message: Retained,
    /// Milliseconds since 1970.
    last_modified: u64,
    /// In base64, as they were sent.
    user_properties: Option<String>,
}

impl Store {
    /// Does what a message that was taken asks for.
    pub(super) fn apply(&mut self, publish: Publish, payload: &[u8], now_ms: u64) {
        let Publish { topic, qos, retain, user_properties } = publish;
        if !retain {
            return;
        }
        if payload.is_empty() {
            self.0.remove(&topic);
        } else {
            let message = Retained { topic: topic.clone(), payload: payload.to_vec(), qos };
            self.0.insert(topic, Stored { message, last_modified: now_ms, user_properties });
        }
    }

    pub(super) fn all(&self) -> Vec<Retained> {
        self.0.values().map(|stored| stored.message.clone()).collect()
    }

    /// The answer to a caller that may read it.
    pub(super) fn get(&self, topic: &str) -> Result<String, Refusal> {
        let Stored { message, last_modified, user_properties } =
            self.0.get(topic).ok_or_else(|| Refusal::not_found("Retained message not found"))?;
        let mut answer = json!({
            "topic": message.topic,
            "payload": base64::encode(&message.payload),
            "qos": message.qos,
            "lastModifiedTime": last_modified,
        });
        if let Some(user_properties) = user_properties {
            answer["userProperties"] = user_properties.as_str().into();
        }
        Ok(answer.to_string())
    }

    /// The answer to a caller that may list them. The last page has an empty token rather than none.
    pub(super) fn list(&self, page: &Page) -> String {
        let (page, token) = page.cut(self.0.values(), |stored| &stored.message.topic);
        let summary = |stored: &Stored| {
            json!({
                "topic": stored.message.topic,
                "payloadSize": stored.message.payload.len(),
                "qos": stored.message.qos,
                "lastModifiedTime": stored.last_modified,
            })
        };
        let topics: Vec<_> = page.into_iter().map(summary).collect();
        json!({ "retainedTopics": topics, "nextToken": token.unwrap_or_default() }).to_string()
    }
}

/// The topic in a path, which is one segment here: nothing else about a topic could follow it.
pub(super) fn topic(segment: &str) -> Result<String, Refusal> {
    const INVALID: &str = "Invalid topic filter";
    let topic = operation::name(segment, INVALID)?;
    if topic.contains(['+', '#', '\0']) { Err(Refusal::invalid(INVALID)) } else { Ok(topic) }
}

pub(super) fn page(request: &Request) -> Result<Page, Refusal> {
    Page::asked(request, "maxResults", MAX_LISTED, MAX_LISTED)
}
