//! For programs that are not asynchronous.

use std::sync::Arc;

use thingpost::{Message, Receipt};
use tokio::runtime::{Builder, Runtime};

use crate::error::{OpenError, PublishError};

/// A [`Client`](crate::Client) whose functions block. Cheap to clone. Not to be used from within an asynchronous runtime, which
/// would stand still.
#[derive(Debug, Clone)]
pub struct Client {
    client: crate::Client,
    runtime: Arc<Runtime>,
}

impl Client {
    /// Runs a client on a thread of its own, where its idle connections are looked after too.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn new(client: crate::Client) -> Result<Self, OpenError> {
        let mut runtime = Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("thingpost-client").enable_all().build();
        Ok(Self { client, runtime: Arc::new(runtime.map_err(OpenError::Runtime)?) })
    }

    /// Publishes a message.
    ///
    /// # Errors
    ///
    /// As with [`Client::publish`](crate::Client::publish).
    pub fn publish(&self, message: Message) -> Result<Receipt, PublishError> {
        self.runtime.block_on(self.client.publish(message))
    }

    /// Publishes messages at once, and gives their outcomes in their order.
    pub fn publish_all(&self, messages: Vec<Message>) -> Vec<Result<Receipt, PublishError>> {
        self.runtime.block_on(self.client.publish_all(messages))
    }

    /// As [`Client::credential`](crate::Client::credential).
    pub fn credential(&self) -> Option<String> {
        self.client.credential()
    }
}
