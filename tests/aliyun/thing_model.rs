//! Over HTTPS the platform says nothing of what the thing model has dropped. So what is posted is read here as the thing
//! model reads it, and what it would drop must not get that far.

use serde_json::{Value, json};
use thingpost_emulator::{AliyunThingKind, AliyunThingPost};
use thingpost_host::runtime::types::{AliyunConfig, Event, Field, Message, Property, RequestError};

use crate::fixtures::aliyun::{AliyunCloud, config};
use crate::fixtures::deadline::within;

fn property(identifier: &str, value: &str, time_ms: Option<u64>) -> Property {
    Property { identifier: identifier.to_owned(), value: value.to_owned(), time_ms }
}

fn event(identifier: &str, value: &str) -> Event {
    Event { identifier: identifier.to_owned(), value: value.to_owned(), time_ms: None }
}

/// What the thing model has read once these messages are published.
async fn read(cloud: &AliyunCloud, messages: &[Message]) -> Vec<AliyunThingPost> {
    let mut publisher = cloud.publisher().await;
    let before = cloud.emulator.thing_model().len();
    for message in messages {
        let receipt = publisher.publish(message).await.unwrap().unwrap();
        let post = cloud.emulator.thing_model().pop().unwrap();
        assert_eq!(Some(post.message_id), receipt.message_id);
        assert_eq!(
            (post.violations.as_slice(), post.version.as_deref(), post.ack),
            (&[][..], Some("1.0"), Some(false))
        );
    }
    cloud.emulator.thing_model().split_off(before)
}

