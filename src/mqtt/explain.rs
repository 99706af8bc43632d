//! An error means one thing while connecting and another one in the midst of messages, and MQTT 3.1.1 mostly says
//! nothing but that the connection is closed. So an explanation needs to know what was going on.

use alloc::string::String;

use crate::error::{Cause, Error, Stage};
use crate::explain::with_step;

/// The error in words, and the next step where there is one on every broker.
pub fn explain(error: &Error, context: &MqttErrorContext) -> String {
    let step = elsewhere_step(error)
        .or_else(|| limit_step(error))
        .or_else(|| other_version(error))
        .or_else(|| received_step(context));
    match step {
        Some(_) => with_step(error, step),
        None => crate::explain::explain(error),
    }
}

/// The next step where the broker does not have the version of MQTT that it was asked for.
pub fn other_version(error: &Error) -> Option<&'static str> {
    match (error.cause, error.answer.as_ref()?.status) {
        (Cause::Unsupported, 0x84) => Some("the broker does not have MQTT 5: use MQTT 3.1.1"),
        (Cause::Unsupported, 1) => Some("the broker does not have MQTT 3.1.1: use MQTT 5"),
        _ => None,
    }
}

/// The next step where the broker sends the client to another server.
pub fn elsewhere_step(error: &Error) -> Option<&'static str> {
    match (error.cause, &error.answer, &error.detail) {
        (Cause::WrongHostOrPath, Some(_), Some(_)) => {
            Some("try that as the endpoint, once it is sure that it is the platform's")
        }
        (Cause::WrongHostOrPath, Some(_), None) => Some("it does not say to which: look up the endpoint"),
        _ => None,
    }
}

/// The next step where the broker has told of limits of its own, and a message or a subscription exceeds them.
pub fn limit_step(error: &Error) -> Option<&'static str> {
    if error.stage != Stage::Publication {
        return None;
    }
    match (error.cause, &error.answer) {
        (Cause::PayloadTooLarge, None) if error.detail.is_some() => {
            Some("send less at once; topic and properties count as well")
        }
        (Cause::Unsupported, None) => Some("send the message without what the broker does not take"),
        (Cause::Unsupported, Some(answer)) => Some(match answer.status {
            0x9a => "send the message without retain",
            0x9b => "send the message at most once (QoS 0)",
            0x9e => "subscribe without `$share/`",
            0xa2 => "subscribe without wildcards",
            _ => return None,
        }),
        _ => None,
    }
}

/// The next step where the broker has sent what cannot be taken: it has said enough to know that it speaks MQTT.
pub fn received_step(context: &MqttErrorContext) -> Option<&'static str> {
    match context {
        MqttErrorContext::RuleBroken => Some(
            "the other end speaks MQTT and breaks its rules, so the endpoint need not be wrong: tell whoever runs the \
             broker, or what stands in front of it",
        ),
        MqttErrorContext::TooMuch => Some("subscribe to fewer topics, or have what is published to them made smaller"),
        _ => None,
    }
}

/// What was going on when an error came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MqttErrorContext<'a> {
    /// Getting a connection.
    Connecting,
    /// A connection was lost.
    Lost {
        /// The topic of the first message that was not acknowledged, or else of the last at-most-once one that may not have
        /// been taken.
        last_topic: Option<&'a str>,
        /// How long it had lasted.
        after_ms: u64,
    },
    /// The broker has sent what the standard forbids.
    RuleBroken,
    /// The broker has sent more at once than is taken.
    TooMuch,
    /// A message.
    Publication {
        /// Its topic.
        topic: &'a str,
    },
    /// A subscription.
    Subscription {
        /// Its filter.
        filter: &'a str,
    },
}
