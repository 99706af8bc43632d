//! Messages as the arguments describe them. All messages of a run differ in nothing but their payload.

pub mod payload;
mod property_value;
pub mod thing_model;

use thingpost_host::runtime::types::{self, Message, Properties, Qos};

use crate::args::{MessageOptions, PayloadFormat, PropertyArgs, PublishAliyun, PublishAws, QosLevel};

/// A message for AWS, without its payload.
pub fn aws(arguments: &PublishAws) -> Message {
    with(arguments.topic.as_ref(), arguments.message.qos, &arguments.message.options)
}

/// A message without its payload. Without a topic there is a rule.
pub fn with(topic: Option<&String>, qos: QosLevel, options: &MessageOptions) -> Message {
    Message {
        retain: options.retain,
        rule: options.rule.clone(),
        properties: properties(&options.properties),
        ..Message::new(topic.cloned().unwrap_or_default(), [], self::qos(qos))
    }
}

/// As the component has it.
pub fn qos(level: QosLevel) -> Qos {
    match level {
        QosLevel::AtMostOnce => Qos::AtMostOnce,
        QosLevel::AtLeastOnce => Qos::AtLeastOnce,
    }
}

/// A message for Aliyun, without its payload. The platform has no quality of service over HTTPS; what is left is whether a
/// lost answer means to send again, and a message that may arrive twice is the lesser evil.
pub fn aliyun(arguments: &PublishAliyun) -> Message {
    Message::new(arguments.topic.clone().unwrap_or_default(), [], Qos::AtLeastOnce)
}

/// None where none is given.
pub fn properties(arguments: &PropertyArgs) -> Option<Properties> {
    let properties = Properties {
        content_type: arguments.content_type.clone(),
        response_topic: arguments.response_topic.clone(),
        message_expiry_s: arguments.message_expiry,
        payload_format: arguments.payload_format.map(|format| match format {
            PayloadFormat::Utf8 => types::PayloadFormat::Utf8Data,
            PayloadFormat::Bytes => types::PayloadFormat::UnspecifiedBytes,
        }),
        correlation_data: arguments.correlation_data.clone().map(String::into_bytes),
        user_properties: arguments.user_properties.clone(),
    };
    (properties != Properties::default()).then_some(properties)
}
