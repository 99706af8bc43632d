//! A signature covers the exact bytes of path, query, headers and body, so whatever is encoded once too often or too
//! rarely between the component and AWS ends in "the request signature we calculated does not match". The emulator
//! calculates it by code of its own from what has arrived.

use thingpost_emulator::{Device, Listener};
use thingpost_host::TransportHooks;
use thingpost_host::runtime::types::{AwsAuthentication, Message, PayloadFormat, Properties, Qos};

use crate::bindings::publish::exports::thingpost::iot::aws_data_plane_types::Shadow;
use crate::bindings::publish::exports::thingpost::iot::aws_types as foreign_aws;
use crate::bindings::publish::exports::thingpost::iot::types as foreign;
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::foreign_hooks::ForeignHooks;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, patterned};
use crate::fixtures::random::Random;
use crate::fixtures::stock_host::{StockPublisher, defaults};
use crate::fixtures::ways::{
    ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, TEMPORARY_KEY_ID, TEMPORARY_SECRET, Way, temporary_key,
};

/// Whatever a path, a query or a header of HTTP could stumble over.
const DIFFICULT: [&str; 22] = [
    "a/b",
    "living room/air quality",
    "größe/温度/🌡",
    "50%/a%2Fb/%",
    "%C3%A9/%25/%",
    "/leading",
    "//",
    "a//b",
    "trailing/",
    "question?x=1&qos=7",
    "a&b=c;d",
    "a/../b/./c",
    "...",
    "~/.-_~",
    "!*'()",
    "!*'():@=,\"<>[]{}|\\^`~-_.$",
    " leading and trailing space ",
    "é",
    "e\u{301}",
    "👩‍🚀/🇪🇺",
    "\u{a0}\u{2028}\u{feff}",
    "$aws/rules/store/a b/é%/~",
];

#[tokio::test]
async fn difficult_topics_are_signed_as_they_arrive() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let mut publisher = cloud.open_way(Way::SigV4, &options()).await;
        for topic in DIFFICULT {
            cloud.emulator.ledger().clear();
            let outcome = publisher.publish(&at_least_once(topic, topic)).await.unwrap();
            assert!(outcome.is_ok(), "{topic:?}: {outcome:?}");
            let entry = cloud.only_entry();
            assert_eq!(entry.topic.as_deref(), Some(topic));
            assert_eq!(entry.payload, topic.as_bytes());
            assert_eq!(entry.device, Some(Device::AccessKey { access_key_id: ACCESS_KEY_ID.to_owned() }));
            let path = entry.target.split_once('?').unwrap().0;
            assert_eq!(path.matches('/').count(), 2, "{topic:?} is not one segment: {path}");
        }
    })
    .await;
}

#[tokio::test]
async fn payloads_from_nothing_to_128_kb_are_signed_whole() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let mut publisher = cloud.open_way(Way::SigV4, &options()).await;
        let all_bytes: Vec<u8> = (0..=255).collect();
        for payload in [vec![], all_bytes, patterned(65_537), patterned(131_072)] {
            cloud.emulator.ledger().clear();
            publisher.publish(&at_least_once("a", payload.clone())).await.unwrap().unwrap();
            let entry = cloud.only_entry();
            assert!(entry.payload == payload, "{} bytes became {}", payload.len(), entry.payload.len());
        }
    })
    .await;
}

/// Anything that a message can be.
fn arbitrary(random: &mut Random, index: usize) -> Message {
    const CHARACTERS: [char; 40] = [
        'a', 'Z', '0', '9', '/', '/', ' ', '%', '?', '&', '=', ';', '!', '*', '\'', '(', ')', '~', '-', '_', '.', ':',
        '@', ',', '"', '<', '>', '[', ']', '{', '}', '|', '\\', '^', '`', 'é', '温', '🌡', '\u{301}', '\u{a0}',
    ];
    let length = 1 + random.below(40);
    let text = random.text(&CHARACTERS, length);
    // No more than seven slashes; and so that it is never one of dots alone, or reserved.
    let topic: String =
        format!("x{text}").splitn(8, '/').map(|level| level.replace('/', "")).collect::<Vec<_>>().join("/");
    let length = random.below(2_000);
    let mut payload = index.to_be_bytes().to_vec();
    payload.extend(random.bytes(length));
    let count = random.below(4);
    let user_properties = (0..count).map(|_| (random.text(&CHARACTERS, 5), random.text(&CHARACTERS, 9))).collect();
    let content_type = random.is_odd().then(|| random.text(&CHARACTERS, 12));
    let response_topic = random.is_odd().then(|| random.text(&CHARACTERS, 12));
    let length = random.below(30);
    let correlation_data = random.is_odd().then(|| random.bytes(length));
    let message_expiry_s = random.is_odd().then(|| random.below(604_801) as u32);
    let formats = [None, Some(PayloadFormat::UnspecifiedBytes), Some(PayloadFormat::Utf8Data)];
    let payload_format = *random.one_of(&formats);
    Message {
        topic,
        payload,
        qos: if random.is_odd() { Qos::AtLeastOnce } else { Qos::AtMostOnce },
        retain: random.is_odd(),
        rule: random.is_odd().then(|| "rule_7".to_owned()),
        properties: Some(Properties {
            content_type,
            response_topic,
            message_expiry_s,
            payload_format,
            correlation_data,
            user_properties,
        }),
    }
}

