//! A broker that has forgotten a client says so in one bit, and then nothing comes any more. So what was subscribed to is
//! remembered here, and asked for anew.

use alloc::string::String;
use alloc::vec::Vec;

use crate::message::Qos;

/// AWS takes so many in one packet.
const PER_PACKET: usize = 8;

/// A topic filter, and how often its messages may arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// A topic, perhaps with wildcards.
    pub filter: String,
    /// The most that is wanted.
    pub qos: Qos,
    /// What only MQTT 5 can be asked for. None: as with 3.1.1.
    pub options: Option<SubscriptionOptions>,
}

impl Subscription {
    /// As both versions have it.
    pub fn new(filter: impl Into<String>, qos: Qos) -> Self {
        Self { filter: filter.into(), qos, options: None }
    }
}

/// What MQTT 5 can be asked for beside that. By default it is as with 3.1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionOptions {
    /// What this client has published itself does not come.
    pub no_local: bool,
    /// A message that was published to be retained says so, even if it has not waited for the subscription.
    pub retain_as_published: bool,
    /// Whether what the topics have kept comes.
    pub retain_handling: RetainHandling,
}

/// Whether what the topics have kept comes, when the broker is asked for a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetainHandling {
    /// Each time, and that is also after a reconnect at which the broker has forgotten it.
    #[default]
    Always,
    /// Where the broker does not know the subscription yet.
    IfNew,
    /// Never.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be asked for.
    Wanted,
    /// Refused for now: to be asked for then.
    Resting { until_ms: u64 },
    /// Asked for under this packet identifier, in this place of the packet.
    Asked { id: u16, index: usize },
    /// The broker has it.
    Granted,
    /// To be ended.
    Unwanted,
    /// Its end is asked for under this packet identifier.
    Ending(u16),
}

#[derive(Debug)]
struct Item {
    subscription: Subscription,
    state: State,
    /// Whether the broker has been told of it.
    is_known: bool,
    /// How many connections have ended before it was answered.
    losses: u32,
    /// The last one was broken off, which proves nothing.
    is_suspect: bool,
    /// How many times it was refused for now, and since when.
    refusals: u32,
    refused_since_ms: u64,
}

impl Item {
    fn new(subscription: Subscription, state: State, is_known: bool) -> Self {
        Self { subscription, state, is_known, losses: 0, is_suspect: false, refusals: 0, refused_since_ms: 0 }
    }

    fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked { .. } | State::Ending(_))
    }
}

/// What is to be asked for next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Subscribe(Vec<Subscription>),
    Unsubscribe(String),
}

#[derive(Debug, Default)]
pub(super) struct Subscriptions(Vec<Item>);

impl Subscriptions {
    /// Adds a subscription, or changes its options.
    pub fn want(&mut self, subscription: Subscription) {
        let old = self.0.iter().position(|item| item.subscription.filter == subscription.filter);
        let is_known = old.is_some_and(|index| self.0.remove(index).is_known);
        self.0.push(Item::new(subscription, State::Wanted, is_known));
    }

    /// Ends a subscription. `may_be_known` says whether the broker may remember one from before this session. False if there is
    /// nothing to tell the broker.
    pub fn end(&mut self, filter: &str, may_be_known: bool) -> bool {
        match self.0.iter().position(|item| item.subscription.filter == filter) {
            Some(index) if self.0[index].is_known || may_be_known => self.0[index].state = State::Unwanted,
            Some(index) => {
                self.0.remove(index);
                return false;
            }
            None if may_be_known => {
                let subscription = Subscription::new(filter, Qos::AtMostOnce);
                self.0.push(Item::new(subscription, State::Unwanted, true));
            }
            None => return false,
        }
        true
    }

    /// There is a connection. A broker that remembers needs to be told only what it has not answered; for one that has
    /// forgotten, what was to be ended is at its end: these filters.
    pub fn connected(&mut self, session_present: bool) -> Vec<String> {
        let mut ended = Vec::new();
        self.0.retain_mut(|item| {
            let is_unwanted = matches!(item.state, State::Unwanted | State::Ending(_));
            if is_unwanted && !session_present {
                ended.push(item.subscription.filter.clone());
                return false;
            }
            item.state = match item.state {
                State::Granted if session_present => State::Granted,
                State::Resting { until_ms } => State::Resting { until_ms },
                _ if is_unwanted => State::Unwanted,
                _ => State::Wanted,
            };
            true
        });
        ended
    }

