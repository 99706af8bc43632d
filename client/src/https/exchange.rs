//! Drives an exchange of the core over the transport of the host.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use thingpost::exchange::Step;
use thingpost::{Cause, Exchange, Message, Options, Platform, Receipt, Signing};
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
        let mut turn = Turn::NotWanted;
        loop {
            let step = exchange.poll(now());
            if matches!(turn, Turn::Mine(_)) && !exchange.is_authenticating() {
                self.credentials.learn(&exchange, credential.as_ref());
                credential = exchange.credential().cloned();
                turn = Turn::NotWanted;
            }
            match step {
                Step::Done => break,
                // Asked again after a pause, by the one whose turn it is.
                Step::Sign(signing) if matches!(turn, Turn::Mine(_)) => self.sign(&mut exchange, &signing),
                Step::Sign(signing) => turn = Turn::Awaited(Box::pin(self.credentials.turn()), signing),
                Step::Send(outgoing) => under_way.push(send(&self.transport, outgoing)),
                Step::Wait(until_ms) => {
                    let alarm = async {
                        match until_ms {
                            Some(until_ms) => sleep(until(until_ms)).await,
                            None => pending().await,
                        }
                    };
                    let came = tokio::select! {
                        Some((id, answered)) = under_way.next() => {
                            exchange.handle_response(now(), id, answered);
                            None
                        }
                        came = turn.comes() => Some(came),
                        () = alarm => None,
                    };
                    let Some((mine, signing)) = came else { continue };
                    // While it was waited for, another one may have obtained what makes it needless.
                    let known = self.credentials.known().credential;
                    match known.filter(|known| Some(known) != credential.as_ref()) {
                        Some(other) => {
                            exchange.handle_credential(now(), other.clone());
                            credential = Some(other);
                        }
                        None => {
                            self.sign(&mut exchange, &signing);
                            turn = Turn::Mine(mine);
                        }
                    }
                }
            }
        }
        self.credentials.learn(&exchange, credential.as_ref());
        let has_waited = matches!(turn, Turn::Awaited(..));
        let explained = exchange.outcomes().map(|(context, outcome)| {
            outcome.map_err(|mut error| {
                if has_waited && error.cause == Cause::SigningFailed {
                    error.detail =
                        Some("another message of this device was authenticating for all of that time".to_owned());
                }
                let explanation = self.platform.explain(&error, context);
                PublishError::new(error, explanation)
            })
        });
        explained.collect()
    }

    fn sign(&self, exchange: &mut Exchange, signing: &Signing) {
        let signature = self.signs.as_ref().and_then(|signs| signs.sign(signing));
        exchange.handle_signature(now(), signature.ok_or("nothing signs".to_owned().into()));
    }
}

/// The turn of one publication to authenticate.
enum Turn {
    NotWanted,
    /// With what is to be signed when it comes.
    Awaited(Pin<Box<dyn Future<Output = OwnedMutexGuard<()>> + Send>>, Signing),
    /// Until it is known what came of it, pauses and further attempts included.
    Mine(#[expect(dead_code, reason = "it is held")] OwnedMutexGuard<()>),
}

impl Turn {
    /// Resolves when it has come, if it is awaited; and is not awaited any more.
    async fn comes(&mut self) -> (OwnedMutexGuard<()>, Signing) {
        let Self::Awaited(coming, _) = self else { return pending().await };
        let mine = coming.await;
        match std::mem::replace(self, Self::NotWanted) {
            Self::Awaited(_, signing) => (mine, signing),
            Self::NotWanted | Self::Mine(_) => pending().await,
        }
    }
}
