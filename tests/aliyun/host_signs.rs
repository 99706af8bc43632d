//! The secret of a device in a sandbox is one more place to lose it. Where the host signs, the component works as ever
//! and has nothing to lose but a token.

use std::sync::Arc;

use serde_json::{Value, json};
use thingpost_emulator::{Break, Fault};
use thingpost_host::runtime::types::{
    AliyunConfig, Cause, Delivery, Error, Platform, Retry, SignMethod, Signer, Stage, TimestampPolicy,
};
use thingpost_host::runtime::{DeviceSecrets, Publisher, PublisherPre};
use thingpost_patience::patience;

use crate::bindings::sans_io::exports::thingpost::iot::aliyun_types as theirs_of_aliyun;
use crate::bindings::sans_io::exports::thingpost::iot::exchange::Signing;
use crate::bindings::sans_io::exports::thingpost::iot::types as theirs;
use crate::fixtures::agreement::assert_agrees;
use crate::fixtures::aliyun::{AliyunCloud, DEVICE_NAME, DEVICE_SECRET, ENDPOINT, PRODUCT_KEY, TOPIC, config, secrets};
use crate::fixtures::blocking_http::{BlockingHttp, tls};
use crate::fixtures::deadline::within;
use crate::fixtures::foreign_host::{self, Done, ForeignHost};
use crate::fixtures::hmac;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, at_most_once};
use crate::fixtures::visible_memory::VisibleMemories;

#[tokio::test]
async fn what_the_host_has_signed_is_accepted_by_every_method_and_with_every_clock_policy() {
    within(async {
        let cloud = AliyunCloud::start().await;
        for sign_method in [SignMethod::HmacMd5, SignMethod::HmacSha1, SignMethod::HmacSha256] {
            for timestamp in [TimestampPolicy::None, TimestampPolicy::Now, TimestampPolicy::Corrected] {
                let config = AliyunConfig { sign_method, timestamp, ..config() };
                let mut publisher = cloud.open_signed(config, secrets(), None).await;
                for payload in [b"1", b"2"] {
                    publisher.publish(&at_least_once(TOPIC, payload)).await.unwrap().unwrap();
                }
            }
        }
        assert_eq!(cloud.emulator.authentications(), 9);
        assert_eq!(cloud.emulator.ledger().accepted().len(), 18);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_signed_for_once_more_and_no_message_lost_or_doubled() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.open_signed(config(), secrets(), None).await;
        let ledger = cloud.emulator.ledger();
        let messages: Vec<_> = (0..100_u8).map(|index| at_most_once(TOPIC, [index])).collect();
        let end_of_tokens = async {
            ledger.wait_for(30, patience()).await.unwrap();
            cloud.emulator.revoke_tokens_of(PRODUCT_KEY, DEVICE_NAME);
        };
        let (outcomes, ()) = tokio::join!(publisher.publish_all(&messages), end_of_tokens);
        for (message, outcome) in messages.iter().zip(&outcomes.unwrap()) {
            assert_agrees(message, outcome, &ledger.entries());
            assert!(outcome.is_ok(), "{outcome:?}");
        }
        assert_eq!((ledger.accepted().len(), cloud.emulator.authentications()), (100, 2));
    })
    .await;
}

async fn open(pre: &PublisherPre, cloud: &AliyunCloud, signer: Signer) -> Publisher {
    let platform = Platform::Aliyun(AliyunConfig { signer, timestamp: TimestampPolicy::Now, ..config() });
    let secrets = Arc::new(secrets());
    pre.builder(cloud.transport(), &platform).secrets(secrets).options(options()).open().await.unwrap()
}

