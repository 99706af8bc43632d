//! What reaches AWS is what was given, byte for byte, over either port.

use thingpost_emulator::{AwsConnections, Device, Disposition, Listener};
use thingpost_host::runtime::types::{Cause, Delivery, Receipt, Retry, Stage, TopicError};
use thingpost_host::{AWS_HTTPS_WITH_CERTIFICATE, Alpn, Pool, Route};
use tokio::task::JoinSet;

use crate::fixtures::aws::{AwsCloud, ENDPOINT, platform};
use crate::fixtures::deadline::within;
use crate::fixtures::host::{identity, options, roots, try_open};
use crate::fixtures::message::{at_least_once, at_most_once, patterned};

#[tokio::test]
async fn a_message_over_port_8443_is_in_the_ledger_as_the_device_sent_it() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let receipt = publisher.publish(&at_least_once("devices/7/up", b"21.5 C")).await.unwrap().unwrap();

        let entry = cloud.only_entry();
        assert_eq!(entry.topic.as_deref(), Some("devices/7/up"));
        assert_eq!(entry.payload, b"21.5 C");
        assert_eq!(entry.listener, Listener::AwsMutualTls);
        let device = Device::Certificate {
            fingerprint: cloud.device.fingerprint.clone(),
            common_name: Some("thermometer-7".to_owned()),
        };
        assert_eq!(entry.device, Some(device));
        assert_eq!(entry.header("host"), Some(format!("{ENDPOINT}:8443").as_str()));
        assert_eq!(entry.header("content-length"), Some("6"));

        let Disposition::Accepted { id } = entry.disposition else { panic!("{:?}", entry.disposition) };
        assert_eq!(entry.trace_id.as_ref(), Some(&id));
        assert_eq!(receipt, Receipt { message_id: None, trace_id: Some(id), attempts: 1 });
    })
    .await;
}

#[tokio::test]
async fn on_port_443_the_host_offers_the_protocol_of_aws_by_itself_or_as_it_is_told() {
    within(async {
        for alpn in [Alpn::Automatic, Alpn::Offer(vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()])] {
            let cloud = AwsCloud::start().await;
            let mut publisher = cloud.open(443, cloud.route().alpn(alpn), &options()).await;
            publisher.publish(&at_least_once("devices/7/up", b"21.5")).await.unwrap().unwrap();
            let entry = cloud.only_entry();
            assert_eq!(entry.listener, Listener::AwsAlpn);
            assert!(entry.disposition.is_accepted());
            assert_eq!(entry.header("host"), Some(ENDPOINT));
        }
    })
    .await;
}

#[tokio::test]
async fn every_topic_arrives_as_one_path_segment_and_unchanged() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let long = "é".repeat(128);
        for (topic, segment) in [
            ("a/b", "a%2Fb"),
            ("living room/air quality", "living%20room%2Fair%20quality"),
            ("größe/温度/🌡", "gr%C3%B6%C3%9Fe%2F%E6%B8%A9%E5%BA%A6%2F%F0%9F%8C%A1"),
            ("50%/a%2Fb/%", "50%25%2Fa%252Fb%2F%25"),
            ("/leading", "%2Fleading"),
            ("//", "%2F%2F"),
            ("a//b", "a%2F%2Fb"),
            ("trailing/", "trailing%2F"),
            ("question?x=1&qos=7", "question%3Fx%3D1%26qos%3D7"),
            ("a&b=c;d", "a%26b%3Dc%3Bd"),
            ("a/../b/./c", "a%2F..%2Fb%2F.%2Fc"),
            ("!*'():@=,\"<>[]{}|\\^`~-_.", "%21%2A%27%28%29%3A%40%3D%2C%22%3C%3E%5B%5D%7B%7D%7C%5C%5E%60~-_."),
            ("$aws/rules/store/a/b/c/d/e/f/g/h", "%24aws%2Frules%2Fstore%2Fa%2Fb%2Fc%2Fd%2Fe%2Ff%2Fg%2Fh"),
            (long.as_str(), "%C3%A9".repeat(128).as_str()),
        ] {
            cloud.emulator.ledger().clear();
            publisher.publish(&at_least_once(topic, topic)).await.unwrap().unwrap();
            let entry = cloud.only_entry();
            assert_eq!(entry.target, format!("/topics/{segment}?qos=1"));
            assert_eq!(entry.topic.as_deref(), Some(topic));
            assert_eq!(entry.payload, topic.as_bytes());
            assert!(entry.disposition.is_accepted(), "{entry:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_quality_of_service_is_that_of_the_message() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for (message, qos) in [(at_most_once("a", b"0"), 0), (at_least_once("a", b"1"), 1)] {
            cloud.emulator.ledger().clear();
            publisher.publish(&message).await.unwrap().unwrap();
            let entry = cloud.only_entry();
            assert_eq!(entry.qos, Some(qos));
            assert!(entry.target.ends_with(&format!("?qos={qos}")), "{}", entry.target);
            assert!(!entry.retain);
        }
    })
    .await;
}

