//! A topic travels in a URL, and that is where most clients lose it: they leave a space or a `#` as it is, turn a
//! space into `+` (a wildcard), clean `//` away, or resolve `..`, and the message lands on another topic or nowhere.
//! So topics are checked before any network use, and there is one percent-encoder.

#[cfg(any(feature = "aliyun", feature = "aws", test))]
use alloc::string::String;
use core::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use crate::field::Field;

/// Everything but the unreserved characters of RFC 3986: what the AWS SDKs escape in a path label.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is wrong with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopicError {
    /// It has no characters.
    Empty,
    /// It is, or has a level that is, `.` or `..`. URL parsers resolve those, even percent-encoded.
    DotSegment,
    /// It has too many bytes.
    TooLong,
    /// It has too many slashes.
    TooManySlashes,
    /// It has a `+` or a `#`.
    Wildcard,
    /// It has a control character.
    ControlCharacter,
    /// It begins with `$` and is not below `$aws/`, or names no rule there (AWS).
    Reserved,
    /// It does not begin with `/` (Aliyun).
    NotAbsolute,
    /// It has an empty level (Aliyun).
    EmptyLevel,
    /// It has a `?` (Aliyun).
    Query,
    /// It is a topic of another device (Aliyun).
    OtherDevice,
    /// It has a `${..}`, as the console shows topic classes (Aliyun).
    Placeholder,
}

impl TopicError {
    /// What is wrong, in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Empty => "the topic is empty",
            Self::DotSegment => {
                "a topic cannot be `.` or `..`: that is resolved as a path on the way and never arrives"
            }
            Self::TooLong => {
                "the topic is too long: AWS takes 256 bytes, Aliyun 128, and no packet of MQTT more than 65,535"
            }
            Self::TooManySlashes => "the topic has more than 7 slashes",
            Self::Wildcard => "the topic has a `+` or a `#`, which are for subscribing only",
            Self::ControlCharacter => "the topic has a control character",
            Self::Reserved => "topics that begin with `$` are reserved, and this one is not of a family below `$aws/`",
            Self::NotAbsolute => "the topic does not begin with `/`",
            Self::EmptyLevel => "the topic has an empty level: two slashes in a row, or one at the end",
            Self::Query => "the topic has a `?`",
            Self::OtherDevice => "the topic is not one of this device: its product key and device name are not in it",
            Self::Placeholder => "the topic has a `${` in it: write the name that it stands for",
        }
    }
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for TopicError {}

/// What holds on every platform.
///
/// # Errors
///
/// An empty topic, a control character, or a wildcard.
pub fn check_common(topic: &str) -> Result<(), TopicError> {
    if topic.is_empty() {
        return Err(TopicError::Empty);
    }
    if topic.chars().any(char::is_control) {
        return Err(TopicError::ControlCharacter);
    }
    if topic.bytes().any(|byte| matches!(byte, b'+' | b'#')) {
        return Err(TopicError::Wildcard);
    }
    Ok(())
}

/// What a topic filter is on every platform: `+` and `#` are levels of their own, and nothing follows a `#`.
///
/// # Errors
///
/// [`Field::TopicFilter`] for all that breaks these rules.
pub fn check_filter(filter: &str) -> Result<(), Field> {
    if filter.is_empty() || filter.chars().any(char::is_control) {
        return Err(Field::TopicFilter);
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let is_last = levels.peek().is_none();
        let is_well_formed = match level {
            "+" => true,
            "#" => is_last,
            _ => !level.bytes().any(|byte| matches!(byte, b'+' | b'#')),
        };
        if !is_well_formed {
            return Err(Field::TopicFilter);
        }
    }
    Ok(())
}

/// Whether a URL parser would take this path segment for a step in the tree.
pub fn is_dot_segment(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

/// Counts against the limits of a platform.
///
/// # Errors
///
/// The limit that is exceeded.
pub fn check_size(counted: &[u8], max_bytes: usize, max_slashes: usize) -> Result<(), TopicError> {
    if counted.len() > max_bytes {
        return Err(TopicError::TooLong);
    }
    let slashes = counted.iter().filter(|byte| **byte == b'/').count();
    if slashes > max_slashes {
        return Err(TopicError::TooManySlashes);
    }
    Ok(())
}

/// Percent-encodes text onto a path as one segment: a `/` becomes `%2F`, a space `%20`.
#[cfg(any(feature = "aliyun", feature = "aws", test))]
pub(crate) fn push_segment(path: &mut String, text: &[u8], escaped: &'static AsciiSet) {
    path.extend(percent_encoding::percent_encode(text, escaped));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode_segment(text: &str) -> String {
        let mut path = String::new();
        push_segment(&mut path, text.as_bytes(), SEGMENT);
        path
    }

    /// Its own decoder, so that an error of the encoder's library cannot hide behind its counterpart.
    fn decode(encoded: &str) -> Vec<u8> {
        let mut bytes = encoded.bytes();
        let mut decoded = Vec::new();
        while let Some(byte) = bytes.next() {
            if byte == b'%' {
                let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                assert!(hex.iter().all(|digit| digit.is_ascii_digit() || (b'A'..=b'F').contains(digit)));
                decoded.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
            } else {
                assert!(byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte), "{byte} stands raw");
                decoded.push(byte);
            }
        }
        decoded
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_decodes_to_itself(topic in any::<String>()) {
            prop_assert_eq!(decode(&encode_segment(&topic)), topic.as_bytes());
        }
    }

    #[test]
    fn encodes_as_the_aws_sdks_do_on_the_wire() {
        let topic = "sensor data/é+~_-.!*()'&=:@,;$x%41";
        let on_the_wire = "sensor%20data%2F%C3%A9%2B~_-.%21%2A%28%29%27%26%3D%3A%40%2C%3B%24x%2541";
        assert_eq!(encode_segment(topic), on_the_wire);
    }
}