#[tokio::test]
async fn properties_arrive_with_their_values_and_times_and_break_no_rule() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let properties = [
            ("Temperature", json!(21.5), None),
            ("switch_1", json!("on \"quoted\" größe"), Some(1_700_000_000_000)),
            ("light:Colour", json!({"red": 1, "green": [2, null], "blue": true}), None),
            ("Position", json!({"x": -0.5, "y": 1e9}), Some(0)),
            ("Nothing", json!(null), None),
            ("Count", json!(u64::MAX), Some(u64::from(u32::MAX))),
        ];
        let given: Vec<Property> =
            properties.iter().map(|(name, value, time_ms)| property(name, &value.to_string(), *time_ms)).collect();
        let mut publisher = cloud.publisher().await;
        let messages = publisher.property_post(&config(), 7, &given).await.unwrap().unwrap();
        let posts = read(&cloud, &messages).await;
        let [post] = &posts[..] else { panic!("{posts:?}") };
        assert_eq!((post.kind, post.id.as_deref()), (AliyunThingKind::Properties, Some("7")));
        assert_eq!(post.method.as_deref(), Some("thing.event.property.post"));
        assert_eq!(post.values.len(), properties.len());
        for (name, value, time_ms) in &properties {
            let read = post.values.iter().find(|read| read.identifier == *name).unwrap();
            assert_eq!((&read.value, read.time_ms), (value, *time_ms), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn four_hundred_and_one_properties_go_in_three_messages_and_none_is_missing() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let properties: Vec<Property> =
            (0..401).map(|index| property(&format!("p{index}"), &index.to_string(), None)).collect();
        let mut publisher = cloud.publisher().await;
        for (first_id, ids) in [(1, ["1", "2", "3"]), (u32::MAX - 1, ["4294967294", "4294967295", "0"])] {
            let messages = publisher.property_post(&config(), first_id, &properties).await.unwrap().unwrap();
            let posts = read(&cloud, &messages).await;
            assert_eq!(posts.iter().map(|post| post.values.len()).collect::<Vec<_>>(), [200, 200, 1]);
            assert_eq!(posts.iter().map(|post| post.id.clone().unwrap()).collect::<Vec<_>>(), ids);
            let mut values: Vec<u64> =
                posts.iter().flat_map(|post| &post.values).map(|value| value.value.as_u64().unwrap()).collect();
            values.sort_unstable();
            assert_eq!(values, (0..401).collect::<Vec<u64>>());
        }
        assert_eq!(publisher.property_post(&config(), 1, &[]).await.unwrap().unwrap(), []);
        let exactly = publisher.property_post(&config(), 1, &properties[..400]).await.unwrap().unwrap();
        assert_eq!(exactly.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_event_arrives_with_its_output_and_its_time() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for (identifier, value, time_ms) in [
            ("alarm", json!({"level": 3, "text": "größe \"1\""}), Some(1_700_000_000_000)),
            ("door_open", json!({}), None),
        ] {
            let given = Event { time_ms, ..event(identifier, &value.to_string()) };
            let message = publisher.event_post(&config(), 9, &given).await.unwrap().unwrap();
            let post = read(&cloud, &[message]).await.remove(0);
            assert_eq!((post.kind, post.id.as_deref()), (AliyunThingKind::Event, Some("9")));
            let method = format!("thing.event.{identifier}.post");
            assert_eq!(post.method.as_deref(), Some(method.as_str()));
            assert_eq!(post.values.len(), 1);
            assert_eq!((&post.values[0].value, post.values[0].time_ms), (&value, time_ms));
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_thing_model_would_drop_is_refused_before_it_is_a_message() {
    use RequestError::{InvalidField, PayloadTooLarge};
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let (identifier, value) = (Field::Identifier, Field::PropertyValue);
        for (bad, field) in [
            (property("", "1", None), identifier),
            (property(&"x".repeat(51), "1", None), identifier),
            (property("a b", "1", None), identifier),
            (property("größe", "1", None), identifier),
            (property("a\"b", "1", None), identifier),
            (property("a", "", None), value),
            (property("a", "21,5", None), value),
            (property("a", "{", None), value),
            (property("a", "{}}", None), value),
            (property("a", "NaN", None), value),
            (property("a", "01", None), value),
            (property("a", "on", None), value),
            (property("a", "1,\"b\":2", None), value),
            (property("a", "\"\n\"", None), value),
        ] {
            let properties = [property("good", "1", None), bad.clone()];
            let problem = publisher.property_post(&config(), 1, &properties).await.unwrap();
            assert_eq!(problem, Err(InvalidField(field)), "{bad:?}");
        }
        let large = [property("a", &format!("\"{}\"", "x".repeat(131_072)), None)];
        assert_eq!(publisher.property_post(&config(), 1, &large).await.unwrap(), Err(PayloadTooLarge));
        for (bad, field) in [
            (event("", "{}"), identifier),
            (event("a/b", "{}"), identifier),
            (event("a", ""), Field::EventValue),
            (event("a", "1"), Field::EventValue),
            (event("a", "[]"), Field::EventValue),
            (event("a", "{}{}"), Field::EventValue),
            (event("a", "{\"x\":}"), Field::EventValue),
        ] {
            let problem = publisher.event_post(&config(), 1, &bad).await.unwrap();
            assert_eq!(problem, Err(InvalidField(field)), "{bad:?}");
        }
        let stranger = AliyunConfig { device_name: "a/b".to_owned(), ..config() };
        let problem = publisher.event_post(&stranger, 1, &event("a", "{}")).await.unwrap().unwrap_err();
        let RequestError::InvalidConfiguration(text) = problem else { panic!("{problem:?}") };
        assert!(text.contains("device name"), "{text}");
        assert_eq!(cloud.emulator.connections().accepted, 0);
    })
    .await;
}

#[tokio::test]
async fn an_event_that_is_called_property_does_not_become_properties() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let problem = publisher.event_post(&config(), 1, &event("property", "{}")).await.unwrap();
        assert_eq!(problem, Err(RequestError::InvalidField(Field::Identifier)));
    })
    .await;
}

#[tokio::test]
async fn a_property_that_is_posted_twice_is_not_lost_in_one_message() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let twice = [property("a", "1", Some(1)), property("a", "2", Some(2))];
        // Refused, or in two messages; a JSON object has room for one of them.
        if let Ok(messages) = publisher.property_post(&config(), 1, &twice).await.unwrap() {
            let posts = read(&cloud, &messages).await;
            let values: Vec<&Value> = posts.iter().flat_map(|post| &post.values).map(|value| &value.value).collect();
            assert_eq!(values, [&json!(1), &json!(2)]);
        }
    })
    .await;
}
