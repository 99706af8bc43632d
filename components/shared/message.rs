//! Messages at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use thingpost::{Message, PayloadFormat, Properties, Qos};

use crate::bindings::exports::thingpost::iot::types as wit;

pub(crate) fn message(message: wit::Message) -> Message {
    let qos = match message.qos {
        wit::Qos::AtMostOnce => Qos::AtMostOnce,
        wit::Qos::AtLeastOnce => Qos::AtLeastOnce,
    };
    Message {
        topic: message.topic,
        payload: message.payload.into(),
        qos,
        retain: message.retain,
        rule: message.rule,
        properties: message.properties.map(properties),
    }
}

fn properties(properties: wit::Properties) -> Properties {
    Properties {
        content_type: properties.content_type,
        response_topic: properties.response_topic,
        message_expiry_s: properties.message_expiry_s,
        payload_format: properties.payload_format.map(|format| match format {
            wit::PayloadFormat::UnspecifiedBytes => PayloadFormat::UnspecifiedBytes,
            wit::PayloadFormat::Utf8Data => PayloadFormat::Utf8Data,
        }),
        correlation_data: properties.correlation_data,
        user_properties: properties.user_properties,
    }
}
