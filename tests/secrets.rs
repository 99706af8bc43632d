//! A component that is taken over can tell everything it knows. It must not know the private key, and it must not tell
//! the secrets that it has to know.

use std::time::Duration;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use thingpost_emulator::{Break, Fault};
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{AliyunConfig, Error, Message, Platform, Receipt};

use crate::fixtures::aliyun::{self, AliyunCloud, DEVICE_NAME, DEVICE_SECRET, TOPIC};
use crate::fixtures::aws::{AwsCloud, platform};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, at_most_once};
use crate::fixtures::visible_memory::VisibleMemories;

/// What identifies a private key: in each form in which it could lie around, a piece that stands in no certificate.
fn traces(private_key_pem: &str) -> Vec<(&'static str, Vec<u8>)> {
    let base64: String = private_key_pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = PrivatePkcs8KeyDer::from_pem_slice(private_key_pem.as_bytes()).unwrap();
    let der = der.secret_pkcs8_der().to_vec();
    // ECPrivateKey: version 1, then 32 bytes as an octet string.
    let prefix = [2, 1, 1, 4, 32];
    let start = der.windows(prefix.len()).position(|window| window == prefix).unwrap() + prefix.len();
    let scalar = der[start..start + 32].to_vec();
    let hex = scalar.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    // What a line of the text has of the scalar, whatever the breaks around it: the middle of the base64 text.
    let middle = base64.as_bytes()[56..80].to_vec();
    vec![
        ("the PEM text", private_key_pem.trim().as_bytes().to_vec()),
        ("the PEM text without breaks", base64.into_bytes()),
        ("a piece of the PEM text", middle),
        ("the DER form", der),
        ("the number itself, reversed", scalar.iter().rev().copied().collect()),
        ("the number itself", scalar),
        ("the number in hex", hex),
        ("the header of a PEM key", b"PRIVATE KEY-----".to_vec()),
    ]
}

/// Looks into the guest while its message is with the platform, and leaves it there.
async fn look_in_flight(cloud: &AwsCloud, publisher: &mut Publisher, message: &Message, look: impl FnOnce()) {
    let ledger = cloud.emulator.ledger();
    ledger.clear();
    cloud.emulator.faults().push(Fault::AfterAcceptance(Break::Stall), 1);
    tokio::select! {
        outcome = publisher.publish(message) => panic!("{outcome:?}"),
        entries = ledger.wait_for(1, Duration::from_secs(20)) => {
            assert!(entries.unwrap()[0].disposition.is_accepted());
        }
    }
    look();
}

#[tokio::test]
async fn the_private_key_is_nowhere_in_the_memory_of_the_guest() {
    within(async {
        let cloud = AwsCloud::start().await;
        let certificate = cloud.device.certificate_pem.lines().nth(1).unwrap();
        // Long, because memory that is freed is soon used for something else.
        let payload = "an unmistakable payload of the test, ".repeat(1_000);
        let message = at_least_once("devices/unmistakable-topic/up", payload);
        let memories = VisibleMemories::default();
        let look = || {
            let contents = memories.contents();
            for (name, trace) in traces(&cloud.device.private_key_pem) {
                assert!(!contents.contain(&trace), "{name} is in the guest");
            }
            assert!(!contents.contain(certificate.as_bytes()), "the certificate is in the guest");
            // The same search finds what is there.
            assert!(contents.contain(b"an unmistakable payload of the test"));
            contents
        };
        let pre = memories.publisher();
        for port in [8443, 443] {
            let transport = cloud.transport(cloud.route());
            let mut publisher = pre.open(transport, &platform(port), &options(), None).await.unwrap();
            publisher.publish(&message).await.unwrap().unwrap();
            look();
            cloud.emulator.faults().push(Fault::AfterAcceptance(Break::Close), 1);
            publisher.publish(&message).await.unwrap().unwrap();
            look();
            look_in_flight(&cloud, &mut publisher, &message, || {
                assert!(look().contain(b"devices/unmistakable-topic/up"));
            })
            .await;
        }
        assert_eq!(memories.contents().count(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_search_would_find_a_key_that_is_in_the_guest() {
    within(async {
        let cloud = AwsCloud::start().await;
        let memories = VisibleMemories::default();
        let pre = memories.publisher();
        for (name, trace) in traces(&cloud.device.private_key_pem) {
            memories.forget();
            let transport = cloud.transport(cloud.route());
            let mut publisher = pre.open(transport, &platform(8443), &options(), None).await.unwrap();
            assert!(!memories.contents().contain(&trace));
            let message = at_least_once("a", trace.clone());
            let look = || assert!(memories.contents().contain(&trace), "{name} is not found");
            look_in_flight(&cloud, &mut publisher, &message, look).await;
        }
    })
    .await;
}

fn shown(outcome: &Result<Receipt, Error>) -> String {
    let explanation = outcome.as_ref().err().map(|error| format!("{error} {}", error.explanation));
    format!("{outcome:?} {}", explanation.unwrap_or_default())
}

#[tokio::test]
async fn neither_device_secret_nor_token_is_in_an_outcome() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let mut outcomes = vec![publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap()];
        let session = publisher.session().await.unwrap().unwrap();
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
