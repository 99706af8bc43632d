//! Publishing over HTTPS.

mod credentials;
mod exchange;
mod request;

use std::fmt;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use thingpost::{Message, Options, Platform, Receipt};
use thingpost_host::Transport;

pub(crate) use credentials::Credentials;
pub(crate) use exchange::Device;

use crate::error::{OpenError, PublishError};

/// A device that publishes over HTTPS. Cheap to clone; all clones share connections and credential.
///
/// Each message has one outcome: a [`Receipt`], or a [`PublishError`] that says whether it may have arrived. Dropping the future of
/// a publication before it ends leaves that open.
#[derive(Clone)]
pub struct Client(Arc<Device>);

impl Client {
    pub(crate) fn new(device: Device) -> Self {
        Self(Arc::new(device))
    }

    /// A client of any platform of the core, over any transport that has a route to it. Signatures are made by the platform itself.
    ///
    /// # Errors
    ///
    /// Options with which nothing would ever be sent.
    pub fn over(transport: Transport, platform: Arc<dyn Platform>, options: Options) -> Result<Self, OpenError> {
        options.check()?;
        Ok(Self::new(Device { transport, platform, signs: None, options, credentials: Credentials::default() }))
    }

    /// Publishes a message.
    ///
    /// # Errors
    ///
    /// It was not delivered; [`PublishError::delivery`] says where it stands.
    pub async fn publish(&self, message: Message) -> Result<Receipt, PublishError> {
        // One message, one outcome.
        self.0.publish(vec![message]).await.remove(0)
    }

    /// Publishes messages at once, up to [`max_in_flight`](thingpost::Options::max_in_flight) of them under way at a time; gives
    /// their outcomes in their order.
    pub async fn publish_all(&self, messages: Vec<Message>) -> Vec<Result<Receipt, PublishError>> {
        self.0.publish(messages).await
    }

    /// Publishes messages as they come, and gives their outcomes as they are known, each with its message. Of `messages` no more is
    /// taken than is under way: their source has to wait.
    pub fn publish_stream<S>(
        &self,
        messages: S,
    ) -> impl Stream<Item = (Message, Result<Receipt, PublishError>)> + Send + use<S>
    where
        S: Stream<Item = Message> + Send,
    {
        let client = self.clone();
        let in_flight = usize::try_from(client.0.options.max_in_flight).unwrap_or(usize::MAX);
        let published = messages.map(move |message| {
            let client = client.clone();
            async move {
                let outcome = client.publish(message.clone()).await;
                (message, outcome)
            }
        });
        published.buffer_unordered(in_flight)
    }

    /// What the device has obtained by authenticating, as text, for [`Builder::credential`](crate::Builder::credential) in the next run. A secret. None on
    /// platforms, and for ways to authenticate, that give out none, and before the first message.
    pub fn credential(&self) -> Option<String> {
        let credential = self.0.credentials.known().credential?;
        self.0.platform.export_credential(&credential)
    }
}

/// Shows nothing of the device.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
