//! What a session must not tell: the key of the device, tokens and passwords for an authorizer, the secret of a device on
//! Aliyun and what is signed with it. And what its instance must not even know.

use std::sync::Arc;
use std::time::Duration;

use thingpost_emulator::{Authority, Break};
use thingpost_host::Route;
use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::mqtt::{
    AliyunBroker, AliyunMqttAuthentication, AliyunMqttSignature, SessionOptions, Version,
};
use thingpost_host::runtime::types::{Qos, SignMethod, Signer};

use super::aliyun::broker::{self, AliyunBrokerCloud, known, session, signed_by_the_host};
use super::authorizer::{PASSWORD, guarded, right, with};
use super::judge::numbered;
use crate::bindings::sans_io::exports::thingpost::iot::types::SignMethod as ForeignMethod;
use crate::fixtures::aliyun::{DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, TOPIC, secret, secrets};
use crate::fixtures::deadline::within;
use crate::fixtures::hmac::sign;
use crate::fixtures::host::roots;
use crate::fixtures::key_traces::traces;
use crate::fixtures::log::Log;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{Device, ENDPOINT, MqttCloud, VERSIONS, changed, config, options, transport, visible_mqtt};
use crate::fixtures::visible_memory::VisibleMemories;
use crate::fixtures::ways::{TOKEN, TOKEN_SIGNATURE};

/// What stands in the CONNECT, computed by other code.
fn signature() -> String {
    let content = format!("clientId{PRODUCT_KEY}.{DEVICE_NAME}deviceName{DEVICE_NAME}productKey{PRODUCT_KEY}");
    sign(ForeignMethod::HmacSha256, DEVICE_SECRET, &content)
}

/// As tokens stand in a user name, they are encoded from some character on.
fn pieces(secrets: &[&str]) -> Vec<String> {
    let plain = |secret: &&str| secret.chars().take_while(char::is_ascii_alphanumeric).collect();
    let mut pieces: Vec<String> = secrets.iter().map(plain).filter(|piece: &String| piece.len() > 6).collect();
    pieces.extend(secrets.iter().map(|secret| (*secret).to_owned()));
    pieces
}

/// What goes wrong with this session, whatever it is, and all that it tells of it.
async fn told(device: &mut Device, topic: &str, faults: &[&dyn Fn()]) -> String {
    let mut told = String::new();
    for fault in faults {
        fault();
        told.push_str(&format!("{:?} ", device.session.connect().await.unwrap()));
        device.publish_all(&numbered(topic, Qos::AtLeastOnce, 2)).await;
        device.receive(Duration::from_millis(100)).await;
    }
    let refused = device.session.publish(&at_least_once("a/#", *b"x")).await.unwrap();
    let left = device.session.unfinished().await.unwrap();
    told.push_str(&format!("{refused:?} {:#?} {left:?} {:?}", device.events, device.session.interrupt()));
    for error in device.disconnections().into_iter().chain(device.failures().into_iter().map(|(_, error)| error)) {
        told.push_str(&format!("{error} {error:#?}"));
    }
    told
}

fn assert_hidden(what: &str, shown: &str, secrets: &[&str]) {
    for line in shown.lines() {
        for piece in pieces(secrets) {
            assert!(!line.contains(&piece), "{what}: {piece} is shown: {line}");
        }
        assert!(!line.contains("PRIVATE KEY"), "{what}: {line}");
    }
}

/// Our crates have written about this, and not only wasmtime about each call of a guest: so what was searched is theirs.
fn speaks_of(log: &str, what: &str) {
    let ours: Vec<&str> = log.lines().filter(|line| !line.starts_with("TRACE wasmtime")).collect();
    assert!(ours.iter().any(|line| line.contains(what)), "{ours:#?}");
}

fn impatient() -> SessionOptions {
    SessionOptions { operation_timeout_ms: Some(1_000), connect_timeout_ms: Some(2_000), ..options() }
}

#[tokio::test]
async fn no_secret_of_an_authorizer_is_in_an_outcome_or_in_the_log_whatever_goes_wrong() {
    within(async {
        for version in VERSIONS {
            let log = Log::listen();
            let cloud = guarded().await;
            let link = cloud.front.link();
            let config = with(right(), version, 443);
            let mut device = cloud.open_along(cloud.anonymous_route(), &config, &impatient()).await;
            let faults: [&dyn Fn(); 7] = [
                &|| {},
                &|| link.cut(),
                &|| link.half_open(),
                &|| link.garbage_after_handshake(2),
                &|| link.silence_after_handshake(1),
                &|| link.answer_connects(if version == Version::V5 { 0x86 } else { 4 }, 1),
                &|| link.break_at_accept(Break::Reset, 1),
            ];
            let told = told(&mut device, "a/1", &faults).await;
            let distrusted = Route::new(ENDPOINT, roots(&Authority::new())).mqtt();
            let mut stranger = cloud.open_along(distrusted, &config, &options()).await;
            stranger.connect().await.unwrap_err();

            let secrets = [TOKEN, TOKEN_SIGNATURE, PASSWORD];
            assert!(told.contains("Disconnect"), "{told}");
            assert_hidden("outcomes", &told, &secrets);
            assert_hidden("configuration", &format!("{config:?} {config:#?}"), &secrets);
            assert_hidden("ledger", &format!("{:#?}", cloud.front.ledger().connects()), &secrets);
            let text = log.take();
            speaks_of(&text, ENDPOINT);
            assert_hidden("log", &text, &secrets);
        }
    })
    .await;
}

