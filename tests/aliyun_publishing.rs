//! What reaches Aliyun is what was given, in the name of the device, with as few tokens as possible.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use thingpost_emulator::{Device, TokenForm};
use thingpost_host::runtime::types::{AliyunConfig, Cause, Delivery, SignMethod, TimestampPolicy, TopicError};

use crate::fixtures::agreement::is_receipt_of;
use crate::fixtures::aliyun::{AliyunCloud, DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, TOPIC, config};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, patterned};

#[tokio::test]
async fn every_sign_method_is_accepted_with_and_without_the_time() {
    within(async {
        let cloud = AliyunCloud::start().await;
        for sign_method in [SignMethod::HmacMd5, SignMethod::HmacSha1, SignMethod::HmacSha256] {
            for timestamp in [TimestampPolicy::None, TimestampPolicy::Now] {
                let config = AliyunConfig { sign_method, timestamp, ..config() };
                let mut publisher = cloud.open(config, &options(), None).await;
                publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
            }
        }
        assert_eq!(cloud.emulator.authentications(), 6);
        assert_eq!(cloud.emulator.ledger().accepted().len(), 6);
    })
    .await;
}

#[tokio::test]
async fn a_client_id_is_signed_as_it_is_given() {
    within(async {
        let cloud = AliyunCloud::start().await;
        for client_id in ["00:1B:44:11:3A:B7", "größe \"1\"", &"x".repeat(64)] {
            let config = AliyunConfig { client_id: Some(client_id.to_owned()), ..config() };
            let mut publisher = cloud.open(config, &options(), None).await;
            publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
        }
        assert_eq!(cloud.emulator.authentications(), 3);

        let too_long = AliyunConfig { client_id: Some("x".repeat(65)), ..config() };
        let problem = cloud.try_open(too_long, &options(), None).await.err().unwrap();
        assert!(problem.contains("client id"), "{problem}");
    })
    .await;
}

#[tokio::test]
async fn a_message_is_in_the_ledger_as_the_device_sent_it_and_its_number_is_exact() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for payload in [vec![], b"21.5 C".to_vec(), patterned(131_072)] {
            cloud.emulator.ledger().clear();
            let receipt = publisher.publish(&at_least_once(TOPIC, payload.clone())).await.unwrap().unwrap();
            let entry = cloud.only_entry();
            assert_eq!(entry.topic.as_deref(), Some(TOPIC));
            assert_eq!(entry.target, format!("/topic{TOPIC}"));
            assert!(entry.payload == payload);
            let device = Device::Aliyun { product_key: PRODUCT_KEY.to_owned(), device_name: DEVICE_NAME.to_owned() };
            assert_eq!(entry.device, Some(device));
            // A double would have rounded it.
            assert!(receipt.message_id.unwrap() > 1 << 53);
            assert!(receipt.trace_id.is_some());
            assert!(is_receipt_of(&receipt, &entry), "{receipt:?} {entry:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_topic_of_the_device_stands_in_the_path_and_a_bad_one_opens_no_connection() {
    use TopicError as P;
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let own = |rest: &str| format!("/{PRODUCT_KEY}/{DEVICE_NAME}/{rest}");
        for (topic, problem) in [
            (own("user/+"), P::Wildcard),
            (own("user/a?b"), P::Query),
            (own("user/"), P::EmptyLevel),
            (own("user/../x"), P::DotSegment),
            (own("a/b/c/d/e/f"), P::TooManySlashes),
            (own(&"x".repeat(128)), P::TooLong),
            (TOPIC[1..].to_owned(), P::NotAbsolute),
            (String::new(), P::Empty),
        ] {
            let error = publisher.publish(&at_least_once(&topic, b"x")).await.unwrap().unwrap_err();
            assert_eq!((error.cause, error.delivery), (Cause::InvalidTopic(problem), Delivery::NotSent), "{topic}");
        }
        let error = publisher.publish(&at_least_once(TOPIC, patterned(131_073))).await.unwrap().unwrap_err();
        assert_eq!((error.cause, error.delivery), (Cause::PayloadTooLarge, Delivery::NotSent));
        assert_eq!(cloud.emulator.connections().accepted, 0);

        for topic in [own("user/Größe & co %"), format!("/sys/{PRODUCT_KEY}/{DEVICE_NAME}/thing/event/property/post")]
        {
            cloud.emulator.ledger().clear();
            publisher.publish(&at_least_once(&topic, b"x")).await.unwrap().unwrap();
            assert_eq!(cloud.only_entry().topic, Some(topic));
        }
    })
    .await;
}

