//! The task that holds a session: it does what the session says, and answers those who wait for an outcome.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thingpost::mqtt::{Event, Incoming, Session, Step, Subscription, Unfinished};
use thingpost::{Cause, Delivery, Error, Message, Qos, Receipt, Retry, Stage};
use thingpost_host::Transport;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use super::Status;
use super::link::Link;
use crate::clock::{monotonic_ms, until};
use crate::error::PublishError;

type Outcome<T> = Result<T, PublishError>;

/// What is asked of the task.
pub(super) enum Command {
    Publish(Message, oneshot::Sender<Outcome<Receipt>>),
    Subscribe(Subscription, oneshot::Sender<Outcome<Qos>>),
    Unsubscribe(String, oneshot::Sender<Outcome<()>>),
    /// The messages that were handed over before are safe, and another one is wanted.
    Next(oneshot::Sender<Incoming>),
    Disconnect(oneshot::Sender<Vec<Unfinished>>),
}

/// Messages that wait to be taken, at most. Of those that are at least once there are never so many: a broker sends some dozens before
/// it wants an acknowledgement. Outcomes must not wait behind messages, so nothing is left unread for them; what is at most once and
/// finds no room is dropped, and counted.
const ENOUGH: usize = 1024;

/// The session and all who wait for something of it.
pub(super) struct Driver {
    pub session: Session,
    pub transport: Transport,
    pub commands: mpsc::Receiver<Command>,
    pub status: watch::Sender<Status>,
    pub dropped: Arc<AtomicU64>,
    link: Link,
    publishing: HashMap<u64, oneshot::Sender<Outcome<Receipt>>>,
    subscribing: HashMap<String, Vec<oneshot::Sender<Outcome<Qos>>>>,
    unsubscribing: HashMap<String, Vec<oneshot::Sender<Outcome<()>>>>,
    arrived: VecDeque<Incoming>,
    /// The one who waits for the next message.
    next: Option<oneshot::Sender<Incoming>>,
    leaving: Option<oneshot::Sender<Vec<Unfinished>>>,
}

impl Driver {
    pub fn new(
        session: Session,
        transport: Transport,
        commands: mpsc::Receiver<Command>,
        status: watch::Sender<Status>,
        dropped: Arc<AtomicU64>,
    ) -> Self {
        Self {
            session,
            transport,
            commands,
            status,
            dropped,
            link: Link::new(),
            publishing: HashMap::new(),
            subscribing: HashMap::new(),
            unsubscribing: HashMap::new(),
            arrived: VecDeque::new(),
            next: None,
            leaving: None,
        }
    }