    /// What is to be asked for next.
    pub fn next(&self) -> Option<Ask> {
        // After a connection has ended upon several, it is not known upon which: so one at a time.
        let is_cautious = self.0.iter().any(|item| item.losses > 0 || item.is_suspect);
        if is_cautious && self.is_any_asked() {
            return None;
        }
        if let Some(item) = self.0.iter().find(|item| item.state == State::Unwanted) {
            return Some(Ask::Unsubscribe(item.subscription.filter.clone()));
        }
        let wanted = self.0.iter().filter(|item| item.state == State::Wanted);
        let wanted = wanted.take(if is_cautious { 1 } else { PER_PACKET });
        let wanted: Vec<_> = wanted.map(|item| item.subscription.clone()).collect();
        (!wanted.is_empty()).then_some(Ask::Subscribe(wanted))
    }

    /// It was asked for under this packet identifier.
    pub fn asked(&mut self, ask: &Ask, id: u16) {
        for item in &mut self.0 {
            match ask {
                Ask::Subscribe(all) => {
                    if let Some(index) = all.iter().position(|asked| *asked == item.subscription) {
                        item.state = State::Asked { id, index };
                        item.is_known = true;
                    }
                }
                Ask::Unsubscribe(filter) if *filter == item.subscription.filter => item.state = State::Ending(id),
                Ask::Unsubscribe(_) => {}
            }
        }
    }

    /// The connection has ended: what was asked for may be why. Those that were there each time so often are given up, and
    /// returned.
    pub fn lost(&mut self, is_blamed: bool, max_losses: u32) -> Vec<(String, bool)> {
        let mut given_up = Vec::new();
        self.0.retain_mut(|item| {
            if !item.is_asked() || !is_blamed {
                return true;
            }
            item.losses += 1;
            if item.losses < max_losses {
                return true;
            }
            given_up.push((item.subscription.filter.clone(), matches!(item.state, State::Ending(_))));
            false
        });
        given_up
    }

    /// The connection was broken off: what was asked for may be why, or not.
    pub fn reset(&mut self) {
        for item in &mut self.0 {
            item.is_suspect |= item.is_asked();
        }
    }

    /// This one is refused for now. False if that has gone on for longer than `patience_ms`.
    pub fn rest(&mut self, filter: &str, now_ms: u64, patience_ms: u64) -> bool {
        let Some(item) = self.0.iter_mut().find(|item| item.subscription.filter == filter) else { return false };
        if item.refusals == 0 {
            item.refused_since_ms = now_ms;
        }
        item.refusals = item.refusals.saturating_add(1);
        let deadline_ms = item.refused_since_ms.saturating_add(patience_ms);
        item.state = State::Resting { until_ms: now_ms.saturating_add(rest_ms(item.refusals)).min(deadline_ms) };
        now_ms < deadline_ms
    }

    /// Those that have rested enough are wanted again. Says when the next one has.
    pub fn wake(&mut self, now_ms: u64) -> Option<u64> {
        let mut next_ms = None;
        for item in &mut self.0 {
            match item.state {
                State::Resting { until_ms } if until_ms <= now_ms => item.state = State::Wanted,
                State::Resting { until_ms } => next_ms = Some(next_ms.map_or(until_ms, |next: u64| next.min(until_ms))),
                _ => {}
            }
        }
        next_ms
    }

    /// Whether something waits for its answer.
    pub fn is_any_asked(&self) -> bool {
        self.0.iter().any(Item::is_asked)
    }

    /// Whether nothing is to be asked for, and nothing waits for its answer: messages do not wait for one that rests.
    pub fn is_settled(&self) -> bool {
        self.0.iter().all(|item| matches!(item.state, State::Granted | State::Resting { .. }))
    }

    /// The answer to what was asked for under this packet identifier, one code each.
    pub fn subscribed(&mut self, id: u16, codes: &[u8]) -> Vec<(String, Option<u8>)> {
        let mut answers = Vec::new();
        for item in &mut self.0 {
            let State::Asked { id: asked, index } = item.state else { continue };
            if asked != id {
                continue;
            }
            item.state = State::Granted;
            item.losses = 0;
            item.is_suspect = false;
            let code = codes.get(index).copied();
            if code.is_some_and(is_granted) {
                item.refusals = 0;
            }
            answers.push((item.subscription.filter.clone(), code));
        }
        answers
    }

    /// The answer to the end of one.
    pub fn unsubscribed(&mut self, id: u16) -> Option<String> {
        let index = self.0.iter().position(|item| item.state == State::Ending(id))?;
        Some(self.0.remove(index).subscription.filter)
    }

    /// Forgets one that cannot be asked for, or is not granted.
    pub fn forget(&mut self, filter: &str) {
        self.0.retain(|item| item.subscription.filter != filter);
    }
}

/// How long something rests that was refused for now, by how many times that has happened to it.
pub(super) fn rest_ms(refusals: u32) -> u64 {
    200_u64.saturating_mul(1 << refusals.saturating_sub(1).min(4)).min(2000)
}

/// Below are the levels of service.
pub(super) fn is_granted(code: u8) -> bool {
    code < 0x80
}
