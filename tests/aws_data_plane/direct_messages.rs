//! Messages for one client: past rules and subscriptions, and confirmed where that is wanted.

use thingpost_emulator::{AwsConnections, ConnectedClient, Device};
use thingpost_host::runtime::types::{
    Cause, Delivery, DirectMessage, Field, Message, Options, PayloadFormat, Properties, Retry, TopicError,
};

use super::{assert_found_before, assert_refused};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, at_most_once, patterned};

fn to(client_id: &str, message: Message) -> DirectMessage {
    DirectMessage { client_id: client_id.to_owned(), message, timeout_s: None }
}

fn silent(client_id: &str) -> ConnectedClient {
    ConnectedClient { acknowledges: false, ..ConnectedClient::new(client_id) }
}

#[tokio::test]
async fn a_direct_message_reaches_its_client_with_all_that_came_with_it() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for client_id in ["console", "dev/1 ü %2F", "a?b&c=d", &"é".repeat(128)] {
            cloud.emulator.add_client(ConnectedClient::new(client_id));
            let properties = Properties {
                content_type: Some("text/plain; charset=utf-8".to_owned()),
                response_topic: Some("answers/1 é".to_owned()),
                message_expiry_s: None,
                payload_format: Some(PayloadFormat::Utf8Data),
                correlation_data: Some((0..=255).collect()),
                user_properties: vec![("n".to_owned(), "1".to_owned()), ("n".to_owned(), "é".to_owned())],
            };
            let message =
                Message { properties: Some(properties.clone()), ..at_least_once("alarms/room 1 & 2/é", b"fire") };
            let confirmed = DirectMessage { timeout_s: Some(15), ..to(client_id, message) };
            let receipt = publisher.aws().send_direct_message(&confirmed).await.unwrap().unwrap();
            assert_eq!((receipt.attempts, receipt.message_id), (1, None));
            assert!(receipt.trace_id.is_some());

            let delivered = cloud.emulator.direct_messages().pop().unwrap();
            assert_eq!(delivered.client_id, client_id);
            assert_eq!((delivered.topic.as_str(), delivered.payload.as_slice()), ("alarms/room 1 & 2/é", &b"fire"[..]));
            assert_eq!((delivered.qos, delivered.timeout_seconds, delivered.acknowledged), (1, Some(15), true));
            assert_eq!(delivered.content_type, properties.content_type);
            assert_eq!(delivered.response_topic, properties.response_topic);
            assert_eq!(delivered.payload_format_indicator.as_deref(), Some("UTF8_DATA"));
            assert_eq!(delivered.correlation_data, properties.correlation_data);
            assert_eq!(delivered.user_properties, properties.user_properties);
            let Device::Certificate { fingerprint, .. } = delivered.sender else { panic!("{delivered:?}") };
            assert_eq!(fingerprint, cloud.device.fingerprint);
        }
        // It is no publication.
        assert_eq!(cloud.emulator.ledger().entries(), []);
    })
    .await;
}

