//! A shadow outlives the connections of a device, so two writers meet in it: what an update leaves alone, which version
//! it has to name and what is left after a deletion decide whether one of them loses its state. Here are the shadows of
//! all things, classic and named, as AWS documents them.
//!
//! | Where | What |
//! |---|---|
//! | `update.rs` | what a request has to be to change a shadow |
//! | `document.rs` | the state and when it was written: merging, the difference, the answers |

mod document;
mod update;

use std::collections::BTreeMap;

use serde_json::json;

use super::answer::Refusal;
use super::operation;
use super::paging::Page;
use super::query::parameter;
use crate::http1::Request;
use document::Document;
pub(super) use update::Update;

/// 8 KB, without the metadata.
const MAX_BYTES: usize = 8192;

/// Which shadow of which thing. The classic one has no name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ShadowId {
    thing: String,
    name: Option<String>,
}

impl ShadowId {
    /// From the segment of the path and from the query.
    pub(super) fn of(thing: &str, request: &Request) -> Result<Self, Refusal> {
        let name = parameter(request, "name");
        if name.as_deref().is_some_and(|name| !is_name(name, 64, "$:_-")) {
            return Err(Refusal::invalid("Invalid shadow name"));
        }
        Ok(Self { thing: thing_name(thing)?, name })
    }

    fn not_found(&self) -> Refusal {
        let Self { thing, name } = self;
        Refusal::not_found(match name {
            None => format!("No shadow exists with name: '{thing}'"),
            Some(name) => format!("No shadow exists with name: '{thing}~{name}'"),
        })
    }
}

/// The name of a thing in a path.
pub(super) fn thing_name(segment: &str) -> Result<String, Refusal> {
    const INVALID: &str = "Invalid thing name";
    let thing = operation::name(segment, INVALID)?;
    if is_name(&thing, 128, ":_-") { Ok(thing) } else { Err(Refusal::invalid(INVALID)) }
}

fn is_name(name: &str, most: usize, special: &str) -> bool {
    let is_good = |character: char| character.is_ascii_alphanumeric() || special.contains(character);
    (1..=most).contains(&name.len()) && name.chars().all(is_good)
}

pub(super) fn page(request: &Request) -> Result<Page, Refusal> {
    Page::asked(request, "pageSize", 25, 100)
}

/// The shadows of all things. No thing has to be made known first.
#[derive(Default)]
pub(super) struct Shadows(BTreeMap<ShadowId, Shadow>);

struct Shadow {
    /// Of the last accepted update. A deletion leaves it alone, so that no version ever means two states.
    version: u64,
    /// Nothing after a deletion.
    document: Option<Document>,
}

impl Shadows {
    pub(super) fn get(&self, id: &ShadowId, now: u64) -> Result<String, Refusal> {
        let shadow = self.0.get(id).ok_or_else(|| id.not_found())?;
        let document = shadow.document.as_ref().ok_or_else(|| id.not_found())?;
        Ok(document.show(shadow.version, now))
    }

    pub(super) fn update(&mut self, id: ShadowId, update: &Update, now: u64) -> Result<String, Refusal> {
        let known = self.0.get(&id);
        let current = known.map_or(0, |shadow| shadow.version);
        if update.version.is_some_and(|version| version != current) {
            return Err(Refusal::SHADOW_CONFLICT);
        }
        let mut document = known.and_then(|shadow| shadow.document.clone()).unwrap_or_default();
        document.merge(update, now);
        if document.size() > MAX_BYTES {
            return Err(Refusal::SHADOW_TOO_LARGE);
        }
        let version = current + 1;
        self.0.insert(id, Shadow { version, document: Some(document) });
        Ok(update.accepted(version, now))
    }

    pub(super) fn delete(&mut self, id: &ShadowId, now: u64) -> Result<String, Refusal> {
        let shadow = self.0.get_mut(id).ok_or_else(|| id.not_found())?;
        shadow.document.take().ok_or_else(|| id.not_found())?;
        Ok(format!(r#"{{"version":{},"timestamp":{now}}}"#, shadow.version))
    }

    /// The names of a thing's shadows. The classic one has none, and the last page has no token.
    pub(super) fn list(&self, thing: &str, page: &Page, now: u64) -> String {
        let there = self.0.iter().filter(|(id, shadow)| id.thing == thing && shadow.document.is_some());
        let names = there.filter_map(|(id, _)| id.name.as_deref());
        let (names, token) = page.cut(names, |name| name);
        let mut answer = json!({ "results": names, "timestamp": now });
        if let Some(token) = token {
            answer["nextToken"] = token.into();
        }
        answer.to_string()
    }
}
