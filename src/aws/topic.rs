//! Which topics AWS takes over HTTPS. The gateway answers a wrong one with a 400 at best; some it silently turns into
//! another topic.

use alloc::string::String;

use crate::field::Field;
use crate::topic::{SEGMENT, TopicProblem, check_common, check_size, is_dot_segment, push_segment};

/// Limits of the message broker, without the prefix of Basic Ingest.
const MAX_BYTES: usize = 256;
const MAX_SLASHES: usize = 7;

/// The longest name of a rule.
const MAX_RULE: usize = 128;

/// What precedes the name of a rule: such a message goes to the rule and to no subscriber.
const BASIC_INGEST: &[u8] = b"$aws/rules/";

/// The topic as one percent-encoded path segment, if AWS can take it.
pub fn encode_topic(topic: &str) -> Result<String, TopicProblem> {
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
pub(super) fn check_topic(topic: &str) -> Result<(), TopicProblem> {
    check_common(topic)?;
    let topic = topic.as_bytes();
    if is_dot_segment(topic) {
        return Err(TopicProblem::DotSegment);
    }
    if topic.starts_with(b"$") && !may_be_published_to(topic) {
        return Err(TopicProblem::Reserved);
    }
    check_limits(topic)
}

/// Counts against the limits of the message broker.
pub(super) fn check_limits(topic: &[u8]) -> Result<(), TopicProblem> {
    if topic.strip_prefix(BASIC_INGEST).is_some_and(|rest| rest.split(is_slash).next().is_some_and(is_too_long)) {
        return Err(TopicProblem::TooLong);
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

/// The families of reserved topics that AWS takes over HTTPS.
fn may_be_published_to(reserved: &[u8]) -> bool {
    if let Some(rule_and_rest) = reserved.strip_prefix(BASIC_INGEST) {
        return !matches!(rule_and_rest.first(), None | Some(b'/'));
    }
    if let Some(thing_and_rest) = reserved.strip_prefix(b"$aws/things/") {
        let family = thing_and_rest.split(is_slash).nth(1);
        return !matches!(family, None | Some(b"" | b"jobs" | b"defender"));
    }
    [&b"$aws/certificates/"[..], b"$aws/provisioning-templates/", b"$aws/device_location/"]
        .iter()
        .any(|family| reserved.starts_with(family))
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
        use TopicProblem as P;
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
        assert_eq!(encode_topic(&"a".repeat(257)), Err(TopicProblem::TooLong));
        assert!(encode_topic(&"é".repeat(128)).is_ok());
        assert_eq!(encode_topic(&"é".repeat(129)), Err(TopicProblem::TooLong));
    }

    #[test]
    fn does_not_count_the_prefix_of_basic_ingest() {
        assert!(encode_topic("a/b/c/d/e/f/g/h").is_ok());
        assert!(encode_topic("$aws/rules/rule/a/b/c/d/e/f/g/h").is_ok());
        assert_eq!(encode_topic("$aws/rules/rule/a/b/c/d/e/f/g/h/i"), Err(TopicProblem::TooManySlashes));
        assert!(encode_topic(&format!("$aws/rules/rule/{}", "a".repeat(256))).is_ok());
        assert!(encode_topic("$aws/rules/rule").is_ok());
        assert!(encode_topic(&format!("$aws/rules/{}/a", "r".repeat(128))).is_ok());
        assert_eq!(encode_topic(&format!("$aws/rules/{}/a", "r".repeat(129))), Err(TopicProblem::TooLong));
    }

    #[test]
    fn refuses_the_reserved_families_that_https_refuses() {
        for topic in [
            "$SYS/broker",
            "$aws/events/presence/connected/x",
            "$aws/commands/things/x/executions/1/response/json",
            "$aws/things/x/jobs/get",
            "$aws/things/x/defender/metrics/json",
            "$aws/things/x",
            "$aws/things/",
            "$aws/rules/",
            "$aws/rules//x",
            "$mine",
        ] {
            assert_eq!(encode_topic(topic), Err(TopicProblem::Reserved), "{topic}");
        }
        for topic in [
            "$aws/things/x/shadow/update",
            "$aws/certificates/create/json",
            "$aws/provisioning-templates/t/provision/json",
        ] {
            assert!(encode_topic(topic).is_ok(), "{topic}");
        }
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
