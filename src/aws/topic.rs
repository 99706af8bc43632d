//! Which topics AWS takes over HTTPS. The gateway answers a wrong one with a 400 at best; some it silently turns into
//! another topic.

use alloc::string::String;

use crate::field::Field;
use crate::topic::{SEGMENT, TopicError, check_common, check_size, is_dot_segment, push_segment};

/// Limits of the message broker, without the prefix of Basic Ingest.
const MAX_BYTES: usize = 256;
const MAX_SLASHES: usize = 7;

/// The longest name of a rule.
const MAX_RULE: usize = 128;

/// What precedes the name of a rule: such a message goes to the rule and to no subscriber.
const BASIC_INGEST: &[u8] = b"$aws/rules/";

/// The topic as one percent-encoded path segment, if AWS can take it.
///
/// # Errors
///
/// The rule of topics that it breaks.
pub fn encode_topic(topic: &str) -> Result<String, TopicError> {
    check_topic(topic)?;
    let mut encoded = String::with_capacity(topic.len() * 2);
    push_segment(&mut encoded, topic.as_bytes(), SEGMENT);
    Ok(encoded)
}

/// The topic of Basic Ingest by which a message goes to this rule. What follows the rule is what the rule sees as topic.
pub(super) fn rule_topic(rule: &str, topic: &str) -> Result<String, Field> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if rule.is_empty() || rule.len() > MAX_RULE || !rule.bytes().all(is_allowed) {
        return Err(Field::RuleName);
    }
    let separator = if topic.is_empty() { "" } else { "/" };
    Ok(["$aws/rules/", rule, separator, topic].concat())
}

/// Whether AWS can take it.
pub(super) fn check_topic(topic: &str) -> Result<(), TopicError> {
    check_common(topic)?;
    let topic = topic.as_bytes();
    if is_dot_segment(topic) {
        return Err(TopicError::DotSegment);
    }
    check_reserved(topic)?;
    check_limits(topic)
}

/// Counts against the limits of the message broker.
pub(super) fn check_limits(topic: &[u8]) -> Result<(), TopicError> {
    if topic.strip_prefix(BASIC_INGEST).is_some_and(|rest| rest.split(is_slash).next().is_some_and(is_too_long)) {
        return Err(TopicError::TooLong);
    }
    check_size(without_basic_ingest_prefix(topic), MAX_BYTES, MAX_SLASHES)
}

fn is_too_long(rule: &[u8]) -> bool {
    rule.len() > MAX_RULE
}

/// What follows `$aws/rules/<rule>/`, which the limits do not count.
fn without_basic_ingest_prefix(topic: &[u8]) -> &[u8] {
    match topic.strip_prefix(BASIC_INGEST) {
        Some(rule_and_rest) => rule_and_rest.splitn(2, is_slash).nth(1).unwrap_or_default(),
        None => topic,
    }
}

/// Only what AWS has below `$aws/` may begin with `$`. Which families there are, and which of them are open over HTTPS, is not
/// refused here: AWS adds to them, and says no to the others.
pub(super) fn check_reserved(topic: &[u8]) -> Result<(), TopicError> {
    let is_open = match (topic.strip_prefix(b"$aws/"), topic.strip_prefix(BASIC_INGEST)) {
        // The name of a rule is missing.
        (_, Some(rest)) => !matches!(rest.first(), None | Some(b'/')),
        (Some(rest), None) => !rest.is_empty(),
        (None, None) => !topic.starts_with(b"$"),
    };
    if is_open { Ok(()) } else { Err(TopicError::Reserved) }
}

/// The families that are not known to be open over HTTPS: what AWS refuses there may be taken over MQTT.
pub(super) fn is_for_mqtt_alone(topic: &[u8]) -> bool {
    let Some(below) = topic.strip_prefix(b"$aws/") else { return false };
    let mut levels = below.split(is_slash);
    match levels.next() {
        Some(b"rules" | b"certificates" | b"provisioning-templates" | b"device_location") => false,
        Some(b"things") => matches!(levels.nth(1), None | Some(b"" | b"jobs" | b"defender")),
        _ => true,
    }
}

