//! The platform's words for an error are its name and nothing more ("auth check error", "param error"). These are the
//! usual reasons.

use alloc::string::String;

use crate::error::{Cause, Error, Stage};
use crate::explain::with_step;
use crate::topic::TopicProblem;

/// The likely reason and the next step.
pub fn explain(error: &Error) -> String {
    match reason(error) {
        Some(reason) => with_step(error, Some(reason)),
        None => crate::explain::explain(error),
    }
}

fn reason(error: &Error) -> Option<&'static str> {
    Some(match (error.cause, error.stage) {
        (Cause::Unauthenticated, _) => {
            "the device is unknown here or the signature does not fit: check product key, device name, device secret \
             and region; with a timestamp, also the clock"
        }
        (Cause::InvalidRequest, Stage::Authentication) => {
            "one of product key, device name, client id or sign method is not accepted; the platform does not say which"
        }
        (Cause::InvalidRequest, _) => "the topic is most likely not one of this device",
        (Cause::TokenRejected, _) if error.attempts < 2 => "authenticate again, and send the message again",
        (Cause::TokenRejected, _) => {
            "a new token was rejected as well: check that no other process authenticates as the same device, and that \
             the endpoint belongs to the instance of the device"
        }
        (Cause::PublishFailed, _) => {
            "check that the topic is defined in the console and that the device has the right to publish to it"
        }
        (Cause::WrongHostOrPath, _) => {
            "this host is not the platform's HTTP endpoint of this region or instance: look it up in the console"
        }
        (Cause::InvalidTopic(TopicProblem::NotAbsolute), _) => {
            "give the full topic, such as /<product key>/<device name>/user/update"
        }
        _ => return None,
    })
}
