//! Interface `aliyun-thing-model`.

use alloc::string::String;
use alloc::vec::Vec;

use thingpost::aliyun::{self, Reply, ThingIdentity};

use crate::Component;
use crate::bindings::exports::thingpost::iot::aliyun_thing_model::{Event, Guest, Message, Property, RequestError};
use crate::bindings::exports::thingpost::iot::types::Qos;
use crate::values::request_error::{configuration_error, request_error};

impl Guest for Component {
    fn property_post(
        product_key: String,
        device_name: String,
        first_id: u32,
        properties: Vec<Property>,
        wants_reply: bool,
    ) -> Result<Vec<Message>, RequestError> {
        let thing = ThingIdentity::new(&product_key, &device_name).map_err(configuration_error)?;
        let property =
            |it: Property| aliyun::Property { identifier: it.identifier, value: it.value, time_ms: it.time_ms };
        let properties: Vec<_> = properties.into_iter().map(property).collect();
        let messages =
            aliyun::property_post(thing, first_id, &properties, reply(wants_reply)).map_err(request_error)?;
        Ok(messages.into_iter().map(published).collect())
    }

    fn event_post(
        product_key: String,
        device_name: String,
        id: u32,
        event: Event,
        wants_reply: bool,
    ) -> Result<Message, RequestError> {
        let thing = ThingIdentity::new(&product_key, &device_name).map_err(configuration_error)?;
        let event = aliyun::Event { identifier: event.identifier, value: event.value, time_ms: event.time_ms };
        aliyun::event_post(thing, id, &event, reply(wants_reply)).map(published).map_err(request_error)
    }
}

fn reply(is_wanted: bool) -> Reply {
    if is_wanted { Reply::Wanted } else { Reply::Unwanted }
}

/// A message that is nothing but a payload for a topic.
fn published(message: thingpost::Message) -> Message {
    Message {
        topic: message.topic,
        payload: message.payload.to_vec(),
        qos: match message.qos {
            thingpost::Qos::AtMostOnce => Qos::AtMostOnce,
            thingpost::Qos::AtLeastOnce => Qos::AtLeastOnce,
        },
        retain: message.retain,
        rule: message.rule,
        properties: None,
    }
}