#[tokio::test]
async fn one_token_serves_many_messages_over_servers_that_close_and_over_servers_that_do_not() {
    within(async {
        for (keep_alive, connections) in [(false, 31), (true, 1)] {
            let cloud = AliyunCloud::start_with(keep_alive, TokenForm::Hex).await;
            let mut publisher = cloud.publisher().await;
            for index in 0..30_u8 {
                publisher.publish(&at_least_once(TOPIC, [index])).await.unwrap().unwrap();
            }
            assert_eq!(cloud.emulator.authentications(), 1);
            assert_eq!(cloud.emulator.ledger().accepted().len(), 30);
            assert_eq!(cloud.emulator.connections().accepted, connections);
        }
    })
    .await;
}

#[tokio::test]
async fn answers_with_a_capital_info_are_read_as_well() {
    within(async {
        let cloud = AliyunCloud::start().await;
        cloud.emulator.answer_with_capital_info(true);
        let mut publisher = cloud.publisher().await;
        let receipt = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
        assert!(is_receipt_of(&receipt, &cloud.only_entry()));
    })
    .await;
}

#[tokio::test]
async fn a_session_of_one_instance_saves_the_next_one_its_authentication() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut first = cloud.publisher().await;
        assert_eq!(first.credential().await.unwrap(), None);
        first.publish(&at_least_once(TOPIC, b"1")).await.unwrap().unwrap();
        let session = first.credential().await.unwrap().unwrap();
        assert!(!session.contains(DEVICE_SECRET));
        drop(first);

        let mut second = cloud.open(config(), &options(), Some(&session)).await;
        second.publish(&at_least_once(TOPIC, b"2")).await.unwrap().unwrap();
        assert_eq!(second.credential().await.unwrap(), Some(session));
        assert_eq!(cloud.emulator.authentications(), 1);
        assert_eq!(cloud.emulator.ledger().accepted().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_session_of_another_device_or_of_nobody_is_refused_when_the_publisher_is_opened() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        publisher.publish(&at_least_once(TOPIC, b"1")).await.unwrap().unwrap();
        let session = publisher.credential().await.unwrap().unwrap();

        let other = AliyunConfig { device_name: "thermometer-8".to_owned(), ..config() };
        let problem = cloud.try_open(other, &options(), Some(&session)).await.err().unwrap();
        assert!(problem.contains("another device"), "{problem}");
        for text in ["", "{}", "not a session"] {
            let problem = cloud.try_open(config(), &options(), Some(text)).await.err().unwrap();
            assert!(problem.contains("session"), "{problem}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_that_says_when_it_ends_is_renewed_before_a_message_finds_out() {
    within(async {
        let cloud = AliyunCloud::start_with(false, TokenForm::ThreeParts).await;
        cloud.emulator.set_token_lifetime(Duration::from_secs(60));
        let mut first = cloud.publisher().await;
        first.publish(&at_least_once(TOPIC, b"1")).await.unwrap().unwrap();
        let session = first.credential().await.unwrap().unwrap();

        // Fresh: it is used.
        let mut second = cloud.open(config(), &options(), Some(&session)).await;
        second.publish(&at_least_once(TOPIC, b"2")).await.unwrap().unwrap();
        assert_eq!(cloud.emulator.authentications(), 1);

        // The same token as if it were an hour old: a minute is left, less than a tenth of its life.
        let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let mut aged: Value = serde_json::from_str(&session).unwrap();
        aged["obtainedUnixMs"] = json!(now_ms - 60 * 60 * 1000);
        let mut third = cloud.open(config(), &options(), Some(&aged.to_string())).await;
        third.publish(&at_least_once(TOPIC, b"3")).await.unwrap().unwrap();
        assert_eq!(cloud.emulator.authentications(), 2);
        assert_eq!(cloud.refusals(), Vec::<String>::new());
        assert_eq!(cloud.emulator.ledger().accepted().len(), 3);
        assert_ne!(third.credential().await.unwrap(), Some(session));
    })
    .await;
}