/// Whether the secret is in the guest at any of these moments: opened, with a message under way, with an answer, after
/// a token that had ended.
async fn moments_with_the_secret(signer: fn() -> Signer) -> Vec<bool> {
    let cloud = AliyunCloud::start().await;
    let memories = VisibleMemories::default();
    let mut publisher = open(&memories.signed_publisher(), &cloud, signer()).await;
    let mut moments = Vec::new();
    let mut look = || {
        let contents = memories.contents();
        assert_eq!(contents.count(), 1);
        // The same search finds what is there.
        assert!(contents.contain(DEVICE_NAME.as_bytes()));
        moments.push(contents.contain(DEVICE_SECRET.as_bytes()));
    };
    look();
    let message = at_least_once(TOPIC, "an unmistakable payload of the test, ".repeat(100));
    publisher.publish(&message).await.unwrap().unwrap();
    look();
    cloud.emulator.expire_tokens();
    publisher.publish(&message).await.unwrap().unwrap();
    look();
    let ledger = cloud.emulator.ledger();
    ledger.clear();
    cloud.emulator.faults().push(Fault::AfterAcceptance(Break::Stall), 1);
    tokio::select! {
        outcome = publisher.publish(&message) => panic!("{outcome:?}"),
        entries = ledger.wait_for(1, patience()) => drop(entries.unwrap()),
    }
    look();
    assert_eq!(cloud.emulator.authentications(), 2);
    moments
}

#[tokio::test]
async fn the_device_secret_is_nowhere_in_the_memory_of_a_guest_whose_host_signs() {
    within(async {
        assert_eq!(moments_with_the_secret(|| Signer::Host).await, [false; 4]);
        // The search would find it.
        assert_eq!(moments_with_the_secret(|| Signer::DeviceSecret(DEVICE_SECRET.to_owned())).await, [true; 4]);
    })
    .await;
}

fn assert_not_signed(error: &Error) {
    assert_eq!((error.cause, error.stage), (Cause::SigningFailed, Stage::Authentication), "{error:?}");
    assert_eq!((error.delivery, error.retry, error.attempts), (Delivery::NotSent, Retry::Never, 0), "{error:?}");
    assert_eq!(error.answer, None);
    for named in ["while authenticating", "the host did not sign", "the host has no secret of this device"] {
        assert!(error.explanation.contains(named), "{}", error.explanation);
    }
}

#[tokio::test]
async fn a_device_that_the_host_does_not_know_sends_nothing_and_is_told_why() {
    within(async {
        let cloud = AliyunCloud::start().await;
        for known in [
            DeviceSecrets::new(),
            DeviceSecrets::new().with(PRODUCT_KEY, "thermometer-8", DEVICE_SECRET),
            DeviceSecrets::new().with("a1GFjLP3xxD", DEVICE_NAME, DEVICE_SECRET),
        ] {
            let mut publisher = cloud.open_signed(config(), known, None).await;
            let messages = [at_least_once(TOPIC, b"1"), at_most_once(TOPIC, b"2")];
            for outcome in publisher.publish_all(&messages).await.unwrap() {
                assert_not_signed(&outcome.unwrap_err());
            }
            assert_eq!(publisher.credential().await.unwrap(), None);
        }
        assert_eq!(cloud.emulator.connections().accepted, 0);
        assert_eq!(cloud.emulator.ledger().entries(), []);
    })
    .await;
}

#[tokio::test]
async fn a_session_serves_a_device_that_the_host_cannot_sign_for_also_near_its_end() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut first = cloud.open_signed(config(), secrets(), None).await;
        first.publish(&at_least_once(TOPIC, b"1")).await.unwrap().unwrap();
        let session = first.credential().await.unwrap().unwrap();
        let mut aged: Value = serde_json::from_str(&session).unwrap();
        aged["obtainedUnixMs"] = json!(aged["obtainedUnixMs"].as_u64().unwrap() - 7 * 24 * 60 * 60 * 1000);
        for session in [session, aged.to_string()] {
            let mut second = cloud.open_signed(config(), DeviceSecrets::new(), Some(&session)).await;
            second.publish(&at_least_once(TOPIC, b"2")).await.unwrap().unwrap();
        }
        assert_eq!(cloud.emulator.authentications(), 1);
        assert_eq!(cloud.emulator.ledger().accepted().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_component_of_world_publish_refuses_to_let_the_host_sign_by_one_line() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let config = AliyunConfig { signer: Signer::Host, ..config() };
        let problem = cloud.try_open(config, &options(), None).await.err().unwrap();
        assert!(problem.contains("sign") && !problem.contains('\n'), "{problem}");
        assert_eq!(cloud.emulator.connections().accepted, 0);
    })
    .await;
}

