//! The state machine in the hands of a foreign host: the outcomes are those of the publisher, because everything that
//! decides about them is the same.

use std::fmt::Debug;

use thingpost_emulator::{Break, DeviceCertificate, Fault};
use thingpost_host::runtime::types as ours;

use crate::bindings::sans_io::exports::thingpost::iot::aliyun_types::{
    Config as AliyunConfig, Signer, TimestampPolicy,
};
use crate::bindings::sans_io::exports::thingpost::iot::aws_types::{
    Authentication as AwsAuthentication, Config as AwsConfig,
};
use crate::bindings::sans_io::exports::thingpost::iot::types::{
    Cause, Delivery, Message, Options, Qos, SignMethod, Stage, TransportErrorKind,
};
use crate::fixtures::aliyun::{self, AliyunCloud, DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, TOPIC};
use crate::fixtures::aws::{self, AwsCloud};
use crate::fixtures::blocking_http::{BlockingHttp, tls};
use crate::fixtures::deadline::within;
use crate::fixtures::foreign_host::{Done, ForeignHost, Platform, never_asked};
use crate::fixtures::host::options as our_options;

fn host_for_aws(cloud: &AwsCloud, device: Option<&DeviceCertificate>) -> ForeignHost {
    let address = cloud.emulator.addr_mutual_tls();
    ForeignHost { client: BlockingHttp { tls: tls(&cloud.authority, device), address }, signer: never_asked }
}

fn host_for_aliyun(cloud: &AliyunCloud) -> ForeignHost {
    let client = BlockingHttp { tls: tls(&cloud.authority, None), address: cloud.emulator.addr() };
    ForeignHost { client, signer: never_asked }
}

fn aws_platform() -> Platform {
    Platform::Aws(AwsConfig {
        endpoint: aws::ENDPOINT.to_owned(),
        port: 8443,
        authentication: AwsAuthentication::Certificate,
    })
}

fn aliyun_platform(device_secret: &str) -> Platform {
    Platform::Aliyun(AliyunConfig {
        endpoint: aliyun::ENDPOINT.to_owned(),
        port: 443,
        product_key: PRODUCT_KEY.to_owned(),
        device_name: DEVICE_NAME.to_owned(),
        signer: Signer::DeviceSecret(device_secret.to_owned()),
        client_id: None,
        sign_method: SignMethod::HmacSha1,
        timestamp: TimestampPolicy::Now,
    })
}

fn options() -> Options {
    let ours::Options { timeout_ms, connect_timeout_ms, backoff_base_ms, backoff_max_ms, .. } = our_options();
    let (max_attempts, max_in_flight) = (None, Some(4));
    Options { timeout_ms, connect_timeout_ms, max_attempts, backoff_base_ms, backoff_max_ms, max_in_flight }
}

fn messages(topic: &str, qos: Qos, count: usize) -> Vec<Message> {
    (0..count).map(|index| Message::new(topic, format!("{index}").into_bytes(), qos)).collect()
}

/// Off the thread that the emulator runs on: this host blocks.
async fn run(host: ForeignHost, platform: Platform, credential: Option<String>, messages: Vec<Message>) -> Done {
    let running = move || host.run(&platform, options(), credential.as_deref(), &messages).unwrap();
    tokio::task::spawn_blocking(running).await.unwrap()
}

#[tokio::test]
async fn a_foreign_host_publishes_to_aws() {
    within(async {
        let cloud = AwsCloud::start().await;
        let host = host_for_aws(&cloud, Some(&cloud.device));
        let done = run(host, aws_platform(), None, messages("a/b", Qos::AtMostOnce, 20)).await;
        assert_eq!((done.outcomes.len(), done.credential), (20, None));
        let accepted = cloud.emulator.ledger().accepted();
        assert_eq!(accepted.len(), 20);
        for (index, outcome) in done.outcomes.iter().enumerate() {
            let receipt = outcome.as_ref().unwrap();
            let entry = accepted.iter().find(|entry| entry.trace_id == receipt.trace_id).unwrap();
            assert_eq!(entry.payload, format!("{index}").as_bytes());
            assert_eq!(entry.topic.as_deref(), Some("a/b"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_foreign_host_publishes_to_aliyun_with_one_token_that_it_can_keep() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let platform = || aliyun_platform(DEVICE_SECRET);
        let first = run(host_for_aliyun(&cloud), platform(), None, messages(TOPIC, Qos::AtMostOnce, 20)).await;
        assert!(first.outcomes.iter().all(|outcome| outcome.as_ref().is_ok_and(|receipt| receipt.attempts == 1)));
        let second = messages(TOPIC, Qos::AtMostOnce, 5);
        let second = run(host_for_aliyun(&cloud), platform(), first.credential.clone(), second).await;
        assert!(second.outcomes.iter().all(Result::is_ok));
        assert_eq!(second.credential, first.credential);
        assert_eq!(cloud.emulator.authentications(), 1);
        assert_eq!(cloud.emulator.ledger().accepted().len(), 25);
    })
    .await;
}

#[tokio::test]
async fn an_expired_token_is_replaced_once_and_every_message_arrives_once() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let platform = || aliyun_platform(DEVICE_SECRET);
        let first = run(host_for_aliyun(&cloud), platform(), None, messages(TOPIC, Qos::AtMostOnce, 1)).await;
        cloud.emulator.expire_tokens();
        cloud.emulator.ledger().clear();

        let again = messages(TOPIC, Qos::AtMostOnce, 20);
        let again = run(host_for_aliyun(&cloud), platform(), first.credential.clone(), again).await;
        assert!(again.outcomes.iter().all(Result::is_ok), "{:?}", again.outcomes);
        assert_ne!(again.credential, first.credential);
        assert_eq!(cloud.emulator.authentications(), 2);
        assert_eq!(cloud.emulator.ledger().accepted().len(), 20);
        let refused = cloud.refusals();
        assert!((1..=4).contains(&refused.len()) && refused.iter().all(|code| code == "20001"), "{refused:?}");
    })
    .await;
}

