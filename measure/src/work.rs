//! What can be measured.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Failure;
use crate::client::Client;
use crate::peer::Peer;

/// Something to be done again and again.
pub enum Work {
    /// Messages to publish.
    Load(Load),
    /// A function.
    Function(Box<dyn FnMut()>),
    /// A program in another language.
    Peer(Peer),
}

/// How much was done in what time.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// All of it.
    pub total: Duration,
    /// So many messages, or calls.
    pub count: u64,
}

impl Taken {
    /// Seconds for one. Some take a few nanoseconds, which a `Duration` would cut off.
    pub fn each(self) -> f64 {
        self.total.as_secs_f64() / self.count as f64
    }
}

impl Work {
    /// Does it so many times.
    pub async fn run(&mut self, times: u32) -> Result<Taken, Failure> {
        match self {
            Self::Load(load) => load.run(times).await,
            Self::Function(function) => {
                let begin = Instant::now();
                (0..times).for_each(|_| function());
                Ok(Taken { total: begin.elapsed(), count: times.into() })
            }
            Self::Peer(peer) => {
                let count = u64::from(times) * peer.messages() as u64;
                Ok(Taken { total: peer.publish(times)?, count })
            }
        }
    }
}

impl From<Load> for Work {
    fn from(load: Load) -> Self {
        Self::Load(load)
    }
}

/// How much is published at once, and by whom.
pub struct Load {
    clients: Vec<Client>,
    order: Order,
    messages_per_call: usize,
    payload: usize,
}

#[derive(Clone, Copy)]
enum Order {
    SideBySide,
    InTurn,
}

impl Load {
    /// One message at a time.
    pub fn one(client: Client, payload: usize) -> Self {
        Self::side_by_side(vec![client], payload)
    }

    /// Each client has one message at a time under way, all of them at once.
    pub fn side_by_side(clients: Vec<Client>, payload: usize) -> Self {
        Self { clients, order: Order::SideBySide, messages_per_call: 1, payload }
    }

    /// One message at a time, of the next client each time.
    pub fn in_turn(clients: Vec<Client>, payload: usize) -> Self {
        Self { clients, order: Order::InTurn, messages_per_call: 1, payload }
    }

    /// Many messages per call.
    pub fn batches(client: Client, messages_per_call: usize, payload: usize) -> Self {
        Self { clients: vec![client], order: Order::InTurn, messages_per_call, payload }
    }

    /// Lets each client make so many calls.
    ///
    /// Each publisher is a task, so that the one who waits for all has no part in it.
    pub async fn run(&mut self, calls: u32) -> Result<Taken, Failure> {
        let (messages, payload, clients) = (self.messages_per_call, self.payload, self.clients.len());
        let groups: Vec<Vec<Client>> = match self.order {
            Order::SideBySide => self.clients.drain(..).map(|client| vec![client]).collect(),
            Order::InTurn => vec![std::mem::take(&mut self.clients)],
        };
        let begin = Instant::now();
        let mut running: JoinSet<Result<Vec<Client>, Failure>> = groups
            .into_iter()
            .map(|mut clients| async move {
                for _ in 0..calls {
                    for client in &mut clients {
                        client.publish(messages, payload).await?;
                    }
                }
                Ok(clients)
            })
            .collect();
        while let Some(clients) = running.join_next().await {
            self.clients.extend(clients??);
        }
        let count = u64::from(calls) * clients as u64 * messages as u64;
        Ok(Taken { total: begin.elapsed(), count })
    }
}