fn signs(signing: &Signing) -> Result<String, String> {
    assert_eq!((signing.group.as_str(), signing.device.as_str()), (PRODUCT_KEY, DEVICE_NAME));
    Ok(hmac::sign(signing.method, DEVICE_SECRET, &signing.content))
}

fn signs_wrongly(signing: &Signing) -> Result<String, String> {
    Ok(hmac::sign(signing.method, "guessed", &signing.content))
}

fn refuses(_: &Signing) -> Result<String, String> {
    Err("the host has no secret of this device".to_owned())
}

async fn foreign(cloud: &AliyunCloud, signer: foreign_host::Signer, method: theirs::SignMethod) -> Done {
    let client = BlockingHttp { tls: tls(&cloud.authority, None), address: cloud.emulator.addr() };
    let host = ForeignHost { client, signer };
    let platform = foreign_host::Platform::Aliyun(theirs_of_aliyun::Config {
        endpoint: ENDPOINT.to_owned(),
        port: 443,
        product_key: PRODUCT_KEY.to_owned(),
        device_name: DEVICE_NAME.to_owned(),
        signer: theirs_of_aliyun::Signer::Host,
        client_id: None,
        sign_method: method,
        timestamp: theirs_of_aliyun::TimestampPolicy::Corrected,
    });
    let options = theirs::Options {
        timeout_ms: Some(20_000),
        connect_timeout_ms: None,
        max_attempts: None,
        backoff_base_ms: Some(10),
        backoff_max_ms: Some(50),
        max_in_flight: Some(4),
    };
    let messages: Vec<_> =
        (0..8_u8).map(|index| theirs::Message::new(TOPIC, [index], theirs::Qos::AtLeastOnce)).collect();
    tokio::task::spawn_blocking(move || host.run(&platform, options, None, &messages).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_foreign_host_signs_as_well_by_every_method_and_also_with_a_clock_that_is_wrong() {
    within(async {
        use theirs::SignMethod::{HmacMd5, HmacSha1, HmacSha256};
        for (offset_ms, authentications) in [(0, 1), (-40 * 60 * 1000, 2)] {
            for method in [HmacMd5, HmacSha1, HmacSha256] {
                let cloud = AliyunCloud::start().await;
                cloud.emulator.shift_clock_ms(offset_ms);
                let done = foreign(&cloud, signs, method).await;
                assert!(done.outcomes.iter().all(Result::is_ok), "{:?}", done.outcomes);
                assert!(!done.credential.unwrap().contains(DEVICE_SECRET));
                assert_eq!(cloud.emulator.authentications(), authentications);
                assert_eq!(cloud.emulator.ledger().accepted().len(), 8);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_outcomes_in_a_foreign_host_are_those_of_the_publisher_where_it_does_not_sign_or_signs_wrongly() {
    within(async {
        let wrong = DeviceSecrets::new().with(PRODUCT_KEY, DEVICE_NAME, "guessed");
        for (signer, secrets, authentications) in
            [(refuses as foreign_host::Signer, DeviceSecrets::new(), 0), (signs_wrongly, wrong, 1)]
        {
            let cloud = AliyunCloud::start().await;
            let theirs = foreign(&cloud, signer, theirs::SignMethod::HmacSha256).await.outcomes.remove(0).unwrap_err();
            assert_eq!(cloud.emulator.authentications(), authentications);
            let mut publisher = cloud.open_signed(config(), secrets, None).await;
            let ours = publisher.publish(&at_least_once(TOPIC, b"0")).await.unwrap().unwrap_err();
            assert_eq!(cloud.emulator.authentications(), 2 * authentications);
            assert_eq!(format!("{:?}", theirs.cause), format!("{:?}", ours.cause));
            assert_eq!(format!("{:?}", theirs.delivery), format!("{:?}", ours.delivery));
            assert_eq!(format!("{:?}", theirs.stage), format!("{:?}", ours.stage));
            assert_eq!(format!("{:?}", theirs.retry), format!("{:?}", ours.retry));
            assert_eq!(theirs.attempts, ours.attempts);
            // The time that was signed differs.
            let theirs = theirs.explanation.split("timestamp").next().unwrap().to_owned();
            assert!(ours.explanation.starts_with(theirs.trim_end_matches(')')), "{theirs} {}", ours.explanation);
        }
    })
    .await;
}
