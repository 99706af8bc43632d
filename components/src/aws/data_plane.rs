//! Interface `aws-data-plane`: each function is one operation on a client.

use alloc::string::String;
use alloc::vec::Vec;

use super::operation;
use crate::Component;
use crate::bindings::exports::thingpost::iot::aws_data_plane::{
    ClientBorrow, Connection, ConnectionQuery, DirectMessage, Disconnection, Error, Guest, Page, Receipt,
    RetainedEntries, RetainedMessage, Shadow, ShadowListing, ShadowNames, ShadowUpdate, SubscriptionListing,
    Subscriptions,
};
use crate::bindings::exports::thingpost::iot::aws_data_plane_types::{Operation, Reply};
use crate::publisher::client::Client;

/// The reply of an operation as what it must be: the core gives each operation its own kind of reply.
macro_rules! operate {
    ($client:ident, $operation:expr, $reply:ident) => {
        match operate($client, $operation)? {
            Reply::$reply(reply) => Ok(reply),
            _ => unreachable!("the core gives each operation its own kind of reply"),
        }
    };
}

impl Guest for Component {
    fn get_shadow(client: ClientBorrow<'_>, shadow: Shadow) -> Result<Vec<u8>, Error> {
        operate!(client, Operation::GetShadow(shadow), Document)
    }

    fn update_shadow(client: ClientBorrow<'_>, update: ShadowUpdate) -> Result<Vec<u8>, Error> {
        operate!(client, Operation::UpdateShadow(update), Document)
    }

    fn delete_shadow(client: ClientBorrow<'_>, shadow: Shadow) -> Result<Vec<u8>, Error> {
        operate!(client, Operation::DeleteShadow(shadow), Document)
    }

    fn list_named_shadows(client: ClientBorrow<'_>, listing: ShadowListing) -> Result<ShadowNames, Error> {
        operate!(client, Operation::ListNamedShadows(listing), ShadowNames)
    }

    fn get_retained_message(client: ClientBorrow<'_>, topic: String) -> Result<RetainedMessage, Error> {
        operate!(client, Operation::GetRetainedMessage(topic), RetainedMessage)
    }

    fn list_retained_messages(client: ClientBorrow<'_>, page: Page) -> Result<RetainedEntries, Error> {
        operate!(client, Operation::ListRetainedMessages(page), RetainedEntries)
    }

    fn send_direct_message(client: ClientBorrow<'_>, message: DirectMessage) -> Result<Receipt, Error> {
        operate!(client, Operation::SendDirectMessage(message), Done)
    }

    fn get_connection(client: ClientBorrow<'_>, query: ConnectionQuery) -> Result<Connection, Error> {
        operate!(client, Operation::GetConnection(query), Connection)
    }

    fn list_subscriptions(client: ClientBorrow<'_>, listing: SubscriptionListing) -> Result<Subscriptions, Error> {
        operate!(client, Operation::ListSubscriptions(listing), Subscriptions)
    }

    fn delete_connection(client: ClientBorrow<'_>, disconnection: Disconnection) -> Result<Receipt, Error> {
        operate!(client, Operation::DeleteConnection(disconnection), Done)
    }
}

fn operate(client: ClientBorrow<'_>, operation: Operation) -> Result<Reply, Error> {
    client.get::<Client>().operate(operation::operation(operation)).map(operation::reply)
}
