//! What AWS says about a client that is on line, and about one that has just left, can only be tried with clients that
//! come and go on request. No MQTT is spoken here: a test says who is on line, and how they behave.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::Refusal;
use super::operation;
use super::paging::Page;
use crate::http1::Request;
use crate::ledger::Device;

/// How long AWS remembers a client without a session that has left.
const REMEMBERED_MS: u64 = 30 * 60 * 1000;
const MAX_CLIENT_ID_CHARS: usize = 128;

/// An MQTT client to be put on line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedClient {
    /// What it connects as.
    pub client_id: String,
    /// The thing that belongs to it.
    pub thing_name: Option<String>,
    /// What it asked for when it connected.
    pub keep_alive_seconds: u32,
    /// Whether its session ends with its connection.
    pub clean_session: bool,
    /// How long its session outlives its connection, unless that is a clean one.
    pub session_expiry_seconds: u32,
    /// What it has subscribed to.
    pub subscriptions: Vec<Subscription>,
    /// Whether it answers to a message that is to be confirmed.
    pub acknowledges: bool,
}

/// Something that a client has subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// With its wildcards.
    pub topic_filter: String,
    /// The greatest quality of service that it wants.
    pub qos: u8,
}

impl ConnectedClient {
    /// A client with a clean session, without a thing and without subscriptions, that acknowledges what it gets.
    pub fn new(client_id: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            thing_name: None,
            keep_alive_seconds: 1200,
            clean_session: true,
            session_expiry_seconds: 3600,
            subscriptions: Vec::new(),
            acknowledges: true,
        }
    }
}

/// A client that was disconnected by a request, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnection {
    /// The client that was disconnected.
    pub client_id: String,
    /// Whether the session was to be removed too.
    pub clean_session: bool,
    /// Whether the client's last will was not to be published.
    pub prevent_will_message: bool,
    /// The caller that asked for it.
    pub sender: Device,
}

/// The id of a client in a path.
pub(super) fn client_id(segment: &str) -> Result<String, Refusal> {
    const INVALID: &str = "Invalid client ID";
    let id = operation::name(segment, INVALID)?;
    let is_good = !id.starts_with('$') && id.chars().count() <= MAX_CLIENT_ID_CHARS;
    if is_good { Ok(id) } else { Err(Refusal::invalid(INVALID)) }
}

pub(super) fn page(request: &Request) -> Result<Page, Refusal> {
    Page::asked(request, "maxResults", 20, 200)
}

/// The clients that are on line, or were.
#[derive(Default)]
pub(super) struct Clients {
    known: BTreeMap<String, Presence>,
    pub(super) disconnections: Vec<Disconnection>,
}

struct Presence {
    client: ConnectedClient,
    connected: bool,
    /// Milliseconds since 1970.
    since: u64,
    /// Why it left, when it has.
    reason: &'static str,
    /// Until when its session outlives its connection. At first only a client on line has one.
    session_until: u64,
}

impl Presence {
    fn has_session(&self, now_ms: u64) -> bool {
        self.connected || now_ms < self.session_until
    }

    fn leave(&mut self, reason: &'static str, removes_session: bool, now_ms: u64) {
        let keeps = !self.client.clean_session && !removes_session;
        let session_ms = if keeps { u64::from(self.client.session_expiry_seconds) * 1000 } else { 0 };
        self.connected = false;
        self.since = now_ms;
        self.reason = reason;
        self.session_until = now_ms + session_ms;
    }
}

impl Clients {
    /// Puts a client on line, in the place of one that has its id.
    pub(super) fn add(&mut self, client: ConnectedClient, now_ms: u64) {
        let id = client.client_id.clone();
        let presence = Presence { client, connected: true, since: now_ms, reason: "", session_until: 0 };
        self.known.insert(id, presence);
    }

    /// As if the client's network had failed.
    pub(super) fn lose(&mut self, id: &str, now_ms: u64) {
        if let Some(presence) = self.known.get_mut(id).filter(|presence| presence.connected) {
            presence.leave("CONNECTION_LOST", false, now_ms);
        }
    }

    /// Whether a client that is on line acknowledges what it gets.
    pub(super) fn acknowledges(&self, id: &str, now_ms: u64) -> Result<bool, Refusal> {
        match self.known.get(id) {
            Some(presence) if presence.connected => Ok(presence.client.acknowledges),
            Some(presence) if presence.has_session(now_ms) => Err(Refusal::not_found(
                "The target client ID is not connected, but it has an active persistent session",
            )),
            _ => Err(Refusal::not_found("The target client ID is not connected")),
        }
    }

    /// The answer to a caller that may ask about a client.
    pub(super) fn get(&self, id: &str, with_socket: bool, now_ms: u64) -> Result<String, Refusal> {
        let is_remembered = |presence: &&Presence| {
            presence.has_session(now_ms) || now_ms < presence.since.saturating_add(REMEMBERED_MS)
        };
        let presence = self.known.get(id).filter(is_remembered).ok_or_else(not_found)?;
        let Presence { client, connected, since, reason, .. } = presence;
        let mut answer = json!({
            "clientId": client.client_id,
            "connected": connected,
            "cleanSession": client.clean_session,
            "keepAliveDuration": client.keep_alive_seconds,
            "sessionExpiry": if client.clean_session { 0 } else { client.session_expiry_seconds },
        });
        let mut add = |name: &str, value: Value| answer[name] = value;
        if let Some(thing) = &client.thing_name {
            add("thingName", thing.as_str().into());
        }
        if *connected {
            add("connectedSince", (*since).into());
        } else {
            add("disconnectReason", (*reason).into());
            if now_ms < since.saturating_add(REMEMBERED_MS) {
                add("disconnectedSince", (*since).into());
            }
        }
        if with_socket && *connected {
            // Of the networks that are there for documentation.
            add("sourceIp", "192.0.2.7".into());
            add("sourcePort", 49152.into());
            add("targetIp", "198.51.100.1".into());
            add("targetPort", 8883.into());
        }
        Ok(answer.to_string())
    }

    /// The answer to a caller that may list the subscriptions of a client. The last page has null for a token.
    pub(super) fn subscriptions(&self, id: &str, page: &Page, now_ms: u64) -> Result<String, Refusal> {
        let presence = self.known.get(id).filter(|presence| presence.has_session(now_ms)).ok_or_else(not_found)?;
        let mut subscriptions: Vec<&Subscription> = presence.client.subscriptions.iter().collect();
        subscriptions.sort_unstable_by_key(|subscription| &subscription.topic_filter);
        let (subscriptions, token) = page.cut(subscriptions, |subscription| &subscription.topic_filter);
        let shown =
            |subscription: &Subscription| json!({ "topicFilter": subscription.topic_filter, "qos": subscription.qos });
        let subscriptions: Vec<Value> = subscriptions.into_iter().map(shown).collect();
        Ok(json!({ "subscriptions": subscriptions, "nextToken": token }).to_string())
    }

    pub(super) fn disconnect(&mut self, disconnection: Disconnection, now_ms: u64) -> Result<(), Refusal> {
        let presence = self.known.get_mut(&disconnection.client_id);
        let presence = presence.filter(|presence| presence.connected).ok_or_else(not_found)?;
        presence.leave("API_INITIATED_DISCONNECT", disconnection.clean_session, now_ms);
        self.disconnections.push(disconnection);
        Ok(())
    }
}

fn not_found() -> Refusal {
    Refusal::not_found("Client not found")
}
