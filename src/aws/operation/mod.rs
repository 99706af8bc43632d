//! On the endpoint where messages are published, shadows are kept, retained messages read, single clients written to and
//! connections looked at. The SDKs do all that with access keys only; the same certificate or authorizer that publishes
//! will do here. Each operation is a request to make and an answer to read.

mod body;
mod permission;
mod reply;
mod request;

use alloc::string::String;
use alloc::vec::Vec;

use super::Config;
use crate::error::Error;
use crate::exchange::{ErrorContext, Exchange};
use crate::http::{Request, Response};
use crate::message::{Message, Qos, RequestError};
use crate::operation::{self, Operation as AnyOperation};
use crate::outcome::Receipt;
use crate::platform::Platform;

pub use reply::{
    ClientConnection, ClientSubscription, Reply, RetainedEntry, RetainedMessage, Socket, read_operation_response,
};
pub use request::operation_request;
use request::unauthorised_request;

/// Something other than a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The document of a shadow.
    GetShadow(Shadow),
    /// Changes a shadow, or makes it.
    UpdateShadow {
        /// Which shadow.
        shadow: Shadow,
        /// A JSON object with a `state`. With a `version`, that must be the shadow's.
        document: Vec<u8>,
        /// How many bytes the `state` may have without white space. None: 8,192, unless the quota has been raised.
        max_state_bytes: Option<u32>,
    },
    /// Deletes a shadow.
    DeleteShadow(Shadow),
    /// The names of a thing's shadows.
    ListNamedShadows {
        /// The thing.
        thing: String,
        /// Which part.
        page: Page,
    },
    /// The message that a topic has kept.
    GetRetainedMessage {
        /// The topic.
        topic: String,
    },
    /// The topics that have kept a message.
    ListRetainedMessages(Page),
    /// Sends a message to one MQTT client.
    SendDirectMessage(DirectMessage),
    /// The connection of an MQTT client.
    GetConnection {
        /// The MQTT client.
        client_id: String,
        /// Whether addresses and ports are wanted too.
        socket_information: bool,
    },
    /// The subscriptions of an MQTT client.
    ListSubscriptions {
        /// The MQTT client.
        client_id: String,
        /// Which part.
        page: Page,
    },
    /// Disconnects an MQTT client.
    DeleteConnection(ClientDisconnection),
}

/// A shadow of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// The thing.
    pub thing: String,
    /// The name of the shadow; the classic one has none.
    pub name: Option<String>,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// How many at most.
    pub size: Option<u32>,
    /// Where the part before has ended.
    pub token: Option<String>,
}

/// A message for one MQTT client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectMessage {
    /// The MQTT client.
    pub client_id: String,
    /// The message. With [`Qos::AtLeastOnce`] AWS waits until the client has confirmed it.
    pub message: Message,
    /// How long AWS waits for the confirmation.
    pub timeout_s: Option<u32>,
}

/// A connection to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDisconnection {
    /// The MQTT client.
    pub client_id: String,
    /// Whether its session is forgotten too.
    pub clean_session: bool,
    /// Whether its last will stays unsaid.
    pub prevent_will: bool,
}

impl AnyOperation for Operation {
    fn qos(&self) -> Qos {
        match self {
            Self::GetShadow(_)
            | Self::ListNamedShadows { .. }
            | Self::GetRetainedMessage { .. }
            | Self::ListRetainedMessages(_)
            | Self::GetConnection { .. }
            | Self::ListSubscriptions { .. } => Qos::AtLeastOnce,
            Self::SendDirectMessage(direct) => direct.message.qos,
            Self::UpdateShadow { .. } | Self::DeleteShadow(_) | Self::DeleteConnection(_) => Qos::AtMostOnce,
        }
    }

    fn request(&self, platform: &dyn Platform) -> Result<Request, RequestError> {
        unauthorised_request(on_aws(platform)?, self)
    }

    fn read_reply(&self, platform: &dyn Platform, response: &Response) -> Result<operation::Reply, Error> {
        let reply = read_operation_response(on_aws(platform)?, self, response)?;
        let receipt = match &reply {
            Reply::Done(receipt) => receipt.clone(),
            _ => Receipt { message_id: None, trace_id: None, attempts: 1 },
        };
        Ok(operation::Reply::new(receipt, reply))
    }
}

/// The configuration, if it is of AWS.
fn on_aws(platform: &dyn Platform) -> Result<&Config, RequestError> {
    platform.downcast_ref().ok_or(RequestError::Unsupported)
}

/// What an exchange with one [`Operation`] has given, with the subject of it.
pub fn reply(exchange: &Exchange) -> Option<(&ErrorContext, Result<Reply, Error>)> {
    let (context, reply) = exchange.reply()?;
    let reply = reply.map(|reply| match reply.downcast_ref() {
        Some(Reply::Done(_)) | None => Reply::Done(reply.receipt.clone()),
        Some(given) => given.clone(),
    });
    Some((context, reply))
}
