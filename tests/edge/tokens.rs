//! How often a device authenticates. The ledger counts: each authentication with Aliyun ends the token before it.

use serde_json::Value;
use thingpost_edge_artifacts::{ALL, EDGE, EDGE_MIN, EDGE_SPIN};

use super::devices::{aliyun_settings, aws_settings};
use super::stage::{Function, Shared};
use crate::fixtures::aliyun::{self, AliyunCloud};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::ways::Way;

async fn post(function: &mut Function) {
    let answer = function.post(&format!("/topics/{}", aliyun::TOPIC), "x").await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn an_instance_that_is_used_again_authenticates_once() {
    within(async {
        for artifact in ALL {
            let cloud = AliyunCloud::start().await;
            let mut function = Function::start(artifact, cloud.transport(), &aliyun_settings()).await;
            for _ in 0..20 {
                post(&mut function).await;
            }
            assert_eq!((cloud.emulator.authentications(), cloud.emulator.ledger().accepted().len()), (1, 20));
        }
    })
    .await;
}

#[tokio::test]
async fn instances_that_share_a_store_authenticate_once_and_once_more_when_the_token_is_gone() {
    within(async {
        for artifact in [EDGE, EDGE_SPIN] {
            let cloud = AliyunCloud::start().await;
            cloud.emulator.keep_only_the_latest_token(true);
            let shared = Shared::default();
            let start =
                async || Function::start_sharing(artifact, cloud.transport(), &aliyun_settings(), &shared).await;
            let (mut first, mut second) = (start().await, start().await);
            for _ in 0..3 {
                post(&mut first).await;
                post(&mut second).await;
            }
            assert_eq!(cloud.emulator.authentications(), 1);
            cloud.emulator.revoke_tokens();
            for _ in 0..3 {
                post(&mut first).await;
                post(&mut second).await;
            }
            assert_eq!(cloud.emulator.authentications(), 2);
            // An instance for each request, as most hosts have it.
            for _ in 0..3 {
                post(&mut start().await).await;
            }
            assert_eq!(cloud.emulator.authentications(), 2, "{}", artifact.name);
        }
    })
    .await;
}

#[tokio::test]
async fn temporary_keys_of_aws_are_shared_as_well() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let (settings, shared) = (aws_settings(&cloud, Way::CredentialsProvider), Shared::default());
        for _ in 0..3 {
            let transport = cloud.transport_for(Way::CredentialsProvider);
            let mut function = Function::start_sharing(EDGE, transport, &settings, &shared).await;
            let answer = function.post("/topics/a", "x").await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        assert_eq!(cloud.emulator.credentials_issued(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_or_holds_something_else_costs_no_message() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let shared = Shared::default();
        let start = async || Function::start_sharing(EDGE, cloud.transport(), &aliyun_settings(), &shared).await;
        post(&mut start().await).await;
        shared.spoil();
        post(&mut start().await).await;
        assert_eq!(cloud.emulator.authentications(), 2);
        shared.fail();
        let mut function = start().await;
        for _ in 0..3 {
            post(&mut function).await;
        }
        assert_eq!(cloud.emulator.authentications(), 3);
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_is_the_token_alone_under_a_name_that_tells_nothing_and_changes_with_the_secret() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let shared = Shared::default();
        let publish = async |settings: &Value| {
            let mut function = Function::start_sharing(EDGE, cloud.transport(), settings, &shared).await;
            function.post(&format!("/topics/{}", aliyun::TOPIC), "x").await.status
        };
        let mut settings = aliyun_settings();
        settings["bucket"] = "tokens".into();
        assert_eq!(publish(&settings).await, 200);
        let [(bucket, key, value)] = &shared.entries()[..] else { panic!("{:?}", shared.entries()) };
        assert_eq!(bucket, "tokens");
        assert!(key.starts_with("thingpost-") && key.len() == "thingpost-".len() + 64, "{key}");
        for told in [aliyun::DEVICE_SECRET, aliyun::DEVICE_NAME, aliyun::PRODUCT_KEY] {
            assert!(!key.contains(told));
        }
        assert!(value.contains("\"token\"") && !value.contains(aliyun::DEVICE_SECRET), "{value}");
        // A new secret does not find the token of the old one, which would hide that it is wrong.
        settings["device_secret"] = "another-secret-of-32-characters!".into();
        assert_eq!(publish(&settings).await, 502);
    })
    .await;
}

#[tokio::test]
async fn another_device_never_gets_the_token_of_the_one_before_it() {
    within(async {
        const OTHER: &str = "thermometer-8";
        let cloud = AliyunCloud::start().await;
        cloud.emulator.add_device(aliyun::PRODUCT_KEY, OTHER, "other-secret-of-32-characters-xx");
        let mut other = aliyun_settings();
        other["device_name"] = OTHER.into();
        other["device_secret"] = "other-secret-of-32-characters-xx".into();
        for artifact in [EDGE, EDGE_MIN] {
            let mut function = Function::start(artifact, cloud.transport(), &aliyun_settings()).await;
            post(&mut function).await;
            function.configure(&other);
            let topic = format!("/topics//{}/{OTHER}/user/update", aliyun::PRODUCT_KEY);
            let answer = function.post(&topic, "x").await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let of = |device: &str| cloud.emulator.authentications_of(aliyun::PRODUCT_KEY, device);
        assert_eq!(of(aliyun::DEVICE_NAME).succeeded, 2);
        assert_eq!(of(OTHER).succeeded, 2);
    })
    .await;
}