#[tokio::test]
async fn neither_device_secret_nor_signature_is_in_an_outcome_or_in_the_log_whoever_signs() {
    within(async {
        let signature = signature();
        let hidden = [DEVICE_SECRET, signature.as_str()];
        for is_host in [false, true] {
            let log = Log::listen();
            let cloud = AliyunBrokerCloud::start().await;
            let link = cloud.front.link();
            let (broker, known_secrets) =
                if is_host { (signed_by_the_host(), secrets()) } else { (known(), DeviceSecrets::new()) };
            let shown = format!("{:?} {:#?} {known_secrets:?}", session(broker.clone()), session(broker.clone()));
            assert!(shown.contains(DEVICE_NAME));
            assert_hidden("configuration", &shown, &hidden);
            let mut device = cloud.open(broker.clone(), known_secrets, &impatient()).await;
            let forget = || cloud.front.remove_device(PRODUCT_KEY, DEVICE_NAME);
            let faults: [&dyn Fn(); 6] = [
                &|| {},
                &|| link.cut(),
                &|| link.half_open(),
                &|| link.garbage_after_handshake(2),
                &|| link.answer_connects(2, 1),
                &forget,
            ];
            let mut told = told(&mut device, TOPIC, &faults).await;
            told.push_str(&format!("{:?}", device.session.connect().await.unwrap()));
            assert_hidden("outcomes", &told, &hidden);
            // Nor in what is told when it is another device's, or malformed.
            for broker in [
                AliyunBroker { device_name: "stranger-1".to_owned(), ..broker.clone() },
                AliyunBroker { client_id: Some(signature.clone()[..20].to_owned()), ..known() },
            ] {
                let error = cloud.refused(broker, DeviceSecrets::new()).await;
                assert_hidden("refusal", &format!("{error} {error:#?}"), &hidden);
            }
            let text = log.take();
            speaks_of(&text, &broker::ENDPOINT.to_lowercase());
            assert_hidden("log", &text, &hidden);
            // The front was shown the right signature, so what was searched for is what there is.
            assert!(cloud.front.ledger().counts().admitted > 0);
        }
    })
    .await;
}

#[tokio::test]
async fn the_private_key_is_nowhere_in_the_instance() {
    within(async {
        let cloud = MqttCloud::start().await;
        let certificate = cloud.device.certificate_pem.lines().nth(1).unwrap();
        let payload = "an unmistakable payload of the test, ".repeat(1_000);
        let memories = VisibleMemories::default();
        let pre = visible_mqtt(&memories);
        let look = || {
            let contents = memories.contents();
            for (name, trace) in traces(&cloud.device.private_key_pem) {
                assert!(!contents.contain(&trace), "{name} is in the guest");
            }
            assert!(!contents.contain(certificate.as_bytes()), "the certificate is in the guest");
            assert!(contents.contain(b"an unmistakable payload of the test"), "the search would find nothing");
        };
        for (version, port) in [(Version::V311, 8883), (Version::V5, 443)] {
            let config = changed(config(version, port), |session| session.keep_alive_s = Some(30));
            let transport = cloud.transport(cloud.route());
            let mut device = Device::open_with(&pre, transport, Arc::default(), &config, &impatient(), &[]).await;
            device.connect().await.unwrap();
            device.publish(&at_least_once("a/1", payload.clone())).await;
            look();
            device.settle().await;
            cloud.front.link().cut();
            device.until(|device| !device.connections().is_empty()).await;
            cloud.front.link().half_open();
            device.publish(&at_least_once("a/1", payload.clone())).await;
            look();
            device.settle().await;
            look();
        }
        assert_eq!(memories.contents().count(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_device_secret_is_nowhere_in_the_instance_where_the_host_signs() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        for is_host in [true, false] {
            for sign_method in [SignMethod::HmacMd5, SignMethod::HmacSha1, SignMethod::HmacSha256] {
                let memories = VisibleMemories::default();
                let signer = if is_host { Signer::Host } else { secret(DEVICE_SECRET) };
                let authentication = AliyunMqttAuthentication::Signature(AliyunMqttSignature {
                    signer,
                    sign_method,
                    timestamp_ms: None,
                });
                let config = session(AliyunBroker { authentication, ..known() });
                let route = Route::new(broker::ENDPOINT, roots(&cloud.authority)).mqtt();
                let transport = transport(route, &[(443, cloud.front.addr())]);
                let pre = visible_mqtt(&memories);
                let mut device =
                    Device::open_with(&pre, transport, Arc::new(secrets()), &config, &options(), &[]).await;
                device.connect().await.unwrap();
                let contents = memories.contents();
                assert!(contents.contain(DEVICE_NAME.as_bytes()));
                assert_eq!(contents.contain(DEVICE_SECRET.as_bytes()), !is_host);
                device.publish(&at_least_once(TOPIC, *b"21.5")).await;
                device.settle().await;
                assert_eq!(memories.contents().contain(DEVICE_SECRET.as_bytes()), !is_host);
            }
        }
    })
    .await;
}
