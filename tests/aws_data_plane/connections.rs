//! Who is connected, to what they have subscribed, and how they are made to go.

use thingpost_emulator::{AwsConnections, ConnectedClient, Subscription};
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{
    Cause, Connection, ConnectionQuery, Disconnection, Error, Field, Page, Qos, Socket, SubscriptionListing,
};

use super::{FIRST_PAGE, assert_found_before, assert_refused, page_of};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;

async fn get(publisher: &mut Publisher, client_id: &str, socket_information: bool) -> Result<Connection, Error> {
    let query = ConnectionQuery { client_id: client_id.to_owned(), socket_information };
    publisher.aws().get_connection(&query).await.unwrap()
}

fn listing(client_id: &str, page: Page) -> SubscriptionListing {
    SubscriptionListing { client_id: client_id.to_owned(), page }
}

fn disconnection(client_id: &str) -> Disconnection {
    Disconnection { client_id: client_id.to_owned(), clean_session: false, prevent_will: false }
}

#[tokio::test]
async fn a_connection_is_told_with_all_that_aws_knows() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for client_id in ["console", "dev/1 ü %2F", "a?b&c=d", "é".repeat(128).as_str()] {
            cloud.emulator.add_client(ConnectedClient {
                thing_name: Some("thermometer-7".to_owned()),
                clean_session: false,
                session_expiry_seconds: 7_200,
                keep_alive_seconds: 30,
                ..ConnectedClient::new(client_id)
            });
            let without = get(&mut publisher, client_id, false).await.unwrap();
            assert!(without.connected_since_ms.is_some_and(|since| since > 1_700_000_000_000));
            let expected = Connection {
                connected: true,
                client_id: Some(client_id.to_owned()),
                thing_name: Some("thermometer-7".to_owned()),
                clean_session: Some(false),
                keep_alive_s: Some(30),
                session_expiry_s: Some(7_200),
                connected_since_ms: without.connected_since_ms,
                disconnected_since_ms: None,
                disconnect_reason: None,
                source: None,
                target: None,
                vpc_endpoint_id: None,
            };
            assert_eq!(without, expected);
            let with = get(&mut publisher, client_id, true).await.unwrap();
            let socket = |ip: &str, port| Some(Socket { ip: ip.to_owned(), port: Some(port) });
            let (source, target) = (socket("192.0.2.7", 49_152), socket("198.51.100.1", 8_883));
            assert_eq!(with, Connection { source, target, ..expected });
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_has_gone_is_told_with_when_and_why_until_it_is_forgotten() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        cloud.emulator.add_client(ConnectedClient::new("console"));
        cloud.emulator.lose_client("console");
        let gone = get(&mut publisher, "console", true).await.unwrap();
        assert_eq!((gone.connected, gone.disconnect_reason.as_deref()), (false, Some("CONNECTION_LOST")));
        assert!(gone.disconnected_since_ms.is_some() && gone.connected_since_ms.is_none());
        assert_eq!((gone.source, gone.target), (None, None));

        cloud.emulator.shift_clock_ms(31 * 60 * 1_000);
        for client_id in ["console", "never heard of"] {
            let error = get(&mut publisher, client_id, false).await.unwrap_err();
            assert_refused(&error, Cause::NotFound, 404);
            assert!(error.explanation.contains("no client of this id is known"), "{}", error.explanation);
        }
    })
    .await;
}

#[tokio::test]
async fn subscriptions_are_listed_in_parts() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let filters: Vec<String> = (0..25).map(|index| format!("rooms/{index:02}/+/é \"x\"/#")).collect();
        let subscription = |(index, filter): (usize, &String)| Subscription {
            topic_filter: filter.clone(),
            qos: u8::from(index % 2 == 1),
        };
        let subscriptions = filters.iter().enumerate().map(subscription).collect();
        cloud.emulator.add_client(ConnectedClient { subscriptions, ..ConnectedClient::new("console") });
        cloud.emulator.add_client(ConnectedClient::new("deaf"));
        for (size, parts) in [(Some(4), 7), (Some(25), 1), (Some(100), 1), (None, 2)] {
            let (mut listed, mut count, mut token) = (Vec::new(), 0, None);
            loop {
                let listing = listing("console", Page { size, token });
                let part = publisher.aws().list_subscriptions(&listing).await.unwrap().unwrap();
                listed.extend(part.entries);
                count += 1;
                token = part.next;
                if token.is_none() {
                    break;
                }
            }
            assert_eq!(count, parts, "{size:?}");
            assert!(listed.iter().map(|entry| &entry.topic_filter).eq(&filters), "{size:?}");
            for (index, entry) in listed.iter().enumerate() {
                assert_eq!(entry.qos, if index % 2 == 1 { Qos::AtLeastOnce } else { Qos::AtMostOnce });
            }
        }
        let none = publisher.aws().list_subscriptions(&listing("deaf", FIRST_PAGE)).await.unwrap().unwrap();
        assert_eq!((none.entries.len(), none.next), (0, None));
        let unknown = listing("never heard of", FIRST_PAGE);
        let error = publisher.aws().list_subscriptions(&unknown).await.unwrap().unwrap_err();
        assert_refused(&error, Cause::NotFound, 404);
    })
    .await;
}

#[tokio::test]
async fn a_client_is_disconnected_as_it_was_asked_for() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for (clean_session, prevent_will) in [(false, false), (true, false), (false, true), (true, true)] {
            cloud.emulator.add_client(ConnectedClient { clean_session: false, ..ConnectedClient::new("dev/1 ü") });
            let wanted = Disconnection { clean_session, prevent_will, ..disconnection("dev/1 ü") };
            let receipt = publisher.aws().delete_connection(&wanted).await.unwrap().unwrap();
            assert_eq!((receipt.attempts, receipt.message_id), (1, None));
            assert!(receipt.trace_id.is_some());
            let done = cloud.emulator.disconnections().pop().unwrap();
            assert_eq!(done.client_id, "dev/1 ü");
            assert_eq!((done.clean_session, done.prevent_will_message), (clean_session, prevent_will));
            let gone = get(&mut publisher, "dev/1 ü", false).await.unwrap();
            assert_eq!(gone.disconnect_reason.as_deref(), Some("API_INITIATED_DISCONNECT"));
        }
        let error = publisher.aws().delete_connection(&disconnection("dev/1 ü")).await.unwrap().unwrap_err();
        assert_refused(&error, Cause::NotFound, 404);
        assert_eq!(cloud.emulator.disconnections().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn client_ids_and_pages_that_cannot_be_are_refused_without_a_connection() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for client_id in ["", "$aws", ".", "..", "a\n", &"x".repeat(129)] {
            let cause = Cause::InvalidField(Field::ClientId);
            assert_found_before(&get(&mut publisher, client_id, false).await.unwrap_err(), cause);
            let error = publisher.aws().list_subscriptions(&listing(client_id, FIRST_PAGE)).await.unwrap();
            assert_found_before(&error.unwrap_err(), cause);
            let error = publisher.aws().delete_connection(&disconnection(client_id)).await.unwrap();
            assert_found_before(&error.unwrap_err(), cause);
        }
        for size in [0, 201] {
            let error = publisher.aws().list_subscriptions(&listing("console", page_of(size, None))).await.unwrap();
            assert_found_before(&error.unwrap_err(), Cause::InvalidField(Field::PageSize));
        }
        assert_eq!(cloud.emulator.connections(), AwsConnections::default());
    })
    .await;
}
