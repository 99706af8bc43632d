//! What a message of AWS has beside its topic and its payload, be it for a topic or for one client.

use clap::{Args, ValueEnum};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QosLevel {
    #[value(name = "0")]
    AtMostOnce,
    #[value(name = "1")]
    AtLeastOnce,
}

/// The properties of MQTT 5.
#[derive(Args)]
pub struct PropertyArgs {
    /// What the message is, such as application/json
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
    /// Where a response is to go
    #[arg(long, value_name = "TOPIC")]
    pub response_topic: Option<String>,
    /// After how many seconds nobody wants the message any more. AWS takes more than 604800 (7 days) for that
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub message_expiry: Option<u32>,
    /// Whether the message is text
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub payload_format: Option<PayloadFormat>,
    /// What tells the receiver of a response which message it belongs to
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub correlation_data: Option<String>,
    /// A property of your own; may be repeated, also with the same name
    #[arg(long = "user-property", value_name = "NAME=VALUE", allow_hyphen_values = true, value_parser = parse_pair)]
    pub user_properties: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PayloadFormat {
    /// It is text in UTF-8
    Utf8,
    /// Nothing is said about it
    Bytes,
}

/// `NAME=VALUE`.
pub(in crate::args) fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("give NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_ends_its_name_at_the_first_equals_sign() {
        let property = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(parse_pair("a=b=c"), property("a", "b=c"));
        assert_eq!(parse_pair("a="), property("a", ""));
        assert!(parse_pair("=b").is_err() && parse_pair("ab").is_err());
    }
}