/// Both worlds have types of their own, alike in shape: what they show is compared.
fn same(theirs: &impl Debug, ours: &impl Debug) {
    assert_eq!(format!("{theirs:?}"), format!("{ours:?}"));
}

/// That two pieces of advice are one, but for the number, which is spread.
fn same_advice(theirs: &impl Debug, ours: &impl Debug) {
    let kind = |retry: &dyn Debug| format!("{retry:?}").trim_end_matches(|c: char| !c.is_alphabetic()).to_owned();
    assert_eq!(kind(theirs), kind(ours));
}

#[tokio::test]
async fn the_outcomes_are_those_of_the_publisher() {
    within(async {
        let answer = |status: u16| Fault::Answer { status, headers: vec![], body: vec![] };
        for (fault, times) in [
            (Fault::CloseWhenIdle, 0),
            (Fault::BeforeAcceptance(Break::Close), 1),
            (Fault::AfterAcceptance(Break::Close), 3),
            (answer(413), 1),
            (answer(500), 1),
            (answer(503), 3),
        ] {
            for at_most_once in [true, false] {
                let (qos, our_qos) = match at_most_once {
                    true => (Qos::AtMostOnce, ours::Qos::AtMostOnce),
                    false => (Qos::AtLeastOnce, ours::Qos::AtLeastOnce),
                };
                let cloud = AwsCloud::start().await;
                cloud.emulator.faults().push(fault.clone(), times);
                let host = host_for_aws(&cloud, Some(&cloud.device));
                let theirs = run(host, aws_platform(), None, messages("a", qos, 1)).await.outcomes.remove(0);

                let cloud = AwsCloud::start().await;
                cloud.emulator.faults().push(fault.clone(), times);
                let message = ours::Message::new("a", *b"0", our_qos);
                let mut publisher = cloud.open(8443, cloud.route(), &our_options()).await;
                let ours = publisher.publish(&message).await.unwrap();
                match (theirs, ours) {
                    (Ok(theirs), Ok(ours)) => assert_eq!(theirs.attempts, ours.attempts, "{fault:?}"),
                    (Err(theirs), Err(ours)) => {
                        // All but the trace id.
                        same(&theirs.cause, &ours.cause);
                        same(&theirs.stage, &ours.stage);
                        same(&theirs.delivery, &ours.delivery);
                        same_advice(&theirs.retry, &ours.retry);
                        assert_eq!((theirs.attempts, theirs.explanation), (ours.attempts, ours.explanation));
                    }
                    (theirs, ours) => panic!("{fault:?}: {theirs:?} {ours:?}"),
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_wrong_secret_and_a_missing_certificate_are_told_as_the_publisher_tells_them() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let wrong = aliyun_platform("wrong");
        let mut done = run(host_for_aliyun(&cloud), wrong, None, messages(TOPIC, Qos::AtLeastOnce, 1)).await;
        let error = done.outcomes.remove(0).unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication));
        assert_eq!((error.delivery, error.attempts), (Delivery::Refused, 0));
        assert_eq!(cloud.emulator.authentications(), 1);
        assert_eq!(cloud.emulator.ledger().entries(), []);

        let cloud = AwsCloud::start().await;
        let host = host_for_aws(&cloud, None);
        let mut done = run(host, aws_platform(), None, messages("a", Qos::AtMostOnce, 1)).await;
        let error = done.outcomes.remove(0).unwrap_err();
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::ConnectionClosed));
        assert_eq!(error.delivery, Delivery::Unknown);
        assert!(error.explanation.contains("inactive"), "{}", error.explanation);
    })
    .await;
}
