//! The platform's words for an error are its name and nothing more ("auth check error", "param error"). What was signed,
//! how wrong the clock is and what looks odd about the names is known here, and one of them is the reason.

use alloc::string::{String, ToString};

use super::{Device, lint};
use crate::error::{Cause, Error, Stage};
use crate::explain::{clock, with_step};
use crate::signing::BY_THE_PLATFORMS_CLOCK;
use crate::text::contains;
use crate::topic::TopicError;

/// How far off a timestamp may be: 15 minutes.
const TOLERATED_MS: u64 = 15 * 60 * 1000;

/// The likely reason and the next step.
pub fn explain(device: &Device, error: &Error) -> String {
    if error.stage != Stage::Preparation
        && matches!(error.cause, Cause::Unauthenticated | Cause::InvalidRequest)
        && let Some(step) = oddity(device, error)
    {
        return with_step(error, Some(&step));
    }
    explain_provisioning(error)
}

/// The likely reason and the next step, for what comes before the first message.
pub fn explain_provisioning(error: &Error) -> String {
    match reason(error) {
        Some(reason) => with_step(error, Some(reason)),
        None => crate::explain::explain(error),
    }
}

/// Something that can be seen from here.
fn oddity(device: &Device, error: &Error) -> Option<String> {
    let ahead_ms = error.answer.as_ref().and_then(|answer| answer.clock_ahead_ms).unwrap_or_default();
    let signed = error.detail.as_deref().unwrap_or_default();
    let by_our_clock = contains(signed, "timestamp") && !contains(signed, BY_THE_PLATFORMS_CLOCK);
    if by_our_clock && ahead_ms.unsigned_abs() > TOLERATED_MS {
        return Some([&clock(ahead_ms), ", and a timestamp is good for 15: set the clock, or send none"].concat());
    }
    let odd = lint::oddity(device)?;
    Some([odd, ", check it against the console".to_string()].concat())
}

fn reason(error: &Error) -> Option<&'static str> {
    let code = error.answer.as_ref().and_then(|answer| answer.code.as_deref());
    Some(match (error.cause, error.stage) {
        (Cause::Unauthenticated, _) if code == Some("6600") => {
            "the signature does not fit: check the product secret, the product key and the device name"
        }
        (Cause::Unauthenticated, _) => {
            "the device is unknown here or the signature does not fit: check product key, device name, device secret \
             and region"
        }
        (Cause::InvalidRequest, Stage::Authentication) => {
            "one of product key, device name, client id or sign method is not accepted; the platform does not say which"
        }
        (Cause::InvalidRequest, _) => "the topic is most likely not one of this device",
        (Cause::TokenRejected, _) if error.attempts == 1 => "authenticate again, and send the message again",
        (Cause::TokenRejected, _) => {
            "a new token was rejected as well: check that no other process authenticates as the same device, and that \
             the endpoint belongs to the instance of the device"
        }
        (Cause::PublishFailed, _) => {
            "check that the topic is defined in the console and that the device has the right to publish to it"
        }
        (Cause::RegistrationOff, _) => "switch on dynamic registration on the product's page in the console",
        (Cause::AlreadyActive, _) => {
            "the secret is given out once: use the one that the device has, or reset or delete the device in the console"
        }
        (Cause::SignMethodUnsupported, _) => "sign with hmacsha1, which is documented",
        (Cause::NotFound, Stage::Authentication) => {
            "the product or the device is not known here: check both, the region, and that the device was created"
        }
        (Cause::Forbidden, Stage::Authentication) => "the device authenticates in another way, see its product's page",
        (Cause::WrongHostOrPath, _) => {
            "this host is not the platform's HTTP endpoint of this region or instance: look it up in the console"
        }
        (Cause::InvalidTopic(TopicError::NotAbsolute | TopicError::OtherDevice), _) => {
            "give the full topic, such as /<product key>/<device name>/user/update"
        }
        _ => return None,
    })
}
