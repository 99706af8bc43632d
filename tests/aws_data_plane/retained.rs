//! The messages that topics keep, read by a client that cannot subscribe.

use std::time::{SystemTime, UNIX_EPOCH};

use thingpost_emulator::AwsConnections;
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{Cause, Field, Message, Page, Properties, Qos, RetainedEntry, TopicError};

use super::{FIRST_PAGE, assert_found_before, assert_refused, page_of};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::message::{at_least_once, at_most_once, patterned};

fn kept(message: Message) -> Message {
    Message { retain: true, ..message }
}

fn pairs() -> Vec<(String, String)> {
    [("name", "1"), ("name", "2"), ("", "🌡 \"é\""), ("a", "")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

#[tokio::test]
async fn a_retained_message_is_read_as_it_was_published() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for topic in ["a/b", "living room/50%", "größe/温度/🌡", "/leading//and/trailing/", "a/../b", "!*'()~", "?&="]
        {
            let properties = Properties { user_properties: pairs(), ..Properties::default() };
            let message = Message { properties: Some(properties), ..kept(at_least_once(topic, patterned(300))) };
            let before = unix_ms();
            publisher.publish(&message).await.unwrap().unwrap();
            let after = unix_ms();
            let read = publisher.aws().get_retained_message(topic).await.unwrap().unwrap();
            assert_eq!((read.topic.as_str(), &read.payload, read.qos), (topic, &message.payload, Qos::AtLeastOnce));
            assert_eq!(read.user_properties, pairs());
            assert!((before..=after).contains(&read.last_modified_ms), "{before} {} {after}", read.last_modified_ms);
        }
        let plain = kept(at_most_once("plain", b"\0\xff"));
        publisher.publish(&plain).await.unwrap().unwrap();
        let read = publisher.aws().get_retained_message("plain").await.unwrap().unwrap();
        assert_eq!(
            (read.payload.as_slice(), read.qos, read.user_properties.len()),
            (&b"\0\xff"[..], Qos::AtMostOnce, 0)
        );
    })
    .await;
}

fn unix_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn a_topic_that_keeps_nothing_is_told_as_such() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        publisher.publish(&kept(at_least_once("a", b"x"))).await.unwrap().unwrap();
        publisher.publish(&kept(at_least_once("a", b""))).await.unwrap().unwrap();
        publisher.publish(&at_least_once("b", b"x")).await.unwrap().unwrap();
        for topic in ["a", "b", "never heard of"] {
            let error = publisher.aws().get_retained_message(topic).await.unwrap().unwrap_err();
            assert_refused(&error, Cause::NotFound, 404);
            assert!(error.explanation.contains("the topic has kept no message"), "{}", error.explanation);
        }
    })
    .await;
}

async fn all(publisher: &mut Publisher, size: Option<u32>) -> (Vec<RetainedEntry>, usize) {
    let (mut entries, mut parts) = (Vec::new(), 0);
    let mut page = Page { size, token: None };
    loop {
        let part = publisher.aws().list_retained_messages(&page).await.unwrap().unwrap();
        entries.extend(part.entries);
        parts += 1;
        match part.next {
            Some(next) => page = Page { size, token: Some(next) },
            None => return (entries, parts),
        }
    }
}

#[tokio::test]
async fn the_topics_that_keep_a_message_are_listed_in_parts() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        assert_eq!(all(&mut publisher, None).await.0.len(), 0);
        let topics: Vec<String> = (0..205).map(|index| format!("rooms/{index:03} é %")).collect();
        let messages: Vec<Message> =
            topics.iter().enumerate().map(|(index, topic)| kept(at_least_once(topic, patterned(index + 1)))).collect();
        assert!(publisher.publish_all(&messages).await.unwrap().iter().all(Result::is_ok));

        for (size, parts) in [(Some(1), 205), (Some(50), 5), (Some(200), 2), (None, 2)] {
            let (entries, count) = all(&mut publisher, size).await;
            assert_eq!(count, parts, "{size:?}");
            let listed: Vec<&String> = entries.iter().map(|entry| &entry.topic).collect();
            assert_eq!(listed, topics.iter().collect::<Vec<_>>(), "{size:?}");
            for (index, entry) in entries.iter().enumerate() {
                assert_eq!((entry.payload_size, entry.qos), (index as u64 + 1, Qos::AtLeastOnce));
                assert!(entry.last_modified_ms > 1_700_000_000_000);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn topics_and_pages_that_cannot_be_are_refused_without_a_connection() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for (topic, problem) in [
            ("", TopicError::Empty),
            ("a/+", TopicError::Wildcard),
            ("#", TopicError::Wildcard),
            ("..", TopicError::DotSegment),
            ("a\0", TopicError::ControlCharacter),
        ] {
            let error = publisher.aws().get_retained_message(topic).await.unwrap().unwrap_err();
            assert_found_before(&error, Cause::InvalidTopic(problem));
        }
        for size in [0, 201] {
            let error = publisher.aws().list_retained_messages(&page_of(size, None)).await.unwrap().unwrap_err();
            assert_found_before(&error, Cause::InvalidField(Field::PageSize));
        }
        assert_eq!(cloud.emulator.connections(), AwsConnections::default());
        // A foreign token is for AWS to judge.
        let page = Page { token: Some("no token of AWS".to_owned()), ..FIRST_PAGE };
        let error = publisher.aws().list_retained_messages(&page).await.unwrap().unwrap_err();
        assert_refused(&error, Cause::InvalidRequest, 400);
    })
    .await;
}
