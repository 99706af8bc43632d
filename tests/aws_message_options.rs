//! Beside topic and payload a message for AWS can be kept by its topic, go to a rule, and bring the properties of MQTT 5
//! along. Some of that travels in the query and some in headers, some of it in base64; what counts is what the other side
//! makes of it.

use thingpost_emulator::{AwsConnections, Connections, Retained};
use thingpost_host::runtime::types::{
    Cause, Delivery, Error, Field, Message, PayloadFormat, Properties, Retry, Stage, TopicError,
};

use crate::fixtures::aliyun::{AliyunCloud, TOPIC};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, at_most_once, patterned};
use crate::fixtures::ways::Way;

fn retained(topic: &str, payload: impl Into<Vec<u8>>) -> Message {
    Message { retain: true, ..at_least_once(topic, payload) }
}

fn with(properties: Properties) -> Message {
    Message { properties: Some(properties), ..at_least_once("devices/7/up", b"21.5") }
}

fn for_rule(rule: &str, topic: &str) -> Message {
    Message { rule: Some(rule.to_owned()), ..at_least_once(topic, b"21.5") }
}

/// Everything at once, with what is hard to carry.
fn everything() -> Properties {
    Properties {
        content_type: Some("application/json; charset=\"utf-8\" é".to_owned()),
        response_topic: Some("answers/größe/50% & more?".to_owned()),
        message_expiry_s: Some(604_800),
        payload_format: Some(PayloadFormat::Utf8Data),
        correlation_data: Some((0..=255).collect()),
        user_properties: [
            ("name", "value"),
            ("name", "another value of the same name"),
            ("", ""),
            ("quotes \" and \\", "🌡 {\"a\":[1]}"),
            ("z", "before a"),
            ("a", "after z"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
    }
}

#[tokio::test]
async fn a_topic_keeps_the_last_retained_message_until_an_empty_one_clears_it() {
    within(async {
        for way in Way::ALL {
            let cloud = AwsCloud::start_for_everybody().await;
            let mut publisher = cloud.open_way(way, &options()).await;
            let kept =
                |topic: &str, payload: &[u8], qos| Retained { topic: topic.to_owned(), payload: payload.to_vec(), qos };
            publisher.publish(&retained("room 1/é", b"first")).await.unwrap().unwrap();
            assert!(cloud.only_entry().retain, "{way:?}");
            let at_most_once = Message { retain: true, ..at_most_once("room 2", b"other") };
            publisher.publish(&at_most_once).await.unwrap().unwrap();
            publisher.publish(&retained("room 1/é", b"second")).await.unwrap().unwrap();
            // Passes by, and leaves what is kept.
            publisher.publish(&at_least_once("room 1/é", b"third")).await.unwrap().unwrap();
            publisher.publish(&at_least_once("room 1/é", b"")).await.unwrap().unwrap();
            let both = [kept("room 1/é", b"second", 1), kept("room 2", b"other", 0)];
            assert_eq!(cloud.emulator.retained(), both, "{way:?}");

            publisher.publish(&retained("room 1/é", b"")).await.unwrap().unwrap();
            assert_eq!(cloud.emulator.retained(), [kept("room 2", b"other", 0)], "{way:?}");
            publisher.publish(&retained("room 2", patterned(131_072))).await.unwrap().unwrap();
            assert_eq!(cloud.emulator.retained(), [kept("room 2", &patterned(131_072), 1)], "{way:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_property_of_mqtt_5_arrives_as_it_was_given() {
    within(async {
        for way in Way::ALL {
            let cloud = AwsCloud::start_for_everybody().await;
            let mut publisher = cloud.open_way(way, &options()).await;
            publisher.publish(&with(everything())).await.unwrap().unwrap();
            let (entry, given) = (cloud.only_entry(), everything());
            assert_eq!(entry.topic.as_deref(), Some("devices/7/up"), "{way:?}");
            assert_eq!(entry.payload, b"21.5", "{way:?}");
            assert_eq!(entry.content_type, given.content_type, "{way:?}");
            assert_eq!(entry.response_topic, given.response_topic, "{way:?}");
            assert_eq!(entry.message_expiry, given.message_expiry_s, "{way:?}");
            assert_eq!(entry.payload_format_indicator.as_deref(), Some("UTF8_DATA"), "{way:?}");
            assert_eq!(entry.correlation_data, given.correlation_data, "{way:?}");
            assert_eq!(entry.user_properties, given.user_properties, "{way:?}");
            // MQTT's content type is not that of HTTP.
            assert_eq!(entry.header("content-type"), Some("application/octet-stream"), "{way:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_not_given_is_not_sent() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let none = Properties::default();
        let one_each = [
            none.clone(),
            Properties { content_type: Some(String::new()), ..none.clone() },
            Properties { response_topic: Some("r".to_owned()), ..none.clone() },
            Properties { message_expiry_s: Some(0), ..none.clone() },
            Properties { message_expiry_s: Some(u32::MAX), ..none.clone() },
            Properties { payload_format: Some(PayloadFormat::UnspecifiedBytes), ..none.clone() },
            Properties { correlation_data: Some(Vec::new()), ..none.clone() },
            Properties { user_properties: vec![("a".to_owned(), "b".to_owned())], ..none },
        ];
        for given in one_each {
            cloud.emulator.ledger().clear();
            publisher.publish(&with(given.clone())).await.unwrap().unwrap();
            let entry = cloud.only_entry();
            let format = given.payload_format.map(|_| "UNSPECIFIED_BYTES".to_owned());
            assert_eq!(entry.content_type, given.content_type, "{given:?}");
            assert_eq!(entry.response_topic, given.response_topic, "{given:?}");
            assert_eq!(entry.message_expiry, given.message_expiry_s, "{given:?}");
            assert_eq!(entry.payload_format_indicator, format, "{given:?}");
            assert_eq!(entry.correlation_data, given.correlation_data, "{given:?}");
            assert_eq!(entry.user_properties, given.user_properties, "{given:?}");
            assert!(!entry.retain, "{given:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_for_a_rule_is_delivered_though_there_is_no_such_rule() {
    within(async {
        let longest = format!("1/2/3/4/5/6/7/{}", "x".repeat(242));
        let longest_rule = "r".repeat(128);
        for way in Way::ALL {
            let cloud = AwsCloud::start_for_everybody().await;
            let mut publisher = cloud.open_way(way, &options()).await;
            for (rule, topic, arrives_at) in [
                ("store", "devices/7/up", "$aws/rules/store/devices/7/up".to_owned()),
                ("store", "", "$aws/rules/store".to_owned()),
                ("store", "/leading", "$aws/rules/store//leading".to_owned()),
                ("Store_2", "é %/~", "$aws/rules/Store_2/é %/~".to_owned()),
                (&longest_rule, &longest, format!("$aws/rules/{longest_rule}/{longest}")),
            ] {
                cloud.emulator.ledger().clear();
                publisher.publish(&for_rule(rule, topic)).await.unwrap().unwrap();
                let entry = cloud.only_entry();
                assert_eq!(entry.topic, Some(arrives_at), "{way:?}");
                assert!(entry.disposition.is_accepted(), "{entry:?}");
            }
        }
    })
    .await;
}

/// Found before anything is sent, and told so.
fn assert_found_before(error: &Error, cause: Cause) {
    assert_eq!(error.cause, cause, "{error:?}");
    assert_eq!((error.stage, error.delivery, error.retry), (Stage::Preparation, Delivery::NotSent, Retry::Never));
    assert_eq!((error.attempts, &error.answer), (0, &None));
    assert!(!error.explanation.is_empty());
}

fn invalid() -> Vec<(Message, Cause, &'static str)> {
    let none = Properties::default;
    let field = Cause::InvalidField;
    let content_type = |text: &str| with(Properties { content_type: Some(text.to_owned()), ..none() });
    let response_topic = |text: &str| with(Properties { response_topic: Some(text.to_owned()), ..none() });
    let user_property = |name: &str, value: &str| {
        let pairs = vec![("good".to_owned(), "good".to_owned()), (name.to_owned(), value.to_owned())];
        with(Properties { user_properties: pairs, ..none() })
    };
    let too_long = "r".repeat(129);
    vec![
        (for_rule("", "a"), field(Field::RuleName), "rule"),
        (for_rule("a-b", "a"), field(Field::RuleName), "rule"),
        (for_rule("a/b", "a"), field(Field::RuleName), "rule"),
        (for_rule("é", "a"), field(Field::RuleName), "rule"),
        (for_rule(&too_long, "a"), field(Field::RuleName), "rule"),
        (for_rule("store", "a/+"), Cause::InvalidTopic(TopicError::Wildcard), "topic"),
        (for_rule("store", "1/2/3/4/5/6/7/8/9"), Cause::InvalidTopic(TopicError::TooManySlashes), "topic"),
        (for_rule("store", &"x".repeat(257)), Cause::InvalidTopic(TopicError::TooLong), "topic"),
        (content_type("text/plain\r\nx-amz-date: 1"), field(Field::ContentType), "content type"),
        (content_type("\u{85}"), field(Field::ContentType), "content type"),
        (response_topic(""), field(Field::ResponseTopic), "response topic"),
        (response_topic("a/+"), field(Field::ResponseTopic), "response topic"),
        (response_topic("a/#"), field(Field::ResponseTopic), "response topic"),
        (response_topic("a\0"), field(Field::ResponseTopic), "response topic"),
        (user_property("a\n", "b"), field(Field::UserProperty), "user property"),
        (user_property("a", "b\0"), field(Field::UserProperty), "user property"),
    ]
}

#[tokio::test]
async fn an_option_that_aws_would_refuse_is_refused_and_named_without_a_connection() {
    within(async {
        for way in Way::ALL {
            let cloud = AwsCloud::start_for_everybody().await;
            let mut publisher = cloud.open_way(way, &options()).await;
            for (message, cause, named) in invalid() {
                let error = publisher.publish(&message).await.unwrap().unwrap_err();
                assert_found_before(&error, cause);
                assert!(error.explanation.contains(named), "{}", error.explanation);
            }
            assert_eq!(cloud.emulator.connections(), AwsConnections::default(), "{way:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn in_a_batch_only_the_bad_ones_are_refused() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let mut messages = Vec::new();
        for (message, _, _) in invalid() {
            messages.extend([message, with(everything())]);
        }
        let outcomes = publisher.publish_all(&messages).await.unwrap();
        for (index, outcome) in outcomes.iter().enumerate() {
            assert_eq!(outcome.is_ok(), index % 2 == 1, "{index}: {outcome:?}");
        }
        assert_eq!(cloud.emulator.ledger().entries().len(), messages.len() / 2);
    })
    .await;
}

#[tokio::test]
async fn none_of_it_can_be_had_on_aliyun_and_nothing_is_sent() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let plain = at_least_once(TOPIC, b"x");
        for message in [
            Message { retain: true, ..plain.clone() },
            Message { retain: true, payload: Vec::new(), ..plain.clone() },
            Message { rule: Some("store".to_owned()), ..plain.clone() },
            Message { properties: Some(everything()), ..plain.clone() },
            Message { properties: Some(Properties::default()), ..plain.clone() },
        ] {
            let error = publisher.publish(&message).await.unwrap().unwrap_err();
            assert_found_before(&error, Cause::Unsupported);
        }
        assert_eq!(cloud.emulator.connections(), Connections::default());
        publisher.publish(&plain).await.unwrap().unwrap();
    })
    .await;
}
