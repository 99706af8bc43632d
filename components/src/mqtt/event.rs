//! What a session tells, at the border.

use thingpost::mqtt::{AcceptedConnection, Event, Incoming, Unfinished};
use thingpost::{Message, PayloadFormat, Properties, Qos};

use crate::bindings::exports::thingpost::iot::mqtt_session as wit;
use crate::bindings::exports::thingpost::iot::types;
use crate::values::outcome;

pub fn event(event: Event) -> wit::Event {
    match event {
        Event::Connected(connection) => wit::Event::Connected(self::connection(connection)),
        Event::Disconnected(disconnection) => wit::Event::Disconnected(wit::Disconnection {
            error: outcome::error(disconnection.error, disconnection.explanation),
            was_connected: disconnection.was_connected,
            retry_ms: disconnection.retry_ms,
        }),
        Event::Message(incoming) => wit::Event::Message(self::incoming(incoming)),
        Event::Published { id, receipt } => {
            wit::Event::Published(wit::Published { id, receipt: outcome::receipt(receipt) })
        }
        Event::NotPublished { id, error, explanation } => {
            wit::Event::NotPublished(wit::NotPublished { id, error: outcome::error(error, explanation) })
        }
        Event::Subscribed { filter, granted } => wit::Event::Subscribed(wit::Subscribed {
            filter,
            granted: granted.map(qos).map_err(|(error, explanation)| outcome::error(error, explanation)),
        }),
        Event::Unsubscribed { filter, error } => wit::Event::Unsubscribed(wit::Unsubscribed {
            filter,
            error: error.map(|(error, explanation)| outcome::error(error, explanation)),
        }),
    }
}

pub fn connection(connection: AcceptedConnection) -> wit::Connection {
    let AcceptedConnection { session_present, keep_alive_s } = connection;
    wit::Connection { session_present, keep_alive_s }
}

fn incoming(incoming: Incoming) -> wit::Incoming {
    let Incoming { topic, payload, qos, retain, duplicate, properties } = incoming;
    wit::Incoming {
        topic,
        payload: payload.into(),
        qos: self::qos(qos),
        retain,
        duplicate,
        properties: properties.map(self::properties),
    }
}

pub fn unfinished(unfinished: Unfinished) -> wit::Unfinished {
    let Unfinished { id, message, attempts, packet_id, age_ms } = unfinished;
    wit::Unfinished { id, message: self::message(message), attempts, packet_id, age_ms }
}

fn message(message: Message) -> types::Message {
    let Message { topic, payload, qos, retain, rule, properties } = message;
    types::Message {
        topic,
        payload: payload.to_vec(),
        qos: self::qos(qos),
        retain,
        rule,
        properties: properties.map(self::properties),
    }
}

fn qos(qos: Qos) -> types::Qos {
    match qos {
        Qos::AtMostOnce => types::Qos::AtMostOnce,
        Qos::AtLeastOnce => types::Qos::AtLeastOnce,
    }
}

fn properties(properties: Properties) -> types::Properties {
    let Properties {
        content_type,
        response_topic,
        message_expiry_s,
        payload_format,
        correlation_data,
        user_properties,
    } = properties;
    types::Properties {
        content_type,
        response_topic,
        message_expiry_s,
        payload_format: payload_format.map(|format| match format {
            PayloadFormat::UnspecifiedBytes => types::PayloadFormat::UnspecifiedBytes,
            PayloadFormat::Utf8Data => types::PayloadFormat::Utf8Data,
        }),
        correlation_data,
        user_properties,
    }
}
