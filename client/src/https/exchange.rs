//! Drives an exchange of the core over the transport of the host.

use std::future::pending;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use thingpost::exchange::Step;
use thingpost::{Credential, Exchange, Message, Options, Platform, Receipt};
use thingpost_host::Transport;
use tokio::sync::OwnedMutexGuard;
use tokio::time::sleep;

use super::credentials::Credentials;
use super::request::send;
use crate::clock::{now, seed, until};
use crate::error::PublishError;

/// A device, and all that its publications have in common.
pub(crate) struct Device {
    pub transport: Transport,
    pub platform: Arc<dyn Platform>,
    /// Signs in place of an exchange, where publications must not authenticate at the same time.
    pub signs: Option<Arc<dyn Platform>>,
    pub options: Options,
    pub credentials: Credentials,
}

impl Device {
    /// Publishes these messages, and gives their outcomes in their order.
    pub async fn publish(&self, messages: Vec<Message>) -> Vec<Result<Receipt, PublishError>> {
        let known = self.credentials.known();
        let mut credential = known.credential;
        let exchange = Exchange::new(self.platform.clone(), self.options.clone(), credential.clone(), seed(), messages);
        // The options were checked when the client was opened.
        let Ok(exchange) = exchange else { return Vec::new() };
        let mut exchange = exchange.with_clock_ahead_ms(known.clock_ahead_ms).answered_before(known.has_been_answered);
        let mut under_way = FuturesUnordered::new();
        let mut turn = None;
        loop {
            let step = exchange.poll(now());
            if turn.is_some() && !exchange.is_authenticating() {
                self.credentials.learn(&exchange, credential.as_ref());
                credential = exchange.credential().cloned();
                turn = None;
            }
            match step {
                Step::Done => break,
                Step::Sign(signing) => {
                    // A signature that was asked for is given, or another credential in its place.
                    let (mine, other) = self.turn(credential.as_ref()).await;
                    match other {
                        Some(other) => {
                            exchange.handle_credential(now(), other.clone());
                            credential = Some(other);
                        }
                        None => {
                            let signature = self.signs.as_ref().and_then(|signs| signs.sign(&signing));
                            exchange.handle_signature(now(), signature.ok_or("nothing signs".to_owned().into()));
                            turn = Some(mine);
                        }
                    }
                }
                Step::Send(outgoing) => under_way.push(send(&self.transport, outgoing)),
                Step::Wait(until_ms) => {
                    let alarm = async {
                        match until_ms {
                            Some(until_ms) => sleep(until(until_ms)).await,
                            None => pending().await,
                        }
                    };
                    tokio::select! {
                        Some((id, answered)) = under_way.next() => exchange.handle_response(now(), id, answered),
                        () = alarm => {}
                    }
                }
            }
        }
        self.credentials.learn(&exchange, credential.as_ref());
        let explained = exchange.outcomes().map(|(context, outcome)| {
            outcome.map_err(|error| {
                let explanation = self.platform.explain(&error, context);
                PublishError::new(error, explanation)
            })
        });
        explained.collect()
    }

    /// The turn to authenticate; and a credential that came while it was waited for, which makes that needless.
    async fn turn(&self, mine: Option<&Credential>) -> (OwnedMutexGuard<()>, Option<Credential>) {
        let turn = self.credentials.turn().await;
        let known = self.credentials.known().credential;
        (turn, known.filter(|known| Some(known) != mine))
    }
}
