//! What holds for every operation is tested with every operation: here is one of each, and an account in which each of them
//! succeeds.

use thingpost_emulator::{AwsAction, ConnectedClient, Subscription};
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{
    ConnectionQuery, DirectMessage, Disconnection, Error, Message, ShadowListing, ShadowUpdate, SubscriptionListing,
};

use super::{FIRST_PAGE, THING, classic, named};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::message::{at_least_once, at_most_once};

pub const CLIENT: &str = "console 1/é";
pub const TOPIC: &str = "rooms/1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    GetShadow,
    UpdateShadow,
    DeleteShadow,
    ListNamedShadows,
    GetRetainedMessage,
    ListRetainedMessages,
    SendUnconfirmedMessage,
    SendConfirmedMessage,
    GetConnection,
    ListSubscriptions,
    DeleteConnection,
}

use Operation::*;

impl Operation {
    pub const ALL: [Self; 11] = [
        GetShadow,
        UpdateShadow,
        DeleteShadow,
        ListNamedShadows,
        GetRetainedMessage,
        ListRetainedMessages,
        SendUnconfirmedMessage,
        SendConfirmedMessage,
        GetConnection,
        ListSubscriptions,
        DeleteConnection,
    ];

    pub fn is_read(self) -> bool {
        match self {
            GetShadow | ListNamedShadows | GetRetainedMessage | ListRetainedMessages | GetConnection
            | ListSubscriptions => true,
            UpdateShadow | DeleteShadow | SendUnconfirmedMessage | SendConfirmedMessage | DeleteConnection => false,
        }
    }

    pub fn is_direct_message(self) -> bool {
        matches!(self, SendUnconfirmedMessage | SendConfirmedMessage)
    }

    /// What a policy must allow, and on what.
    pub fn permission(self) -> (AwsAction, &'static str) {
        match self {
            GetShadow => {
                (AwsAction::GetThingShadow, "iot:GetThingShadow on arn:aws:iot:eu-central-1:*:thing/thermometer-7")
            }
            UpdateShadow => (
                AwsAction::UpdateThingShadow,
                "iot:UpdateThingShadow on arn:aws:iot:eu-central-1:*:thing/thermometer-7/state",
            ),
            DeleteShadow => (
                AwsAction::DeleteThingShadow,
                "iot:DeleteThingShadow on arn:aws:iot:eu-central-1:*:thing/thermometer-7/state",
            ),
            ListNamedShadows => (
                AwsAction::ListNamedShadowsForThing,
                "iot:ListNamedShadowsForThing on arn:aws:iot:eu-central-1:*:thing/thermometer-7",
            ),
            GetRetainedMessage => {
                (AwsAction::GetRetainedMessage, "iot:GetRetainedMessage on arn:aws:iot:eu-central-1:*:topic/rooms/1")
            }
            ListRetainedMessages => (AwsAction::ListRetainedMessages, "iot:ListRetainedMessages on *"),
            SendUnconfirmedMessage | SendConfirmedMessage => {
                (AwsAction::SendDirectMessage, "iot:SendDirectMessage on arn:aws:iot:eu-central-1:*:client/console 1/é")
            }
            GetConnection => {
                (AwsAction::GetConnection, "iot:GetConnection on arn:aws:iot:eu-central-1:*:client/console 1/é")
            }
            ListSubscriptions => {
                (AwsAction::ListSubscriptions, "iot:ListSubscriptions on arn:aws:iot:eu-central-1:*:client/console 1/é")
            }
            DeleteConnection => {
                (AwsAction::DeleteConnection, "iot:DeleteConnection on arn:aws:iot:eu-central-1:*:client/console 1/é")
            }
        }
    }

    /// Does it, and checks what it gives as far as that can be known.
    pub async fn run(self, publisher: &mut Publisher) -> Result<(), Error> {
        let mut aws = publisher.aws();
        match self {
            GetShadow => {
                let document = aws.get_shadow(&classic()).await.unwrap()?;
                assert!(document.starts_with(br#"{"state":{"reported":{"temperature":21}}"#), "{document:?}");
            }
            UpdateShadow => {
                let update = ShadowUpdate {
                    shadow: named("state"),
                    document: br#"{"state":{"desired":{"a":1}}}"#.to_vec(),
                    max_state_bytes: None,
                };
                aws.update_shadow(&update).await.unwrap()?;
            }
            DeleteShadow => {
                aws.delete_shadow(&named("state")).await.unwrap()?;
            }
            ListNamedShadows => {
                let listing = ShadowListing { thing: THING.to_owned(), page: FIRST_PAGE };
                assert_eq!(aws.list_named_shadows(&listing).await.unwrap()?.names, ["state"]);
            }
            GetRetainedMessage => {
                assert_eq!(aws.get_retained_message(TOPIC).await.unwrap()?.payload, b"kept");
            }
            ListRetainedMessages => {
                assert_eq!(aws.list_retained_messages(&FIRST_PAGE).await.unwrap()?.entries.len(), 1);
            }
            SendUnconfirmedMessage => {
                let message = at_most_once("alarms", b"fire");
                aws.send_direct_message(&direct(message)).await.unwrap()?;
            }
            SendConfirmedMessage => {
                let message = at_least_once("alarms", b"fire");
                aws.send_direct_message(&direct(message)).await.unwrap()?;
            }
            GetConnection => {
                let query = ConnectionQuery { client_id: CLIENT.to_owned(), socket_information: false };
                assert!(aws.get_connection(&query).await.unwrap()?.connected);
            }
            ListSubscriptions => {
                let listing = SubscriptionListing { client_id: CLIENT.to_owned(), page: FIRST_PAGE };
                assert_eq!(aws.list_subscriptions(&listing).await.unwrap()?.entries.len(), 1);
            }
            DeleteConnection => {
                let client_id = CLIENT.to_owned();
                let disconnection = Disconnection { client_id, clean_session: false, prevent_will: false };
                aws.delete_connection(&disconnection).await.unwrap()?;
            }
        }
        Ok(())
    }
}

fn direct(message: Message) -> DirectMessage {
    DirectMessage { client_id: CLIENT.to_owned(), message, timeout_s: None }
}

/// An account in which there is something for each of them.
pub async fn furnished() -> AwsCloud {
    let cloud = AwsCloud::start_for_everybody().await;
    let subscription = Subscription { topic_filter: "rooms/#".to_owned(), qos: 1 };
    cloud.emulator.add_client(ConnectedClient { subscriptions: vec![subscription], ..ConnectedClient::new(CLIENT) });
    let mut publisher = cloud.publisher().await;
    let document = br#"{"state":{"reported":{"temperature":21}}}"#.to_vec();
    for shadow in [classic(), named("state")] {
        let update = ShadowUpdate { shadow, document: document.clone(), max_state_bytes: None };
        publisher.aws().update_shadow(&update).await.unwrap().unwrap();
    }
    let kept = Message { retain: true, ..at_least_once(TOPIC, b"kept") };
    publisher.publish(&kept).await.unwrap().unwrap();
    cloud
}
