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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be asked for.
    Wanted,
    /// Asked for under this packet identifier.
    Asked(u16),
    /// The broker has it.
    Granted,
    /// To be ended.
    Unwanted,
    /// Its end is asked for under this packet identifier.
    Ending(u16),
}

/// What is to be asked for next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Subscribe(Vec<Subscription>),
    Unsubscribe(String),
}

#[derive(Debug, Default)]
pub(super) struct Subscriptions(Vec<(Subscription, State)>);

impl Subscriptions {
    /// Wants this one, or wants it in another way.
    pub fn want(&mut self, subscription: Subscription) {
        self.forget(&subscription.filter);
        self.0.push((subscription, State::Wanted));
    }

    /// Wants it no more. False if there is no such subscription that the broker may know of.
    pub fn end(&mut self, filter: &str) -> bool {
        let Some((_, state)) = self.0.iter_mut().find(|(subscription, _)| subscription.filter == filter) else {
            return false;
        };
        if *state == State::Wanted {
            self.forget(filter);
            return false;
        }
        *state = State::Unwanted;
        true
    }

    fn forget(&mut self, filter: &str) {
        self.0.retain(|(subscription, _)| subscription.filter != filter);
    }

    /// There is a connection. A broker that remembers needs to be told only what it has not answered; for one that has
    /// forgotten, what was to be ended is at its end: these filters.
    pub fn connected(&mut self, session_present: bool) -> Vec<String> {
        let mut ended = Vec::new();
        self.0.retain_mut(|(subscription, state)| {
            let is_unwanted = matches!(state, State::Unwanted | State::Ending(_));
            if is_unwanted && !session_present {
                ended.push(subscription.filter.clone());
                return false;
            }
            *state = match *state {
                State::Granted if session_present => State::Granted,
                _ if is_unwanted => State::Unwanted,
                _ => State::Wanted,
            };
            true
        });
        ended
    }

    /// What is to be asked for next.
    pub fn next(&self) -> Option<Ask> {
        if let Some((subscription, _)) = self.0.iter().find(|(_, state)| *state == State::Unwanted) {
            return Some(Ask::Unsubscribe(subscription.filter.clone()));
        }
        let wanted = self.0.iter().filter(|(_, state)| *state == State::Wanted);
        let wanted: Vec<_> = wanted.take(PER_PACKET).map(|(subscription, _)| subscription.clone()).collect();
        (!wanted.is_empty()).then_some(Ask::Subscribe(wanted))
    }

    /// It was asked for under this packet identifier.
    pub fn asked(&mut self, ask: &Ask, id: u16) {
        for (subscription, state) in &mut self.0 {
            match ask {
                Ask::Subscribe(all) if all.contains(subscription) => *state = State::Asked(id),
                Ask::Unsubscribe(filter) if *filter == subscription.filter => *state = State::Ending(id),
                _ => {}
            }
        }
    }

    /// Whether this packet identifier waits for its answer.
    pub fn has_packet_id(&self, id: u16) -> bool {
        self.0.iter().any(|(_, state)| *state == State::Asked(id) || *state == State::Ending(id))
    }

    /// Whether something waits for its answer.
    pub fn is_any_asked(&self) -> bool {
        self.0.iter().any(|(_, state)| matches!(state, State::Asked(_) | State::Ending(_)))
    }

    /// Whether all is as it should be.
    pub fn is_settled(&self) -> bool {
        self.0.iter().all(|(_, state)| *state == State::Granted)
    }

    /// The answer to what was asked for under this packet identifier, one code each. What the broker does not grant is not
    /// asked for again.
    pub fn subscribed(&mut self, id: u16, codes: &[u8]) -> Vec<(String, Option<u8>)> {
        let mut codes = codes.iter();
        let mut answers = Vec::new();
        self.0.retain_mut(|(subscription, state)| {
            if *state != State::Asked(id) {
                return true;
            }
            *state = State::Granted;
            let code = codes.next().copied();
            answers.push((subscription.filter.clone(), code));
            code.is_some_and(is_granted)
        });
        answers
    }

    /// The answer to the end of one.
    pub fn unsubscribed(&mut self, id: u16) -> Option<String> {
        let index = self.0.iter().position(|(_, state)| *state == State::Ending(id))?;
        Some(self.0.remove(index).0.filter)
    }
}

/// Below are the levels of service.
pub(super) fn is_granted(code: u8) -> bool {
    code < 0x80
}
