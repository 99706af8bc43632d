//! What Aliyun's devices have to keep for themselves.

use serde_json::Value;
use thingpost_emulator::{Break, Fault};
use thingpost_host::runtime::types::{AliyunConfig, Platform};

use super::shown;
use crate::fixtures::aliyun::{self, AliyunCloud, DEVICE_NAME, DEVICE_SECRET, TOPIC};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, at_most_once};

#[tokio::test]
async fn neither_device_secret_nor_token_is_in_an_outcome() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let mut outcomes = vec![publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap()];
        let session = publisher.credential().await.unwrap().unwrap();
        let session: Value = serde_json::from_str(&session).unwrap();
        let token = session["token"].as_str().unwrap().to_owned();

        let echo = |status: u16| {
            let body = format!(r#"{{"code":10001,"message":"param error: {token}"}}"#);
            Fault::Answer { status, headers: vec![("x-token".to_owned(), token.clone())], body: body.into_bytes() }
        };
        for fault in [
            echo(200),
            echo(403),
            echo(302),
            Fault::BeforeAcceptance(Break::Close),
            Fault::AfterAcceptance(Break::Reset),
        ] {
            cloud.emulator.faults().push(fault, 1);
            outcomes.push(publisher.publish(&at_most_once(TOPIC, b"x")).await.unwrap());
        }
        for code in [10001, 20000, 30001, 77] {
            for _ in 0..4 {
                cloud.emulator.next_code(code);
            }
            outcomes.push(publisher.publish(&at_most_once(TOPIC, b"x")).await.unwrap());
            cloud.emulator.faults().clear();
        }
        outcomes.push(publisher.publish(&at_most_once("no-topic", b"x")).await.unwrap());
        let unknown = AliyunConfig { device_name: "unknown".to_owned(), ..aliyun::config() };
        let mut stranger = cloud.open(unknown, &options(), None).await;
        outcomes.push(stranger.publish(&at_most_once(TOPIC, b"x")).await.unwrap());

        let platform = format!("{:?}", Platform::Aliyun(aliyun::config()));
        assert!(platform.contains(DEVICE_NAME) && !platform.contains(DEVICE_SECRET), "{platform}");
        assert!(outcomes.iter().filter(|outcome| outcome.is_err()).count() >= 9);
        for outcome in &outcomes {
            let shown = shown(outcome);
            assert!(!shown.contains(DEVICE_SECRET) && !shown.contains(&token), "{shown}");
        }
    })
    .await;
}