#[tokio::test]
async fn payloads_from_nothing_to_128_kb_arrive_whole() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let all_bytes: Vec<u8> = (0..=255).collect();
        for payload in [vec![], all_bytes, patterned(65_537), patterned(131_072)] {
            cloud.emulator.ledger().clear();
            publisher.publish(&at_least_once("a", payload.clone())).await.unwrap().unwrap();
            let entry = cloud.only_entry();
            assert!(entry.payload == payload, "{} bytes became {}", payload.len(), entry.payload.len());
            assert_eq!(entry.header("content-length"), Some(payload.len().to_string().as_str()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_payload_of_one_byte_more_is_refused_without_a_connection() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let error = publisher.publish(&at_least_once("a", patterned(131_073))).await.unwrap().unwrap_err();
        assert_eq!(error.cause, Cause::PayloadTooLarge);
        assert_eq!((error.stage, error.delivery, error.retry), (Stage::Preparation, Delivery::NotSent, Retry::Never));
        assert_eq!((error.attempts, error.answer), (0, None));
        assert!(error.explanation.contains("131072"), "{}", error.explanation);
        assert_eq!(cloud.emulator.connections(), AwsConnections::default());
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_cannot_arrive_is_refused_without_a_connection() {
    use TopicError as P;
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for (topic, problem) in [
            ("", P::Empty),
            (".", P::DotSegment),
            ("..", P::DotSegment),
            ("a/+", P::Wildcard),
            ("a/#", P::Wildcard),
            ("a\0b", P::ControlCharacter),
            ("a\r\nb", P::ControlCharacter),
            ("a/b/c/d/e/f/g/h/i", P::TooManySlashes),
            ("a".repeat(257).as_str(), P::TooLong),
            ("$SYS/broker", P::Reserved),
            ("$aws/rules//x", P::Reserved),
        ] {
            let error = publisher.publish(&at_least_once(topic, b"x")).await.unwrap().unwrap_err();
            assert_eq!(error.cause, Cause::InvalidTopic(problem), "{topic:?}");
            assert_eq!((error.delivery, error.retry, error.attempts), (Delivery::NotSent, Retry::Never, 0));
            assert!(error.explanation.contains("topic"), "{}", error.explanation);
        }
        assert_eq!(cloud.emulator.connections(), AwsConnections::default());
    })
    .await;
}

#[tokio::test]
async fn messages_one_after_the_other_share_a_connection() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for index in 0..20_u8 {
            publisher.publish(&at_least_once("a", [index])).await.unwrap().unwrap();
        }
        assert_eq!(cloud.emulator.ledger().accepted().len(), 20);
        assert_eq!(cloud.connections(), 1);
    })
    .await;
}

#[tokio::test]
async fn forty_devices_of_one_host_publish_at_once_and_each_in_its_own_name() {
    const DEVICES: usize = 40;
    within(async {
        let cloud = AwsCloud::start().await;
        // Nothing but the identity tells their connections apart.
        let (pool, roots) = (Pool::default(), roots(&cloud.authority));
        let mut publishing = JoinSet::new();
        for _ in 0..DEVICES {
            let device = cloud.authority.issue_device("one-of-forty");
            cloud.emulator.register(&device);
            let route = Route::new(ENDPOINT, roots.clone()).identity(identity(&device));
            let transport = cloud.transport_over(pool.clone(), route);
            publishing.spawn(async move {
                let mut publisher = try_open(transport, &platform(8443), &options(), None).await.unwrap();
                for _ in 0..3 {
                    let message = at_most_once("a", device.fingerprint.as_bytes());
                    publisher.publish(&message).await.unwrap().unwrap();
                }
            });
        }
        publishing.join_all().await;

        let accepted = cloud.emulator.ledger().accepted();
        assert_eq!(accepted.len(), 3 * DEVICES);
        for entry in accepted {
            let Some(Device::Certificate { fingerprint, .. }) = entry.device else { panic!("{entry:?}") };
            assert_eq!(fingerprint.as_bytes(), entry.payload);
        }
        assert_eq!(cloud.connections(), DEVICES as u64);
    })
    .await;
}

#[tokio::test]
async fn a_device_of_aws_has_no_session_and_takes_none() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        publisher.publish(&at_least_once("a", b"x")).await.unwrap().unwrap();
        assert_eq!(publisher.credential().await.unwrap(), None);
        let opened = try_open(cloud.transport(cloud.route()), &platform(8443), &options(), Some("{}")).await;
        assert!(opened.err().unwrap().contains("session"));
    })
    .await;
}
