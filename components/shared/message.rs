//! Messages at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use thingpost::{Message, Qos};

use crate::bindings::exports::thingpost::iot::types as wit;

pub(crate) fn message(message: wit::Message) -> Message {
    let qos = match message.qos {
        wit::Qos::AtMostOnce => Qos::AtMostOnce,
        wit::Qos::AtLeastOnce => Qos::AtLeastOnce,
    };
    Message { topic: message.topic, payload: message.payload.into(), qos }
}
