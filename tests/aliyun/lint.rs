//! Most of what the platform answers with two words can be seen before: a topic of another device, a name with a blank.
//! What cannot work is not sent.

use thingpost_host::runtime::types::{AliyunConfig, Cause, Delivery, Stage, TopicError};

use crate::fixtures::aliyun::{AliyunCloud, DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, config};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, at_most_once};

#[tokio::test]
async fn a_topic_of_another_device_is_refused_before_anything_is_sent() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for topic in [
            format!("/{PRODUCT_KEY}/thermometer-8/user/update"),
            format!("/a1GFjLP3xxD/{DEVICE_NAME}/user/update"),
            format!("/{DEVICE_NAME}/{PRODUCT_KEY}/user/update"),
            format!("/{PRODUCT_KEY}/user/{DEVICE_NAME}/update"),
            format!("/{PRODUCT_KEY}x/{DEVICE_NAME}/user/update"),
            format!("/{PRODUCT_KEY}/{DEVICE_NAME}x/user/update"),
            format!("/{}/{DEVICE_NAME}/user/update", PRODUCT_KEY.to_lowercase()),
            format!("/sys/{PRODUCT_KEY}/thermometer-8/thing/event/property/post"),
            format!("/sys/a1GFjLP3xxD/{DEVICE_NAME}/thing/event/property/post"),
            "/user/update".to_owned(),
            "/broadcast/everybody/x".to_owned(),
        ] {
            for message in [at_least_once(&topic, b"x"), at_most_once(&topic, b"x")] {
                let error = publisher.publish(&message).await.unwrap().unwrap_err();
                assert_eq!(error.cause, Cause::InvalidTopic(TopicError::OtherDevice), "{topic}");
                assert_eq!((error.stage, error.delivery), (Stage::Preparation, Delivery::NotSent), "{topic}");
                assert!(error.explanation.contains("/<product key>/<device name>/"), "{}", error.explanation);
            }
        }
        let placeholder = at_least_once("/${productKey}/${deviceName}/user/update", b"x");
        let error = publisher.publish(&placeholder).await.unwrap().unwrap_err();
        assert_eq!(error.cause, Cause::InvalidTopic(TopicError::Placeholder));
        assert_eq!(cloud.emulator.connections().accepted, 0);
    })
    .await;
}

#[tokio::test]
async fn all_families_of_topics_of_the_device_itself_are_taken() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for topic in [
            format!("/{PRODUCT_KEY}/{DEVICE_NAME}/user/update"),
            format!("/{PRODUCT_KEY}/{DEVICE_NAME}/update"),
            format!("/sys/{PRODUCT_KEY}/{DEVICE_NAME}/thing/event/property/post"),
            format!("/ota/device/inform/{PRODUCT_KEY}/{DEVICE_NAME}"),
            format!("/shadow/update/{PRODUCT_KEY}/{DEVICE_NAME}"),
        ] {
            publisher.publish(&at_least_once(&topic, b"{}")).await.unwrap().unwrap();
        }
        assert_eq!(cloud.emulator.ledger().accepted().len(), 5);
    })
    .await;
}

#[tokio::test]
async fn names_with_characters_that_the_platform_never_gives_out_are_refused_at_open_by_one_line() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let device = |name: &str| (AliyunConfig { device_name: name.to_owned(), ..config() }, "device name");
        let product = |key: &str| (AliyunConfig { product_key: key.to_owned(), ..config() }, "product key");
        for (config, named) in [
            device(""),
            device("thermo meter"),
            device("größe-1"),
            device("a/b/c/d"),
            device("a#b+"),
            device("a?b=c"),
            device("a%20b"),
            device("therm\t7"),
            device("therm\u{feff}7"),
            device(" thermometer-7"),
            device("${deviceName}"),
            product(""),
            product("a1-GFjLP3"),
            product("a1_GFjLP3"),
            product("a1GFjLP3\n"),
            product("\u{feff}a1GFjLP3"),
            product("a1GFjLP3xxC/thermometer-7"),
            product("${productKey}"),
        ] {
            let shown = format!("{config:?}");
            let problem = cloud.try_open(config, &options(), None).await.err().unwrap_or_else(|| panic!("{shown}"));
            assert!(problem.contains(named) && !problem.contains('\n'), "{shown}: {problem}");
            assert!(!problem.contains(DEVICE_SECRET));
        }
        assert_eq!(cloud.emulator.connections().accepted, 0);
    })
    .await;
}

#[tokio::test]
async fn names_with_every_character_that_it_does_give_out_publish() {
    within(async {
        let cloud = AliyunCloud::start().await;
        for name in ["A-b_c@d.e:7", "00:1B:44:11:3A:B7", "1234", "x", &"x".repeat(33)] {
            cloud.emulator.add_device(PRODUCT_KEY, name, DEVICE_SECRET);
            let config = AliyunConfig { device_name: name.to_owned(), ..config() };
            let mut publisher = cloud.open(config, &options(), None).await;
            let topic = format!("/{PRODUCT_KEY}/{name}/user/update");
            publisher.publish(&at_least_once(&topic, b"x")).await.unwrap().unwrap();
        }
        assert_eq!(cloud.emulator.ledger().accepted().len(), 5);
    })
    .await;
}
