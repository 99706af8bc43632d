//! Where a message goes, as whom, and that it is the one that came in.

use serde_json::{Value, json};
use thingpost_edge_artifacts::{ALL, EDGE, EDGE_MIN};
use thingpost_emulator::Device;
use thingpost_host::Pool;

use super::stage::{Function, request};
use crate::fixtures::aliyun::{self, AliyunCloud};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::ways::{
    ACCESS_KEY_ID, AUTHORIZER, ROLE_ALIAS, SECRET_ACCESS_KEY, TOKEN, TOKEN_NAME, TOKEN_SIGNATURE, Way,
};

/// The device of the emulated account.
pub fn aliyun_settings() -> Value {
    json!({
        "platform": "aliyun",
        "endpoint": aliyun::ENDPOINT,
        "product_key": aliyun::PRODUCT_KEY,
        "device_name": aliyun::DEVICE_NAME,
        "device_secret": aliyun::DEVICE_SECRET,
    })
}

pub fn aws_settings(cloud: &AwsCloud, way: Way) -> Value {
    let mut settings = match way {
        Way::Certificate => json!({}),
        Way::SigV4 => {
            json!({"auth": "sigv4", "access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY})
        }
        Way::CustomAuthorizer => json!({
            "auth": "authorizer",
            "authorizer_name": AUTHORIZER,
            "authorizer_token_name": TOKEN_NAME,
            "authorizer_token": TOKEN,
            "authorizer_signature": TOKEN_SIGNATURE,
        }),
        Way::CredentialsProvider => json!({
            "auth": "role-alias",
            "credentials_endpoint": cloud.emulator.credentials_server_name(),
            "role_alias": ROLE_ALIAS,
        }),
    };
    settings["platform"] = "aws".into();
    settings["endpoint"] = cloud.emulator.server_name().into();
    settings
}

#[tokio::test]
async fn a_plain_request_arrives_at_aws_in_each_of_the_four_ways() {
    within(async {
        for artifact in ALL {
            for way in Way::ALL {
                let cloud = AwsCloud::start_for_everybody().await;
                let settings = aws_settings(&cloud, way);
                let mut function = Function::start(artifact, cloud.transport_for(way), &settings).await;
                let answer = function.post("/topics/devices/thermometer-7/up?qos=1", "21.5").await;
                assert_eq!(answer.status, 200, "{} {way:?} {answer:?}", artifact.name);
                let entry = cloud.only_entry();
                let arrived = (entry.topic.as_deref(), &entry.payload[..], entry.qos);
                assert_eq!(arrived, (Some("devices/thermometer-7/up"), &b"21.5"[..], Some(1)), "{way:?}");
                assert_eq!(answer.body()["traceId"].as_str(), entry.trace_id.as_deref());
                assert_eq!(answer.body()["outcome"], "delivered");
                if way == Way::SigV4 {
                    assert_eq!(entry.device, Some(Device::AccessKey { access_key_id: ACCESS_KEY_ID.to_owned() }));
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_plain_request_arrives_at_aliyun() {
    within(async {
        for artifact in ALL {
            let cloud = AliyunCloud::start().await;
            let mut function = Function::start(artifact, cloud.transport(), &aliyun_settings()).await;
            let answer = function.post(&format!("/topics/{}", aliyun::TOPIC), "21.5").await;
            assert_eq!(answer.status, 200, "{} {answer:?}", artifact.name);
            let entry = cloud.only_entry();
            assert_eq!((entry.topic.as_deref(), &entry.payload[..]), (Some(aliyun::TOPIC), &b"21.5"[..]));
            assert!(answer.body()["messageId"].is_string(), "{answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn topics_and_payloads_arrive_byte_for_byte() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let settings = aws_settings(&cloud, Way::SigV4);
        let mut function = Function::start(EDGE_MIN, cloud.transport_for(Way::SigV4), &settings).await;
        let every_byte: Vec<u8> = (0..=255).collect();
        for (path, topic) in [
            ("a/b", "a/b"),
            ("a%2Fb", "a/b"),
            ("%2Fa//b/", "/a//b/"),
            ("a%20b%2520c", "a b%20c"),
            ("%E6%B8%A9%E5%BA%A6/%F0%9F%8C%A1", "温度/🌡"),
            ("a+b;c=d@e", "a+b;c=d@e"),
            ("a%3Fb%26c%3D1", "a?b&c=1"),
        ] {
            // A plus is a wildcard, so that one stands for what must be refused and not changed.
            let answer = function.post(&format!("/topics/{path}"), every_byte.clone()).await;
            if topic.contains('+') {
                assert_eq!(answer.verdict(), (400, "not-sent".into(), "invalid-topic".into()));
                continue;
            }
            assert_eq!(answer.status, 200, "{path} {answer:?}");
            let entry = cloud.emulator.ledger().take().remove(0);
            assert_eq!((entry.topic.as_deref(), &entry.payload), (Some(topic), &every_byte), "{path}");
        }
        let largest = vec![7; 131_072];
        assert_eq!(function.post("/topics/a", largest.clone()).await.status, 200);
        assert_eq!(cloud.only_entry().payload, largest);
    })
    .await;
}

#[tokio::test]
async fn several_devices_are_published_for_each_as_itself_and_for_those_who_show_its_token() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let mut settings = aws_settings(&cloud, Way::SigV4);
        settings["token"] = "of-the-default-one".into();
        let mut gate = aws_settings(&cloud, Way::CustomAuthorizer);
        gate["name"] = "gate 1".into();
        gate["token"] = "of-the-gate".into();
        settings["devices"] = json!([gate]);
        let transport = cloud.transport_along(Pool::default(), cloud.routes(Way::SigV4));
        let mut function = Function::start(EDGE, transport, &settings).await;
        let post = |path: &str, token: Option<&str>| {
            let mut request = request("POST", path, "x");
            if let Some(token) = token {
                request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
            }
            request
        };
        for (path, token, status, cause) in [
            ("/topics/a", None, 401, "token-missing"),
            ("/topics/a", Some("of-the-gate"), 401, "token-wrong"),
            ("/devices/gate%201/topics/a", Some("of-the-default-one"), 401, "token-wrong"),
            ("/devices/nobody/topics/a", Some("of-the-gate"), 404, "no-such-device"),
            ("/topics/default", Some("of-the-default-one"), 200, ""),
            ("/devices/gate%201/topics/gate", Some("of-the-gate"), 200, ""),
        ] {
            let answer = function.send(post(path, token)).await;
            assert_eq!((answer.status, answer.verdict().2.as_str()), (status, cause), "{path} {token:?}");
            assert!(!answer.text.contains("of-the"), "{answer:?}");
        }
        let entries = cloud.emulator.ledger().entries();
        let arrived: Vec<_> = entries.iter().map(|entry| entry.topic.as_deref().unwrap()).collect();
        assert_eq!(arrived, ["default", "gate"]);
        assert_ne!(entries[0].device, entries[1].device);
    })
    .await;
}