#[tokio::test]
async fn without_a_confirmation_nobody_waits_for_one() {
    within(async {
        let cloud = AwsCloud::start().await;
        cloud.emulator.add_client(silent("console"));
        let mut publisher = cloud.publisher().await;
        for payload in [Vec::new(), patterned(131_072)] {
            let message = to("console", at_most_once("alarms", payload.clone()));
            assert_eq!(publisher.aws().send_direct_message(&message).await.unwrap().unwrap().attempts, 1);
            let delivered = cloud.emulator.direct_messages().pop().unwrap();
            assert!(delivered.payload == payload);
            assert_eq!((delivered.qos, delivered.timeout_seconds, delivered.acknowledged), (0, None, false));
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_that_nobody_confirms_may_have_arrived_and_is_sent_again() {
    within(async {
        let cloud = AwsCloud::start().await;
        cloud.emulator.add_client(silent("console"));
        let options = Options { max_attempts: Some(3), ..options() };
        let mut publisher = cloud.open(8443, cloud.route(), &options).await;
        let message = to("console", at_least_once("alarms", b"fire"));
        let error = publisher.aws().send_direct_message(&message).await.unwrap().unwrap_err();
        assert_eq!((error.cause, error.delivery, error.attempts), (Cause::Unconfirmed, Delivery::Unknown, 3));
        assert!(matches!(error.retry, Retry::AfterMs(_)), "{:?}", error.retry);
        assert!(error.explanation.contains("may have arrived"), "{}", error.explanation);
        assert_eq!(error.answer.unwrap().status, 504);
        assert_eq!(cloud.emulator.direct_messages().len(), 3);

        // Once it answers, so does AWS.
        cloud.emulator.add_client(ConnectedClient::new("console"));
        assert_eq!(publisher.aws().send_direct_message(&message).await.unwrap().unwrap().attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_is_not_there_gets_nothing_and_the_sender_knows() {
    within(async {
        let cloud = AwsCloud::start().await;
        let persistent = ConnectedClient { clean_session: false, ..ConnectedClient::new("asleep") };
        for client in [ConnectedClient::new("gone"), persistent] {
            cloud.emulator.add_client(client);
        }
        cloud.emulator.lose_client("gone");
        cloud.emulator.lose_client("asleep");
        let mut publisher = cloud.publisher().await;
        for client_id in ["gone", "asleep", "never heard of"] {
            for message in [at_least_once("alarms", b"fire"), at_most_once("alarms", b"fire")] {
                let error = publisher.aws().send_direct_message(&to(client_id, message)).await.unwrap().unwrap_err();
                assert_refused(&error, Cause::NotFound, 404);
                assert!(error.explanation.contains("no client of this id is connected"), "{}", error.explanation);
            }
        }
        assert_eq!(cloud.emulator.direct_messages(), []);
    })
    .await;
}

#[tokio::test]
async fn a_direct_message_that_cannot_be_is_refused_without_a_connection() {
    within(async {
        let cloud = AwsCloud::start().await;
        cloud.emulator.add_client(ConnectedClient::new("console"));
        let mut publisher = cloud.publisher().await;
        let message = || at_least_once("alarms", b"fire");
        let response_topic = |text: &str| {
            let properties = Properties { response_topic: Some(text.to_owned()), ..Properties::default() };
            Message { properties: Some(properties), ..message() }
        };
        let field = Cause::InvalidField;
        let topic = Cause::InvalidTopic;
        let too_long = "x".repeat(129);
        for (direct, cause) in [
            (to("", message()), field(Field::ClientId)),
            (to("$aws", message()), field(Field::ClientId)),
            (to("a\0", message()), field(Field::ClientId)),
            (to("..", message()), field(Field::ClientId)),
            (to(&too_long, message()), field(Field::ClientId)),
            (DirectMessage { timeout_s: Some(0), ..to("console", message()) }, field(Field::ConfirmationTimeout)),
            (DirectMessage { timeout_s: Some(16), ..to("console", message()) }, field(Field::ConfirmationTimeout)),
            (to("console", at_least_once("a/+", b"x")), topic(TopicError::Wildcard)),
            (to("console", at_least_once("", b"x")), topic(TopicError::Empty)),
            (to("console", at_least_once("a", patterned(131_073))), Cause::PayloadTooLarge),
            (to("console", response_topic("a/#")), field(Field::ResponseTopic)),
            (to("console", Message { retain: true, ..message() }), Cause::Unsupported),
            (to("console", Message { rule: Some("store".to_owned()), ..message() }), Cause::Unsupported),
        ] {
            let error = publisher.aws().send_direct_message(&direct).await.unwrap().unwrap_err();
            assert_found_before(&error, cause);
        }
        assert_eq!(cloud.emulator.connections(), AwsConnections::default());
        assert_eq!(cloud.emulator.direct_messages(), []);
    })
    .await;
}

#[tokio::test]
async fn an_expiry_that_a_direct_message_cannot_have_is_not_silently_dropped() {
    within(async {
        let cloud = AwsCloud::start().await;
        cloud.emulator.add_client(ConnectedClient::new("console"));
        let mut publisher = cloud.publisher().await;
        let properties = Properties { message_expiry_s: Some(60), ..Properties::default() };
        let message = Message { properties: Some(properties), ..at_least_once("alarms", b"fire") };
        let outcome = publisher.aws().send_direct_message(&to("console", message)).await.unwrap();
        assert!(outcome.is_err(), "AWS has no such parameter for a direct message: {outcome:?}");
    })
    .await;
}
