//! SDKs send a topic as one path segment with `%2F`, people with curl send raw slashes, and AWS takes both. What the
//! topic then is, and whether AWS would take it, is worked out here from the raw bytes of the path alone.

use super::answer::Refusal;
use crate::percent;

const MAX_BYTES: usize = 256;
const MAX_SLASHES: usize = 7;

/// The part of a path that names the topic. Nothing when the path is not one for publishing.
pub(super) fn encoded(path: &str) -> Option<&str> {
    path.strip_prefix("/topics/").filter(|encoded| !encoded.is_empty())
}

/// The topic itself.
pub(super) fn decode(encoded: &str) -> Result<String, Refusal> {
    // Everything between a device and the service removes dot segments, escaped or not, so such a path arrives as
    // another one. A dot segment next to an escaped slash is part of a longer segment, and safe.
    let is_dots = |segment: &str| matches!(percent::decode(segment).as_deref(), Some("." | ".."));
    if encoded.split('/').any(is_dots) {
        return Err(Refusal::NOT_FOUND);
    }
    percent::decode(encoded).ok_or(Refusal::invalid("Invalid topic"))
}

/// What AWS checks of a topic in a publication over HTTPS.
pub(super) fn check(topic: &str) -> Result<(), Refusal> {
    if !is_publishable(topic) {
        return Err(Refusal::invalid("Invalid topic"));
    }
    if topic.starts_with('$') {
        return check_reserved(topic);
    }
    Ok(())
}

/// Whether a topic is one that a message can have, whichever way it comes.
pub(crate) fn is_publishable(topic: &str) -> bool {
    let counted = without_basic_ingest(topic);
    counted.len() <= MAX_BYTES && counted.matches('/').count() <= MAX_SLASHES && !topic.contains(['+', '#', '\0'])
}

/// The topic without `$aws/rules/<rule>/`, which counts neither as bytes nor as slashes.
fn without_basic_ingest(topic: &str) -> &str {
    match topic.strip_prefix("$aws/rules/").and_then(|rest| rest.split_once('/')) {
        Some((rule, rest)) if !rule.is_empty() => rest,
        _ => topic,
    }
}

fn check_reserved(topic: &str) -> Result<(), Refusal> {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels[..] {
        ["$aws", "rules", rule, ..] if !rule.is_empty() => Ok(()),
        ["$aws", "things", _, "jobs" | "defender", ..] | ["$aws", "commands" | "events", ..] => {
            Err(Refusal::invalid("Invalid publish to restricted topic using HTTP"))
        }
        ["$aws", "things", thing, _, ..] if !thing.is_empty() => Ok(()),
        ["$aws", "certificates" | "provisioning-templates" | "device_location", _, ..] => Ok(()),
        _ => Err(Refusal::invalid("Topic can't start with $")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str) -> Option<String> {
        check(topic).err()?.message.map(Into::into)
    }

    #[test]
    fn one_segment_and_raw_slashes_name_the_same_topic() {
        for path in ["/topics/a%2Fb", "/topics/a/b", "/topics/a%2fb"] {
            assert_eq!(decode(encoded(path).unwrap()).unwrap(), "a/b");
        }
        assert_eq!(encoded("/topics/"), None);
        assert_eq!(encoded("/topic/a"), None);
    }

    #[test]
    fn a_leading_slash_is_kept_and_a_plus_stays_a_plus() {
        assert_eq!(decode("%2Frecords").unwrap(), "/records");
        assert_eq!(decode("/records").unwrap(), "/records");
        assert_eq!(decode("a+b").unwrap(), "a+b");
        assert_eq!(decode("a%252Fb").unwrap(), "a%2Fb");
    }

    #[test]
    fn dot_segments_name_another_path_and_dots_beside_escaped_slashes_do_not() {
        for encoded in [".", "..", "%2E%2e", "a/../b"] {
            assert_eq!(decode(encoded).unwrap_err(), Refusal::NOT_FOUND);
        }
        assert_eq!(decode("a%2F..%2Fb").unwrap(), "a/../b");
    }

    #[test]
    fn the_limits_are_256_bytes_and_7_slashes() {
        assert_eq!(message(&"é".repeat(128)).as_deref(), None);
        assert_eq!(message(&format!("{}x", "é".repeat(128))).as_deref(), Some("Invalid topic"));
        assert_eq!(message("1/2/3/4/5/6/7/8").as_deref(), None);
        assert_eq!(message("1/2/3/4/5/6/7/8/9").as_deref(), Some("Invalid topic"));
    }

    #[test]
    fn basic_ingest_does_not_count_its_prefix() {
        assert_eq!(message("$aws/rules/r/1/2/3/4/5/6/7/8").as_deref(), None);
        assert_eq!(message("$aws/rules/r/1/2/3/4/5/6/7/8/9").as_deref(), Some("Invalid topic"));
        assert_eq!(message(&format!("$aws/rules/r/{}", "x".repeat(256))).as_deref(), None);
        assert_eq!(message("$aws/rules/r").as_deref(), None);
    }

    #[test]
    fn wildcards_are_not_published_to() {
        for topic in ["a/+", "a/#", "+", "a+b"] {
            assert_eq!(message(topic).as_deref(), Some("Invalid topic"), "{topic}");
        }
    }

    #[test]
    fn reserved_topics_are_taken_only_where_aws_takes_them() {
        for topic in ["$aws/things/t/shadow/update", "$aws/certificates/create/json"] {
            assert_eq!(message(topic).as_deref(), None, "{topic}");
        }
        for topic in ["$aws/things/t/jobs/get", "$aws/things/t/defender/metrics/json", "$aws/events/x"] {
            assert_eq!(message(topic).as_deref(), Some("Invalid publish to restricted topic using HTTP"), "{topic}");
        }
        for topic in ["$SYS/x", "$mine", "$aws", "$aws/rules/", "$aws/rules"] {
            assert_eq!(message(topic).as_deref(), Some("Topic can't start with $"), "{topic}");
        }
    }
}
