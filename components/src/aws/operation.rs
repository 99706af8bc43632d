//! Operations of the AWS data plane and their replies at the border.

use thingpost::Qos;
use thingpost::aws::{
    ClientConnection, ClientDisconnection, ClientSubscription, DirectMessage, Operation, Page, Reply, RetainedEntry,
    RetainedMessage, Shadow, Socket,
};

use crate::bindings::exports::thingpost::iot::aws_data_plane_types as wit;
use crate::bindings::exports::thingpost::iot::types;
use crate::values::{message, outcome};

pub fn operation(operation: wit::Operation) -> Operation {
    match operation {
        wit::Operation::GetShadow(it) => Operation::GetShadow(shadow(it)),
        wit::Operation::UpdateShadow(it) => Operation::UpdateShadow {
            shadow: shadow(it.shadow),
            document: it.document,
            max_state_bytes: it.max_state_bytes,
        },
        wit::Operation::DeleteShadow(it) => Operation::DeleteShadow(shadow(it)),
        wit::Operation::ListNamedShadows(it) => Operation::ListNamedShadows { thing: it.thing, page: page(it.page) },
        wit::Operation::GetRetainedMessage(topic) => Operation::GetRetainedMessage { topic },
        wit::Operation::ListRetainedMessages(it) => Operation::ListRetainedMessages(page(it)),
        wit::Operation::SendDirectMessage(it) => Operation::SendDirectMessage(DirectMessage {
            client_id: it.client_id,
            message: message::message(it.message),
            timeout_s: it.timeout_s,
        }),
        wit::Operation::GetConnection(it) => {
            Operation::GetConnection { client_id: it.client_id, socket_information: it.socket_information }
        }
        wit::Operation::ListSubscriptions(it) => {
            Operation::ListSubscriptions { client_id: it.client_id, page: page(it.page) }
        }
        wit::Operation::DeleteConnection(it) => Operation::DeleteConnection(ClientDisconnection {
            client_id: it.client_id,
            clean_session: it.clean_session,
            prevent_will: it.prevent_will,
        }),
    }
}

fn shadow(shadow: wit::Shadow) -> Shadow {
    Shadow { thing: shadow.thing, name: shadow.name }
}

fn page(page: wit::Page) -> Page {
    Page { size: page.size, token: page.token }
}

pub fn reply(reply: Reply) -> wit::Reply {
    match reply {
        Reply::Document(document) => wit::Reply::Document(document),
        Reply::ShadowNames { names, next } => wit::Reply::ShadowNames(wit::ShadowNames { names, next }),
        Reply::RetainedMessage(it) => wit::Reply::RetainedMessage(retained_message(it)),
        Reply::RetainedEntries { entries, next } => {
            let entries = entries.into_iter().map(retained_entry).collect();
            wit::Reply::RetainedEntries(wit::RetainedEntries { entries, next })
        }
        Reply::Connection(it) => wit::Reply::Connection(connection(it)),
        Reply::Subscriptions { entries, next } => {
            let entries = entries.into_iter().map(subscription).collect();
            wit::Reply::Subscriptions(wit::Subscriptions { entries, next })
        }
        Reply::Done(receipt) => wit::Reply::Done(outcome::receipt(receipt)),
    }
}

fn retained_message(it: RetainedMessage) -> wit::RetainedMessage {
    wit::RetainedMessage {
        topic: it.topic,
        payload: it.payload,
        qos: qos(it.qos),
        last_modified_ms: it.last_modified_ms,
        user_properties: it.user_properties,
    }
}

fn retained_entry(it: RetainedEntry) -> wit::RetainedEntry {
    wit::RetainedEntry {
        topic: it.topic,
        payload_size: it.payload_size,
        qos: qos(it.qos),
        last_modified_ms: it.last_modified_ms,
    }
}

fn connection(it: ClientConnection) -> wit::Connection {
    wit::Connection {
        connected: it.connected,
        client_id: it.client_id,
        thing_name: it.thing_name,
        clean_session: it.clean_session,
        keep_alive_s: it.keep_alive_s,
        session_expiry_s: it.session_expiry_s,
        connected_since_ms: it.connected_since_ms,
        disconnected_since_ms: it.disconnected_since_ms,
        disconnect_reason: it.disconnect_reason,
        source: it.source.map(socket),
        target: it.target.map(socket),
        vpc_endpoint_id: it.vpc_endpoint_id,
    }
}

fn socket(it: Socket) -> wit::Socket {
    wit::Socket { ip: it.ip, port: it.port }
}

fn subscription(it: ClientSubscription) -> wit::Subscription {
    wit::Subscription { topic_filter: it.topic_filter, qos: qos(it.qos) }
}

fn qos(qos: Qos) -> types::Qos {
    match qos {
        Qos::AtMostOnce => types::Qos::AtMostOnce,
        Qos::AtLeastOnce => types::Qos::AtLeastOnce,
    }
}
