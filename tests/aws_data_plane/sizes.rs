//! An answer to a publication has 65 bytes, and one to a read may have 175 KB. What is larger than any real one is not
//! read to its end.

use thingpost_emulator::{ConnectedClient, Subscription};
use thingpost_host::runtime::types::{Cause, Message, Retry, SubscriptionListing, TransportErrorKind};

use super::FIRST_PAGE;
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, patterned};
use crate::fixtures::ways::Way;

/// What the component reads of an answer.
const MAX_ANSWER: usize = 256 * 1024;

#[tokio::test]
async fn a_retained_message_of_128_kb_is_read_whole() {
    within(async {
        for way in [Way::Certificate, Way::SigV4, Way::CredentialsProvider] {
            let cloud = AwsCloud::start_for_everybody().await;
            let mut publisher = cloud.open_way(way, &options()).await;
            let message = Message { retain: true, ..at_least_once("rooms/1", patterned(131_072)) };
            publisher.publish(&message).await.unwrap().unwrap();
            let read = publisher.aws().get_retained_message("rooms/1").await.unwrap().unwrap();
            assert!(read.payload == message.payload, "{way:?}: {} bytes", read.payload.len());
        }
    })
    .await;
}

/// A list of one subscription, in an answer of this many bytes.
fn client(answer_bytes: usize) -> ConnectedClient {
    let around = r#"{"nextToken":null,"subscriptions":[{"qos":1,"topicFilter":""}]}"#.len();
    let subscription = Subscription { topic_filter: "x".repeat(answer_bytes - around), qos: 1 };
    ConnectedClient { subscriptions: vec![subscription], ..ConnectedClient::new("console") }
}

#[tokio::test]
async fn an_answer_of_256_kb_is_read_and_one_of_a_byte_more_is_refused() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let listing = SubscriptionListing { client_id: "console".to_owned(), page: FIRST_PAGE };
        cloud.emulator.add_client(client(MAX_ANSWER));
        let subscriptions = publisher.aws().list_subscriptions(&listing).await.unwrap().unwrap();
        assert!(subscriptions.entries[0].topic_filter.len() > MAX_ANSWER - 100);

        for size in [MAX_ANSWER + 1, 4 * MAX_ANSWER] {
            cloud.emulator.add_client(client(size));
            let error = publisher.aws().list_subscriptions(&listing).await.unwrap().unwrap_err();
            assert_eq!(error.cause, Cause::Transport(TransportErrorKind::AnswerTooLarge), "{size}");
            assert_eq!((error.retry, error.attempts), (Retry::Never, 1), "{size}");
        }
        // The publisher is none the worse for it.
        publisher.publish(&at_least_once("a", b"x")).await.unwrap().unwrap();
    })
    .await;
}