fn is_slash(byte: &u8) -> bool {
    *byte == b'/'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodes_slashes_and_keeps_every_one_of_them() {
        for (topic, encoded) in [
            ("a/b", "a%2Fb"),
            ("/records", "%2Frecords"),
            ("a//b/", "a%2F%2Fb%2F"),
            ("sensor data/é", "sensor%20data%2F%C3%A9"),
            ("a/../b", "a%2F..%2Fb"),
            ("50%", "50%25"),
            ("q?x=1&y", "q%3Fx%3D1%26y"),
        ] {
            assert_eq!(encode_topic(topic).as_deref(), Ok(encoded), "{topic}");
        }
    }

    #[test]
    fn refuses_what_cannot_arrive() {
        use TopicError as P;
        for (topic, problem) in [
            ("", P::Empty),
            (".", P::DotSegment),
            ("..", P::DotSegment),
            ("a/+/b", P::Wildcard),
            ("a/#", P::Wildcard),
            ("a\0b", P::ControlCharacter),
            ("a\u{85}b", P::ControlCharacter),
            ("a\nb", P::ControlCharacter),
            ("a/b/c/d/e/f/g/h/i", P::TooManySlashes),
        ] {
            assert_eq!(encode_topic(topic), Err(problem), "{topic:?}");
        }
    }

    #[test]
    fn counts_bytes_not_characters_up_to_256() {
        assert!(encode_topic(&"a".repeat(256)).is_ok());
        assert_eq!(encode_topic(&"a".repeat(257)), Err(TopicError::TooLong));
        assert!(encode_topic(&"é".repeat(128)).is_ok());
        assert_eq!(encode_topic(&"é".repeat(129)), Err(TopicError::TooLong));
    }

    #[test]
    fn does_not_count_the_prefix_of_basic_ingest() {
        assert!(encode_topic("a/b/c/d/e/f/g/h").is_ok());
        assert!(encode_topic("$aws/rules/rule/a/b/c/d/e/f/g/h").is_ok());
        assert_eq!(encode_topic("$aws/rules/rule/a/b/c/d/e/f/g/h/i"), Err(TopicError::TooManySlashes));
        assert!(encode_topic(&format!("$aws/rules/rule/{}", "a".repeat(256))).is_ok());
        assert!(encode_topic("$aws/rules/rule").is_ok());
        assert!(encode_topic(&format!("$aws/rules/{}/a", "r".repeat(128))).is_ok());
        assert_eq!(encode_topic(&format!("$aws/rules/{}/a", "r".repeat(129))), Err(TopicError::TooLong));
    }

    #[test]
    fn a_family_below_aws_is_for_aws_to_refuse() {
        for topic in
            ["$SYS/broker", "$mine", "$", "$aws", "$aws/", "$aws/rules/", "$aws/rules//x", "$AWS/things/x/shadow/get"]
        {
            assert_eq!(encode_topic(topic), Err(TopicError::Reserved), "{topic}");
        }
        for (topic, is_for_mqtt) in [
            ("$aws/things/x/shadow/update", false),
            ("$aws/things/x/shadow/name/n/update", false),
            ("$aws/things/x/streams/s/get/json", false),
            ("$aws/certificates/create/json", false),
            ("$aws/provisioning-templates/t/provision/json", false),
            ("$aws/device_location/d/get_position_estimate", false),
            ("$aws/rules/r", false),
            ("$aws/things/x/jobs/get", true),
            ("$aws/things/x/defender/metrics/json", true),
            ("$aws/things/x", true),
            ("$aws/commands/things/x/executions/1/response/json", true),
            ("$aws/events/presence/connected/x", true),
            ("$aws/family-of-next-year/x", true),
        ] {
            assert!(encode_topic(topic).is_ok(), "{topic}");
            assert_eq!(is_for_mqtt_alone(topic.as_bytes()), is_for_mqtt, "{topic}");
        }
        assert!(!is_for_mqtt_alone(b"jobs/get"));
    }

    proptest! {
        #[test]
        fn an_accepted_topic_is_one_safe_path_segment(topic in "\\PC{0,300}") {
            if let Ok(encoded) = encode_topic(&topic) {
                prop_assert!(!encoded.contains(['/', '?', '#', '+', ' ']));
                prop_assert!(encoded != "." && encoded != "..");
            }
        }
    }
}