#[tokio::test]
async fn two_hundred_messages_that_nobody_thought_of_arrive_as_they_were_given() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let mut random = Random::new(7);
        let messages: Vec<Message> = (0..200).map(|index| arbitrary(&mut random, index)).collect();
        let authentication = AwsAuthentication::SigV4(temporary_key());
        let mut publisher = cloud.open_as(authentication, 443, cloud.routes(Way::SigV4), &options()).await;
        let outcomes = publisher.publish_all(&messages).await.unwrap();
        let entries = cloud.emulator.ledger().entries();
        assert_eq!(entries.len(), messages.len());
        for (message, outcome) in messages.iter().zip(outcomes) {
            let receipt = outcome.unwrap_or_else(|error| panic!("{message:?}: {error:?}"));
            let entry = entries.iter().find(|entry| entry.payload == message.payload).unwrap();
            let topic = match &message.rule {
                Some(rule) => format!("$aws/rules/{rule}/{}", message.topic),
                None => message.topic.clone(),
            };
            assert_eq!(entry.topic, Some(topic));
            assert_eq!((receipt.trace_id, receipt.attempts), (entry.trace_id.clone(), 1));
            assert_eq!(entry.retain, message.retain);
            let given = message.properties.as_ref().unwrap();
            assert_eq!(entry.content_type, given.content_type);
            assert_eq!(entry.response_topic, given.response_topic);
            assert_eq!(entry.message_expiry, given.message_expiry_s);
            assert_eq!(entry.correlation_data, given.correlation_data);
            assert_eq!(entry.user_properties, given.user_properties);
        }
    })
    .await;
}

fn foreign_key(id: &str, secret: &str, session_token: Option<&str>, service: &str) -> foreign_aws::Authentication {
    foreign_aws::Authentication::SigV4(foreign_aws::SigV4 {
        access_key_id: id.to_owned(),
        secret_access_key: secret.to_owned(),
        session_token: session_token.map(str::to_owned),
        scope: foreign_aws::Scope { region: None, service: Some(service.to_owned()) },
    })
}

#[tokio::test]
async fn a_host_without_certificates_and_without_our_transport_publishes_by_signature() {
    within(async {
        for (id, secret, token, service) in [
            (ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, "iotdata"),
            (ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, "iotdevicegateway"),
            (TEMPORARY_KEY_ID, TEMPORARY_SECRET, Some(SESSION_TOKEN), "iotdata"),
        ] {
            let cloud = AwsCloud::start_for_everybody().await;
            let hooks = ForeignHooks::new(&cloud.authority, cloud.emulator.addr_alpn());
            let authentication = foreign_key(id, secret, token, service);
            let mut publisher = StockPublisher::open_as(hooks, authentication, 443, defaults()).await;
            let message = |topic: &str| foreign::Message::new(topic, topic.as_bytes(), foreign::Qos::AtMostOnce);
            let messages: Vec<foreign::Message> = DIFFICULT.map(message).to_vec();
            for (topic, outcome) in DIFFICULT.iter().zip(publisher.publish_all(&messages).await) {
                assert!(outcome.is_ok(), "{topic:?}: {outcome:?}");
            }
            let entries = cloud.emulator.ledger().accepted();
            assert_eq!(entries.len(), DIFFICULT.len());
            for entry in entries {
                assert_eq!(entry.device, Some(Device::AccessKey { access_key_id: id.to_owned() }));
                assert_eq!(entry.topic.unwrap().as_bytes(), entry.payload);
                assert_eq!(entry.listener, Listener::AwsAlpn);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn such_a_host_sends_128_kb_and_reads_shadows_too() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let hooks = ForeignHooks::new(&cloud.authority, cloud.emulator.addr_alpn());
        let authentication = foreign_key(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, "iotdata");
        let mut publisher = StockPublisher::open_as(hooks, authentication, 443, defaults()).await;
        let message = foreign::Message::new("a", patterned(131_072), foreign::Qos::AtMostOnce);
        publisher.publish_all(std::slice::from_ref(&message)).await.remove(0).unwrap();
        assert!(cloud.only_entry().payload == message.payload);

        let shadow = Shadow { thing: "thermometer-7".to_owned(), name: None };
        let error = publisher.get_shadow(&shadow).await.unwrap_err();
        assert_eq!(error.cause, foreign::Cause::NotFound);
        assert_eq!(error.answer.unwrap().status, 404);
    })
    .await;
}

#[tokio::test]
async fn a_stock_host_with_our_transport_publishes_by_signature_along_a_route_without_an_identity() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let hooks = TransportHooks::new(cloud.transport_for(Way::SigV4));
        let authentication = foreign_key(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, "iotdata");
        let mut publisher = StockPublisher::open_as(hooks, authentication, 443, defaults()).await;
        let message = foreign::Message::new("größe/50%", b"x", foreign::Qos::AtMostOnce);
        publisher.publish_all(&[message]).await.remove(0).unwrap();
        assert_eq!(cloud.only_entry().topic.as_deref(), Some("größe/50%"));
    })
    .await;
}
