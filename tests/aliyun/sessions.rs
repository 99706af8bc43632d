//! A session goes from one short-lived instance to the next, through files and environment variables of other people. It
//! must hold no more than a token, and be good for nothing but the device it was made for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use thingpost_emulator::TokenForm;
use thingpost_host::runtime::types::{AliyunConfig, SignMethod, TimestampPolicy};

use crate::fixtures::aliyun::{AliyunCloud, DEVICE_SECRET, IOT_AUTH, TOPIC, config};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, at_most_once};
use crate::fixtures::ways::Way;

const MINUTE_MS: u64 = 60 * 1000;

async fn session(cloud: &AliyunCloud) -> Value {
    let mut publisher = cloud.publisher().await;
    publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
    serde_json::from_str(&publisher.credential().await.unwrap().unwrap()).unwrap()
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn a_session_holds_neither_the_device_secret_nor_a_signature() {
    within(async {
        for form in [TokenForm::Hex, TokenForm::ThreeParts] {
            let cloud = AliyunCloud::start_with(false, form).await;
            let session = session(&cloud).await;
            let mut names: Vec<&str> = session.as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["deviceName", "endpoint", "obtainedUnixMs", "productKey", "token", "version"]);
            assert!(!session.to_string().contains(DEVICE_SECRET));
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_of_another_version_device_endpoint_or_platform_is_refused_by_one_line() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let good = session(&cloud).await;
        let with = |name: &str, value: Value| {
            let mut session = good.clone();
            session[name] = value;
            session.to_string()
        };
        let without = |name: &str| {
            let mut session = good.clone();
            session.as_object_mut().unwrap().remove(name);
            session.to_string()
        };
        for (session, named) in [
            (with("version", json!(2)), "unknown form"),
            (with("version", json!("1")), "unknown form"),
            (without("version"), "unknown form"),
            (without("token"), "unknown form"),
            (with("token", json!("")), "unknown form"),
            (with("token", json!("a\nb: c")), "unknown form"),
            (without("obtainedUnixMs"), "unknown form"),
            (with("deviceName", json!("thermometer-8")), "another device or endpoint"),
            (with("productKey", json!("a1GFjLP3xxD")), "another device or endpoint"),
            (with("endpoint", json!(IOT_AUTH)), "another device or endpoint"),
            (without("deviceName"), "another device or endpoint"),
        ] {
            let problem = cloud.try_open(config(), &options(), Some(&session)).await.err().unwrap();
            assert!(problem.contains(named) && !problem.contains('\n'), "{session}: {problem}");
            let token = good["token"].as_str().unwrap();
            assert!(!problem.contains(token), "{problem}");
        }
        let port = AliyunConfig { port: 8443, ..config() };
        let problem = cloud.try_open(port, &options(), Some(&good.to_string())).await.err().unwrap();
        assert!(problem.contains("another device or endpoint"), "{problem}");
        assert_eq!(cloud.emulator.authentications(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_of_one_platform_is_none_on_the_other() {
    within(async {
        let (aws, aliyun) = (AwsCloud::start_for_everybody().await, AliyunCloud::start().await);
        let mut publisher = aws.open_way(Way::CredentialsProvider, &options()).await;
        publisher.publish(&at_most_once("a", b"x")).await.unwrap().unwrap();
        let key = publisher.credential().await.unwrap().unwrap();
        let problem = aliyun.try_open(config(), &options(), Some(&key)).await.err().unwrap();
        assert!(problem.contains("session") && !problem.contains('\n'), "{problem}");
        assert_eq!(aliyun.emulator.connections().accepted, 0);
    })
    .await;
}

#[tokio::test]
async fn a_session_serves_whoever_the_device_signs_by() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let session = session(&cloud).await.to_string();
        for sign_method in [SignMethod::HmacMd5, SignMethod::HmacSha1] {
            let client_id = Some("another".to_owned());
            let config = AliyunConfig { sign_method, client_id, timestamp: TimestampPolicy::Now, ..config() };
            let mut publisher = cloud.open(config, &options(), Some(&session)).await;
            publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
        }
        assert_eq!(cloud.emulator.authentications(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_renewed_ahead_in_the_last_tenth_of_its_life_and_not_before() {
    within(async {
        for (form, life_ms) in [(TokenForm::Hex, 7 * 24 * 60 * MINUTE_MS), (TokenForm::ThreeParts, 100 * MINUTE_MS)] {
            for (percent, authentications) in [(10, 1), (85, 1), (95, 2)] {
                let cloud = AliyunCloud::start_with(false, form).await;
                // What is left of the life of the token, by its own word where it has one.
                let left = Duration::from_millis(life_ms / 100 * (100 - percent));
                cloud.emulator.set_token_lifetime(left);
                let mut session = session(&cloud).await;
                session["obtainedUnixMs"] = json!(now_ms() - life_ms / 100 * percent);
                let mut publisher = cloud.open(config(), &options(), Some(&session.to_string())).await;
                publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
                assert_eq!(cloud.emulator.authentications(), authentications, "{form:?}, {percent} %");
                assert_eq!(cloud.refusals(), Vec::<String>::new());
                let next: Value = serde_json::from_str(&publisher.credential().await.unwrap().unwrap()).unwrap();
                assert_eq!(next["token"] == session["token"], authentications == 1);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_renewal_ahead_that_fails_is_nobodys_problem() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut session = session(&cloud).await;
        session["obtainedUnixMs"] = json!(now_ms() - 7 * 24 * 60 * MINUTE_MS);
        for code in [20000, 40000, 10000] {
            cloud.emulator.next_authentication_code(code);
            let mut publisher = cloud.open(config(), &options(), Some(&session.to_string())).await;
            let receipt = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
            assert_eq!(receipt.attempts, 1, "{code}");
            let kept: Value = serde_json::from_str(&publisher.credential().await.unwrap().unwrap()).unwrap();
            assert_eq!(kept, session, "{code}");
        }
        assert_eq!(cloud.emulator.ledger().accepted().len(), 4);
    })
    .await;
}