    /// Runs until it is told to disconnect, or until all clients of it are gone.
    pub async fn run(mut self) {
        self.session.keep_connecting();
        let mut is_over = false;
        loop {
            let wakes_ms = self.settle();
            if is_over && !self.session.is_leaving() {
                break;
            }
            let alarm = async {
                match wakes_ms {
                    Some(wakes_ms) => sleep(until(wakes_ms)).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                command = self.commands.recv(), if !is_over => match command {
                    Some(Command::Disconnect(left)) => {
                        self.leaving = Some(left);
                        is_over = true;
                    }
                    Some(command) => self.take(command),
                    None => is_over = true,
                },
                () = self.link.moved(&mut self.session) => {}
                () = alarm => {}
            }
            if is_over && !self.session.is_leaving() {
                // A goodbye says that what was handed over is kept. Of the rest nothing may be acknowledged: it would be lost.
                if self.leaving.is_some() && self.arrived.is_empty() {
                    self.session.acknowledge();
                }
                self.session.disconnect(monotonic_ms());
            }
        }
        let unfinished = self.session.unfinished(monotonic_ms());
        self.session.abandon();
        self.tell_events();
        self.refuse_the_rest().await;
        if let Some(left) = self.leaving.take() {
            let _ = left.send(unfinished);
        }
    }

    /// Does what can be done without waiting, and says when there is more.
    fn settle(&mut self) -> Option<u64> {
        loop {
            let step = self.session.poll(monotonic_ms());
            self.tell_events();
            match step {
                // The devices here sign themselves.
                Step::Sign(_) => self.session.handle_signature(monotonic_ms(), Err("nothing signs".to_owned().into())),
                Step::Dial { authority, timeout_ms } => {
                    self.link.dial(&self.transport, authority, Duration::from_millis(timeout_ms.into()));
                }
                Step::Close => self.link.close(),
                Step::Wait(wakes_ms) => return wakes_ms,
            }
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Publish(message, told) => match self.session.publish(monotonic_ms(), message) {
                Ok(id) => {
                    self.publishing.insert(id, told);
                }
                Err((error, explanation)) => tell(told, Err(PublishError::new(error, explanation))),
            },
            Command::Subscribe(subscription, told) => {
                let filter = subscription.filter.clone();
                match self.session.subscribe(subscription) {
                    Ok(()) => self.subscribing.entry(filter).or_default().push(told),
                    Err((error, explanation)) => tell(told, Err(PublishError::new(error, explanation))),
                }
            }
            Command::Unsubscribe(filter, told) => match self.session.unsubscribe(&filter) {
                Ok(()) => self.unsubscribing.entry(filter).or_default().push(told),
                Err((error, explanation)) => tell(told, Err(PublishError::new(error, explanation))),
            },
            Command::Next(next) => {
                self.next = Some(next);
                // Only when all that were taken from the session are with their taker.
                if self.arrived.is_empty() {
                    self.session.acknowledge();
                }
                self.hand_over();
            }
            Command::Disconnect(_) => {}
        }
    }

    fn hand_over(&mut self) {
        if let Some(next) = self.next.take_if(|_| !self.arrived.is_empty())
            && let Some(message) = self.arrived.pop_front()
            && let Err(message) = next.send(message)
        {
            // Its taker has gone away in the meantime, and may come back.
            self.arrived.push_front(message);
        }
    }

    fn tell_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.tell_event(event);
        }
        self.hand_over();
    }

    /// What was asked for too late, and never came to the session.
    async fn refuse_the_rest(&mut self) {
        self.commands.close();
        while let Some(command) = self.commands.recv().await {
            match command {
                Command::Publish(_, told) => tell(told, Err(too_late())),
                Command::Subscribe(_, told) => tell(told, Err(too_late())),
                Command::Unsubscribe(_, told) => tell(told, Err(too_late())),
                Command::Next(_) | Command::Disconnect(_) => {}
            }
        }
    }

    fn tell_event(&mut self, event: Event) {
        match event {
            Event::Connected(connection) => {
                self.status.send_replace(Status::Connected(connection));
            }
            Event::Disconnected(disconnection) => {
                self.status.send_replace(Status::Disconnected(disconnection));
            }
            Event::Message(message) if message.qos == Qos::AtMostOnce && self.arrived.len() >= ENOUGH => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
            Event::Message(message) => self.arrived.push_back(message),
            Event::Published { id, receipt } => {
                if let Some(told) = self.publishing.remove(&id) {
                    tell(told, Ok(receipt));
                }
            }
            Event::NotPublished { id, error, explanation } => {
                if let Some(told) = self.publishing.remove(&id) {
                    tell(told, Err(PublishError::new(error, explanation)));
                }
            }
            Event::Subscribed { filter, granted } => {
                let granted = granted.map_err(|(error, explanation)| PublishError::new(error, explanation));
                for told in self.subscribing.remove(&filter).into_iter().flatten() {
                    tell(told, granted.clone());
                }
            }
            Event::Unsubscribed { filter, error } => {
                let ended = match error {
                    None => Ok(()),
                    Some((error, explanation)) => Err(PublishError::new(error, explanation)),
                };
                for told in self.unsubscribing.remove(&filter).into_iter().flatten() {
                    tell(told, ended.clone());
                }
            }
        }
    }
}

fn too_late() -> PublishError {
    let error = Error {
        cause: Cause::Abandoned,
        stage: Stage::Preparation,
        delivery: Delivery::NotSent,
        retry: Retry::AfterMs(0),
        attempts: 0,
        answer: None,
        detail: None,
    };
    PublishError::new(error, "the session has ended before it came to this; open a new one".to_owned())
}

/// The one who waited may have gone away.
fn tell<T>(told: oneshot::Sender<Outcome<T>>, outcome: Outcome<T>) {
    let _ = told.send(outcome);
}
