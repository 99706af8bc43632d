//! Shadows, retained messages, direct messages and connections, through the publisher's client.
//!
//! The outer result of each function is the instance's: its error means that the instance has trapped.

use wasmtime::component::{Instance, ResourceAny};
use wasmtime::{Result, Store};

use super::bindings::exports::thingpost::iot::aws_data_plane::Guest;
use super::calls::{Call, GuestStore};
use super::interfaces::Interfaces;
use super::state::PublisherState;
use super::types::{
    Connection, ConnectionQuery, DirectMessage, Disconnection, Error, Page, Receipt, RetainedEntries, RetainedMessage,
    Shadow, ShadowListing, ShadowNames, ShadowUpdate, SubscriptionListing, Subscriptions,
};

/// The other operations of the AWS data plane. `wit/aws.wit` says more about each.
pub struct DataPlane<'a> {
    store: &'a mut GuestStore<PublisherState>,
    interfaces: &'a Interfaces,
    instance: Instance,
    client: ResourceAny,
}

impl<'a> DataPlane<'a> {
    pub(super) fn new(
        store: &'a mut GuestStore<PublisherState>,
        interfaces: &'a Interfaces,
        instance: Instance,
        client: ResourceAny,
    ) -> Self {
        Self { store, interfaces, instance, client }
    }

    fn begin(&mut self) -> Result<(Guest, &mut Store<PublisherState>, Call<'_>)> {
        let (store, call) = self.store.begin()?;
        Ok((self.interfaces.data_plane(store, &self.instance)?, store, call))
    }

    /// The document of a shadow, JSON as AWS wrote it.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn get_shadow(&mut self, shadow: &Shadow) -> Result<Result<Vec<u8>, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_get_shadow(store, client, shadow)).await
    }

    /// Changes a shadow, or makes it. Gives what was accepted.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn update_shadow(&mut self, update: &ShadowUpdate) -> Result<Result<Vec<u8>, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_update_shadow(store, client, update)).await
    }

    /// Deletes a shadow. Gives the version that is gone.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn delete_shadow(&mut self, shadow: &Shadow) -> Result<Result<Vec<u8>, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_delete_shadow(store, client, shadow)).await
    }

    /// The names of a thing's shadows.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn list_named_shadows(&mut self, listing: &ShadowListing) -> Result<Result<ShadowNames, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_list_named_shadows(store, client, listing)).await
    }

    /// The message that a topic has kept.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn get_retained_message(&mut self, topic: &str) -> Result<Result<RetainedMessage, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_get_retained_message(store, client, topic)).await
    }

    /// The topics that have kept a message.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn list_retained_messages(&mut self, page: &Page) -> Result<Result<RetainedEntries, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_list_retained_messages(store, client, page)).await
    }

    /// Sends a message to one MQTT client.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn send_direct_message(&mut self, message: &DirectMessage) -> Result<Result<Receipt, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_send_direct_message(store, client, message)).await
    }

    /// The connection of an MQTT client.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn get_connection(&mut self, query: &ConnectionQuery) -> Result<Result<Connection, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_get_connection(store, client, query)).await
    }

    /// The subscriptions of an MQTT client.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn list_subscriptions(&mut self, listing: &SubscriptionListing) -> Result<Result<Subscriptions, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_list_subscriptions(store, client, listing)).await
    }

    /// Disconnects an MQTT client.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn delete_connection(&mut self, disconnection: &Disconnection) -> Result<Result<Receipt, Error>> {
        let client = self.client;
        let (guest, store, call) = self.begin()?;
        call.run(guest.call_delete_connection(store, client, disconnection)).await
    }
}
