//! Which topics the platform takes. It answers a wrong one with "param error", or with a redirect to an error page.

use alloc::string::String;

use percent_encoding::AsciiSet;

use crate::topic::{SEGMENT, TopicError, check_common, check_size, is_dot_segment, push_segment};

/// Limits of the platform for a whole topic.
const MAX_BYTES: usize = 128;
const MAX_SLASHES: usize = 7;

/// A device name may have `@` and `:`, both fine in a path and expected as they are.
const LEVEL: &AsciiSet = &SEGMENT.remove(b'@').remove(b':');

/// The topic as the rest of a path, if the platform can take it. Its slashes are those of the URL.
pub(super) fn encode_path(topic: &str) -> Result<String, TopicError> {
    check_common(topic)?;
    let topic = topic.as_bytes();
    if topic.contains(&b'?') {
        return Err(TopicError::Query);
    }
    if topic.windows(2).any(|pair| pair == b"${") {
        return Err(TopicError::Placeholder);
    }
    let Some(levels) = topic.strip_prefix(b"/") else {
        return Err(TopicError::NotAbsolute);
    };
    check_size(topic, MAX_BYTES, MAX_SLASHES)?;
    let mut path = String::new();
    for level in levels.split(|byte| *byte == b'/') {
        if level.is_empty() {
            return Err(TopicError::EmptyLevel);
        }
        if is_dot_segment(level) {
            return Err(TopicError::DotSegment);
        }
        path.push('/');
        push_segment(&mut path, level, LEVEL);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_legal_topic_stands_in_the_path_as_it_is() {
        for topic in ["/pk/dn/user/update", "/sys/pk/dn/thing/event/property/post", "/pk/d-n_@.:1/user/x"] {
            assert_eq!(encode_path(topic).as_deref(), Ok(topic));
        }
        assert_eq!(encode_path("/pk/dn/user/é %40").as_deref(), Ok("/pk/dn/user/%C3%A9%20%2540"));
    }

    #[test]
    fn refuses_what_cannot_arrive() {
        use TopicError as P;
        for (topic, problem) in [
            ("", P::Empty),
            ("pk/dn/user/update", P::NotAbsolute),
            ("/pk//user", P::EmptyLevel),
            ("/pk/dn/", P::EmptyLevel),
            ("/pk/../dn", P::DotSegment),
            ("/pk/dn/user/+", P::Wildcard),
            ("/pk/dn/user/x?y=1", P::Query),
            ("/pk/dn/\nuser", P::ControlCharacter),
            ("/pk/${deviceName}/user/update", P::Placeholder),
            ("/a/b/c/d/e/f/g/h", P::TooManySlashes),
        ] {
            assert_eq!(encode_path(topic), Err(problem), "{topic:?}");
        }
        assert!(encode_path(&format!("/{}", "a".repeat(127))).is_ok());
        assert_eq!(encode_path(&format!("/{}", "a".repeat(128))), Err(P::TooLong));
    }

    proptest! {
        #[test]
        fn an_accepted_topic_stays_within_its_path(topic in "/\\PC{0,130}") {
            if let Ok(path) = encode_path(&topic) {
                prop_assert!(!path.contains(['?', '#', ' ']) && path.is_ascii());
                prop_assert_eq!(path.matches('/').count(), topic.matches('/').count());
            }
        }
    }
}
