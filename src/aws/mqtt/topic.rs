//! Over MQTT a topic is no path, so `.` and `..` are topics like any other, and of what AWS reserves nearly everything
//! is open. What is not allowed AWS answers by closing the connection, and a client that reconnects and sends it again
//! is thrown out forever.

use crate::aws::topic::{check_limits, check_reserved};
use crate::field::Field;
use crate::message::RequestError;
use crate::topic::{TopicError, check_common, check_filter as check_form};

/// What precedes the group and the filter of a shared subscription.
const SHARED: &str = "$share/";

/// Whether AWS can take it.
pub(super) fn check_topic(topic: &str) -> Result<(), TopicError> {
    check_common(topic)?;
    check_reserved(topic.as_bytes())?;
    check_limits(topic.as_bytes())
}

/// Whether AWS can take it. Of a shared subscription only what follows the group counts against the limits.
pub(super) fn check_filter(filter: &str) -> Result<(), RequestError> {
    let filter = match filter.strip_prefix(SHARED).map(|shared| shared.split_once('/')) {
        None => filter,
        Some(Some((group, filter))) if !group.is_empty() && !has_wildcard_or_control(group) => filter,
        Some(_) => return Err(Field::TopicFilter.into()),
    };
    check_form(filter)?;
    check_reserved(filter.as_bytes())?;
    Ok(check_limits(filter.as_bytes())?)
}

fn has_wildcard_or_control(text: &str) -> bool {
    text.chars().any(|character| matches!(character, '+' | '#') || character.is_control())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_what_https_takes_and_more() {
        for topic in [
            "a/b",
            "/records",
            "a//b/",
            "sensor data/é",
            ".",
            "..",
            "a/../b",
            "a$/b",
            "$aws/things/x/shadow/update",
            "$aws/things/x/jobs/get",
            "$aws/things/x/defender/metrics/json",
            "$aws/commands/things/x/executions/1/response/json",
            "$aws/certificates/create/json",
            "$aws/rules/r",
            "$aws/rules/r/a/b/c/d/e/f/g/h",
            &"a".repeat(256),
        ] {
            assert_eq!(check_topic(topic), Ok(()), "{topic}");
        }
    }

    #[test]
    fn refuses_topics_that_would_end_the_connection() {
        use TopicError as P;
        for (topic, problem) in [
            ("", P::Empty),
            ("a/+/b", P::Wildcard),
            ("a/#", P::Wildcard),
            ("a\0b", P::ControlCharacter),
            ("$SYS/broker", P::Reserved),
            ("$mine", P::Reserved),
            ("$", P::Reserved),
            ("$aws", P::Reserved),
            ("$aws/", P::Reserved),
            ("$aws/rules/", P::Reserved),
            ("$aws/rules//a", P::Reserved),
            ("$share/g/a", P::Reserved),
            ("a/b/c/d/e/f/g/h/i", P::TooManySlashes),
            ("$aws/rules/r/a/b/c/d/e/f/g/h/i", P::TooManySlashes),
            (&"é".repeat(129), P::TooLong),
        ] {
            assert_eq!(check_topic(topic), Err(problem), "{topic:?}");
        }
    }

    #[test]
    fn takes_every_filter_that_the_broker_takes() {
        for filter in [
            "a/b",
            "#",
            "+",
            "/",
            "/+",
            "a//b",
            "+/a/+/#",
            "a b/é",
            "$aws/things/+/shadow/name/+/update/accepted",
            "$aws/things/x/jobs/notify-next",
            "$aws/events/presence/connected/#",
            "$share/group/a/+/#",
            "$share/group/#",
            "$share/group//a",
            "$share/group/a/b/c/d/e/f/g/h",
            "a/b/c/d/e/f/g/#",
            &"a".repeat(256),
            &["$share/group/", &"a".repeat(256)].concat(),
        ] {
            assert_eq!(check_filter(filter), Ok(()), "{filter}");
        }
    }

    #[test]
    fn refuses_filters_that_would_end_the_connection() {
        let malformed = RequestError::InvalidField(Field::TopicFilter);
        let invalid = RequestError::InvalidTopic;
        for (filter, problem) in [
            ("", malformed),
            ("a/#/b", malformed),
            ("#/", malformed),
            ("##", malformed),
            ("a#", malformed),
            ("a/b+", malformed),
            ("++/a", malformed),
            ("a\0b", malformed),
            ("a/\n", malformed),
            ("$share/", malformed),
            ("$share/group", malformed),
            ("$share/group/", malformed),
            ("$share//a", malformed),
            ("$share/gr+up/a", malformed),
            ("$share/#", malformed),
            ("$share/gr\nup/a", malformed),
            ("$share/group/a/#/b", malformed),
            ("$share/group/$share/group/a", invalid(TopicError::Reserved)),
            ("$share", invalid(TopicError::Reserved)),
            ("$SYS/#", invalid(TopicError::Reserved)),
            ("$mine/a", invalid(TopicError::Reserved)),
            ("a/b/c/d/e/f/g/h/#", invalid(TopicError::TooManySlashes)),
            ("$share/group/a/b/c/d/e/f/g/h/#", invalid(TopicError::TooManySlashes)),
            (&"a".repeat(257), invalid(TopicError::TooLong)),
        ] {
            assert_eq!(check_filter(filter), Err(problem), "{filter:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_checked_without_a_panic(text in any::<String>()) {
            let _ = (check_topic(&text), check_filter(&text));
        }

        #[test]
        fn a_topic_is_a_filter_of_itself(topic in "[ab/$é .]{0,12}") {
            if check_topic(&topic).is_ok() {
                prop_assert_eq!(check_filter(&topic), Ok(()));
            }
        }

        #[test]
        fn an_accepted_filter_has_wildcards_as_levels_alone(filter in "(\\$share/g/)?[a+#/]{0,8}") {
            if check_filter(&filter).is_ok() {
                let levels: Vec<_> = filter.split('/').collect();
                for (place, level) in levels.iter().enumerate() {
                    prop_assert!(level.len() == 1 || !level.contains(['+', '#']));
                    prop_assert!(*level != "#" || place + 1 == levels.len());
                }
            }
        }
    }
}
