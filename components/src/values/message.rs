//! Messages at the border.

use thingpost::{Message, PayloadFormat, Properties, Qos};

use crate::bindings::exports::thingpost::iot::types as wit;

pub fn message(message: wit::Message) -> Message {
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
