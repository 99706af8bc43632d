//! What has to hold on every host alike.

use serde_json::json;

use super::client::{Answer, Request};
use super::clouds::{Clouds, SECRET_ACCESS_KEY, TOKEN};
use crate::fixtures::aliyun::{DEVICE_SECRET, TOPIC};

/// What stands between a device and a function likes to change such bytes.
const PAYLOAD: &[u8] = b"celsius=21.5&\x00\xff\r\n";

/// A function in a host, as a client sees it.
pub struct Front<'a> {
    pub address: &'a str,
    /// What the clients of this host have to send beside their own.
    pub headers: &'a [(&'a str, &'a str)],
    /// Before the topics of the device on Aliyun; nothing if that is the default device.
    pub pump: &'a str,
}

impl<'a> Front<'a> {
    /// With all devices, and with clients that send nothing beside their own.
    pub fn new(address: &'a str) -> Self {
        Self { address, headers: &[], pump: "/devices/pump" }
    }

    pub async fn send(&self, request: Request<'_>) -> Answer {
        let headers = [self.headers, request.headers].concat();
        let answer = request.headers(&headers).send(self.address).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        for secret in [SECRET_ACCESS_KEY, DEVICE_SECRET, TOKEN] {
            assert!(!text.contains(secret), "a secret is in the answer: {text}");
        }
        answer
    }

    /// As the default device, whose token it shows.
    pub async fn publish_to_aws(&self, target: &str, payload: &[u8]) -> Answer {
        let authorization = format!("Bearer {TOKEN}");
        self.send(Request::post(target, payload).headers(&[("authorization", &authorization)])).await
    }

    pub async fn publish_to_aliyun(&self, payload: &[u8]) -> Answer {
        self.send(Request::post(&format!("{}/topics/{TOPIC}", self.pump), payload)).await
    }

    #[track_caller]
    pub fn assert_delivered(&self, answer: &Answer) {
        assert_eq!((answer.status.as_u16(), &answer.json()["outcome"]), (200, &json!("delivered")), "{answer:?}");
    }

    pub async fn delivers_to_both_clouds(&self, clouds: &Clouds) {
        self.delivers_to_aws(clouds).await;
        self.delivers_to_aliyun(clouds).await;
    }

    pub async fn delivers_to_aws(&self, clouds: &Clouds) {
        for (target, topic) in [
            ("/topics/sensors/kitchen?qos=1", "sensors/kitchen"),
            ("/topics//leading%20slash/%E6%B8%A9?qos=1", "/leading slash/\u{6e29}"),
            ("/topics/a%2Fb//c/?qos=0", "a/b//c/"),
        ] {
            clouds.aws.ledger().clear();
            self.assert_delivered(&self.publish_to_aws(target, PAYLOAD).await);
            let accepted = Clouds::accepted(clouds.aws.ledger().entries(), PAYLOAD);
            let topics: Vec<_> = accepted.iter().map(|entry| entry.topic.as_deref().unwrap_or_default()).collect();
            assert_eq!(topics, [topic], "{target}");
        }
        // The largest there is, which goes out in many pieces.
        let large = vec![b'x'; 131_072];
        self.assert_delivered(&self.publish_to_aws("/topics/large", &large).await);
        assert_eq!(Clouds::accepted(clouds.aws.ledger().entries(), &large).len(), 1);
    }

    pub async fn delivers_to_aliyun(&self, clouds: &Clouds) {
        self.assert_delivered(&self.publish_to_aliyun(PAYLOAD).await);
        let accepted = Clouds::accepted(clouds.aliyun.ledger().entries(), PAYLOAD);
        let topics: Vec<_> = accepted.iter().map(|entry| entry.topic.as_deref().unwrap_or_default()).collect();
        assert_eq!(topics, [TOPIC]);
    }

    /// What is wrong with a request is said by the function, not by the host, and nothing of it is published.
    pub async fn refuses_what_is_wrong(&self, clouds: &Clouds) {
        self.refuses_what_needs_no_settings().await;
        let wrong = Request::post("/topics/a", b"x").headers(&[("authorization", "Bearer wrong")]);
        self.assert_refused(&self.send(wrong).await, 401, "token-wrong");
        self.assert_refused(&self.send(Request::post("/topics/a", b"x")).await, 401, "token-missing");
        self.assert_refused(&self.send(Request::post("/devices/nobody/topics/a", b"x")).await, 404, "no-such-device");
        assert!(Clouds::accepted(clouds.aws.ledger().entries(), b"x").is_empty());
    }

    /// What is wrong whatever the settings are is refused without them too.
    pub async fn refuses_what_needs_no_settings(&self) {
        assert_eq!(self.send(Request::get("/healthz")).await.status, 200);
        let answer = self.send(Request::get("/topics/a")).await;
        self.assert_refused(&answer, 405, "method-not-allowed");
        assert!(answer.header("allow").is_some_and(|allow| allow.contains("POST")), "{answer:?}");
        self.assert_refused(&self.send(Request::get("/nothing")).await, 404, "no-such-path");
        self.assert_refused(&self.publish_to_aws("/topics/a%2B", b"x").await, 400, "invalid-topic");
        self.assert_refused(&self.publish_to_aws("/topics/a?QoS=1", b"x").await, 400, "invalid-parameter");
        let large = vec![b'x'; 131_073];
        self.assert_refused(&self.publish_to_aws("/topics/a", &large).await, 413, "payload-too-large");
    }

    #[track_caller]
    pub fn assert_refused(&self, answer: &Answer, status: u16, cause: &str) {
        let problem = answer.json();
        assert_eq!((answer.status.as_u16(), &problem["cause"]), (status, &json!(cause)), "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    }
}
