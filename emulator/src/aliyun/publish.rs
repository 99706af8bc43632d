//! The platform has one code for everything that is wrong with a message's form, and another for a topic that is not the
//! device's own; a client that retries the first wastes its quota. The line between the two is drawn here.

use super::code::{PARAM_ERROR, PUBLISH_ERROR};
use super::registry::DeviceName;
use crate::http1::{Framing, Request};
use crate::percent;

/// 128 KB.
const MAX_PAYLOAD: usize = 131_072;
const MAX_TOPIC_BYTES: usize = 128;
const MAX_SLASHES: usize = 7;

/// Whether a path is one for publishing, and the topic in it as it stands there. Topics begin with a slash.
pub(super) fn encoded_topic(path: &str) -> Option<&str> {
    path.strip_prefix("/topic").filter(|topic| topic.starts_with('/'))
}

/// The topic of a message that can be taken, or the code to answer with. The token has been looked at before.
///
/// No document says which code a topic of another device is told. 30001 is the one whose meaning fits, as nothing is
/// wrong with the message's form; a client should be ready for 10001 too.
pub(super) fn check(request: &Request, device: &DeviceName) -> Result<String, u32> {
    let well_formed = request.framing == Framing::Complete
        && request.has_content_type("application/octet-stream")
        && request.query().is_none()
        && request.body.len() <= MAX_PAYLOAD;
    if !well_formed {
        return Err(PARAM_ERROR);
    }
    let topic = encoded_topic(request.path()).and_then(percent::decode).ok_or(PARAM_ERROR)?;
    if !is_topic(&topic) {
        return Err(PARAM_ERROR);
    }
    if !belongs_to(&topic, device) {
        return Err(PUBLISH_ERROR);
    }
    Ok(topic)
}

fn is_topic(topic: &str) -> bool {
    let levels_are_filled = topic.split('/').skip(1).all(|level| !level.is_empty());
    topic.len() <= MAX_TOPIC_BYTES
        && topic.matches('/').count() <= MAX_SLASHES
        && levels_are_filled
        && !topic.contains(['+', '#', '\0'])
}

/// A device may use its own topics only. The product and the device stand at the beginning of custom topics, and
/// somewhere later in those of the system.
fn belongs_to(topic: &str, device: &DeviceName) -> bool {
    let own = [device.product_key.as_str(), device.device_name.as_str()];
    let levels: Vec<&str> = topic.split('/').skip(1).collect();
    match levels[..] {
        ["sys", product, name, _, ..] => [product, name] == own,
        ["ota" | "shadow" | "ext", ref rest @ ..] => rest.windows(2).any(|pair| *pair == own),
        [product, name, _, ..] => [product, name] == own,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_its_custom_topics_and_those_of_the_system() {
        let device = DeviceName::new("pk", "dn");
        for own in [
            "/pk/dn/user/update",
            "/pk/dn/update",
            "/sys/pk/dn/thing/event/property/post",
            "/ota/device/inform/pk/dn",
            "/shadow/update/pk/dn",
        ] {
            assert!(belongs_to(own, &device), "{own}");
        }
        for foreign in [
            "/pk/other/user/update",
            "/other/dn/user/update",
            "/sys/pk/other/thing",
            "/pk/dn",
            "/pk",
            "/broadcast/pk/x",
        ] {
            assert!(!belongs_to(foreign, &device), "{foreign}");
        }
    }

    #[test]
    fn the_limits_are_128_bytes_and_7_slashes() {
        assert!(is_topic("/1/2/3/4/5/6/7"));
        assert!(!is_topic("/1/2/3/4/5/6/7/8"));
        assert!(is_topic(&format!("/{}", "x".repeat(127))));
        assert!(!is_topic(&format!("/{}", "x".repeat(128))));
    }

    #[test]
    fn wildcards_and_empty_levels_are_no_topics() {
        for broken in ["/", "/pk//x", "/pk/dn/", "/pk/dn/+", "/pk/dn/#"] {
            assert!(!is_topic(broken), "{broken}");
        }
    }
}
