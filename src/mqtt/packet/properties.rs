//! The properties of MQTT 5 that travel with a message.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use mqtt_proto::v5::{PacketType, PublishProperties, UserProperty, WillProperties};

use super::malformed::Rule;
use super::{Unsendable, topic};
use crate::message::{PayloadFormat, Properties};

/// With what is left of the message expiry.
pub(super) fn of_message(given: &Properties, expiry_s: Option<u32>) -> Result<PublishProperties, Unsendable> {
    Ok(PublishProperties {
        payload_is_utf8: is_utf8(given),
        message_expiry_interval: expiry_s,
        topic_alias: None,
        response_topic: given.response_topic.as_deref().map(topic).transpose()?,
        correlation_data: given.correlation_data.as_deref().map(Bytes::copy_from_slice),
        user_properties: user_properties(given),
        subscription_id: None,
        content_type: given.content_type.as_deref().map(Arc::from),
    })
}

pub(super) fn of_will(given: &Properties) -> Result<WillProperties, Unsendable> {
    Ok(WillProperties {
        delay_interval: None,
        payload_is_utf8: is_utf8(given),
        message_expiry_interval: given.message_expiry_s,
        content_type: given.content_type.as_deref().map(Arc::from),
        response_topic: given.response_topic.as_deref().map(topic).transpose()?,
        correlation_data: given.correlation_data.as_deref().map(Bytes::copy_from_slice),
        user_properties: user_properties(given),
    })
}

fn is_utf8(given: &Properties) -> Option<bool> {
    given.payload_format.map(|format| format == PayloadFormat::Utf8Data)
}

fn user_properties(given: &Properties) -> Vec<UserProperty> {
    let pairs = given.user_properties.iter();
    pairs.map(|(name, value)| UserProperty { name: name.as_str().into(), value: value.as_str().into() }).collect()
}

/// What stands before the payload, and how long it is. None if it says nothing.
pub(super) fn received(rest: &[u8]) -> Result<(Option<Properties>, usize), Rule> {
    if rest.first() == Some(&0) {
        return Ok((None, 1));
    }
    let mut length = 0;
    let wire = PublishProperties::decode(rest, &mut length, PacketType::Publish)?;
    // We allow the broker no aliases.
    if wire.topic_alias.is_some() {
        return Err(Rule("it has a topic alias, and none are allowed to it"));
    }
    let owned = |text: Arc<str>| String::from(&*text);
    let properties = Properties {
        content_type: wire.content_type.map(owned),
        response_topic: wire.response_topic.map(|topic| String::from(&*topic)),
        message_expiry_s: wire.message_expiry_interval,
        payload_format: wire.payload_is_utf8.map(|is_utf8| match is_utf8 {
            true => PayloadFormat::Utf8Data,
            false => PayloadFormat::UnspecifiedBytes,
        }),
        correlation_data: wire.correlation_data.map(|data| data.to_vec()),
        user_properties: wire
            .user_properties
            .into_iter()
            .map(|property| (owned(property.name), owned(property.value)))
            .collect(),
    };
    Ok((Some(properties), length))
}
