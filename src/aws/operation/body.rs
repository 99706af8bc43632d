//! How AWS writes the answers of the operations: what is empty is left out, and an empty text stands for none.

use alloc::string::String;
use alloc::vec::Vec;

use super::{ClientConnection, ClientSubscription, RetainedEntry, RetainedMessage, Socket};
use crate::aws::properties::read_user_properties;
use crate::base64;
use crate::json::{self, Json, Slot};
use crate::message::Qos;

/// The entries of a list, all of which `entry` must be able to read, and where the next part begins.
pub(super) fn list<'a, T>(
    body: &'a [u8],
    name: &'static str,
    entry: fn(Json<'a>) -> Option<T>,
) -> Option<(Vec<T>, Option<String>)> {
    let (mut entries, mut next) = (Json::default(), None);
    json::read(body, &mut [(name, Slot::Value(&mut entries)), ("nextToken", Slot::Text(&mut next))]);
    let entries = entries.elements()?.into_iter().map(entry).collect::<Option<_>>()?;
    Some((entries, next.filter(|token| !token.is_empty())))
}

/// A retained message.
pub(super) fn retained_message(body: &[u8]) -> Option<RetainedMessage> {
    let (mut topic, mut payload, mut qos, mut time, mut user_properties) = (None, None, None, None, None);
    let mut wanted = [
        ("topic", Slot::Text(&mut topic)),
        ("payload", Slot::Text(&mut payload)),
        ("qos", Slot::Integer(&mut qos)),
        ("lastModifiedTime", Slot::Integer(&mut time)),
        ("userProperties", Slot::Text(&mut user_properties)),
    ];
    json::read(body, &mut wanted);
    let user_properties = match user_properties {
        Some(text) if !text.is_empty() => read_user_properties(&base64::decode(text.as_bytes())?)?,
        _ => Vec::new(),
    };
    Some(RetainedMessage {
        topic: topic?,
        payload: base64::decode(payload.unwrap_or_default().as_bytes())?,
        qos: quality(qos)?,
        last_modified_ms: time?,
        user_properties,
    })
}

/// A topic in the list of those that have kept a message.
pub(super) fn retained_entry(entry: Json<'_>) -> Option<RetainedEntry> {
    let (mut topic, mut size, mut qos, mut time) = (None, None, None, None);
    let mut wanted = [
        ("topic", Slot::Text(&mut topic)),
        ("payloadSize", Slot::Integer(&mut size)),
        ("qos", Slot::Integer(&mut qos)),
        ("lastModifiedTime", Slot::Integer(&mut time)),
    ];
    entry.read(&mut wanted);
    Some(RetainedEntry { topic: topic?, payload_size: size?, qos: quality(qos)?, last_modified_ms: time? })
}

/// The connection of a client.
pub(super) fn connection(body: &[u8]) -> Option<ClientConnection> {
    let mut it = ClientConnection::default();
    let (mut connected, mut source, mut source_port, mut target, mut target_port) = (None, None, None, None, None);
    let mut wanted = [
        ("connected", Slot::Boolean(&mut connected)),
        ("clientId", Slot::Text(&mut it.client_id)),
        ("thingName", Slot::Text(&mut it.thing_name)),
        ("cleanSession", Slot::Boolean(&mut it.clean_session)),
        ("keepAliveDuration", Slot::Integer(&mut it.keep_alive_s)),
        ("sessionExpiry", Slot::Integer(&mut it.session_expiry_s)),
        ("connectedSince", Slot::Integer(&mut it.connected_since_ms)),
        ("disconnectedSince", Slot::Integer(&mut it.disconnected_since_ms)),
        ("disconnectReason", Slot::Text(&mut it.disconnect_reason)),
        ("sourceIp", Slot::Text(&mut source)),
        ("sourcePort", Slot::Integer(&mut source_port)),
        ("targetIp", Slot::Text(&mut target)),
        ("targetPort", Slot::Integer(&mut target_port)),
        ("vpcEndpointId", Slot::Text(&mut it.vpc_endpoint_id)),
    ];
    json::read(body, &mut wanted);
    it.connected = connected?;
    it.source = socket(source, source_port);
    it.target = socket(target, target_port);
    Some(it)
}

fn socket(ip: Option<String>, port: Option<u64>) -> Option<Socket> {
    Some(Socket { ip: ip?, port: port.and_then(|port| u16::try_from(port).ok()) })
}

/// A subscription of a client.
pub(super) fn subscription(entry: Json<'_>) -> Option<ClientSubscription> {
    let (mut topic_filter, mut qos) = (None, None);
    entry.read(&mut [("topicFilter", Slot::Text(&mut topic_filter)), ("qos", Slot::Integer(&mut qos))]);
    Some(ClientSubscription { topic_filter: topic_filter?, qos: quality(qos)? })
}

fn quality(qos: Option<u64>) -> Option<Qos> {
    match qos? {
        0 => Some(Qos::AtMostOnce),
        1 => Some(Qos::AtLeastOnce),
        _ => None,
    }
}
