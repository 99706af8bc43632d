//! A server that is down is asked by every message at once: thirty at a time, four tries for each of a hundred thousand
//! lines, and each of them learns the same. While nothing gets through, one request asks for all of them, and the
//! others keep their time for when it comes back.
//!
//! Two things are watched. *Silence*: no answer of any kind since a request failed. Then there is one request under way
//! and no more than two begin in any second. *Drought*: nothing was taken, be it for silence, refusals or rejected
//! tokens. When that has lasted for as long as one message may take, those that were never sent are not sent any more.

use super::kind::more_telling;
use super::{Options, RequestId};
use crate::error::Error;

/// No more than two requests begin within this while there is silence.
const WINDOW_MS: u64 = 1_000;

/// What a connection gets at least where it is not said how much: a handshake over a slow mobile link takes two to three
/// seconds, and one lost packet doubles that.
const FIRST_CONNECT_TIMEOUT_MS: u32 = 10_000;

/// Such a part of a message's time the first connection gets, if that is more: the next one, with twice as long, then has all that is
/// left. So more time for a message is more time for its connection.
const FIRST_CONNECT_PART: u32 = 3;

#[derive(Debug)]
pub(super) struct Outage {
    /// When the last two requests began, the earlier one first.
    begun_ms: [Option<u64>; 2],
    /// Whether there was an answer at all.
    has_heard: bool,
    silence: Option<Silence>,
    drought: Option<Drought>,
    /// When something was taken last.
    taken_ms: u64,
    connect_timeout_ms: u32,
    /// Whether the caller says how long a connection may take.
    is_connect_timeout_fixed: bool,
}

#[derive(Debug)]
struct Silence {
    /// Requests that failed one after the other, those that were under way together counted once.
    failures: u32,
    wakes_ms: u64,
    probe: Option<RequestId>,
}

#[derive(Debug)]
struct Drought {
    since_ms: u64,
    error: Error,
}

impl Outage {
    pub fn new(options: &Options) -> Self {
        Self {
            begun_ms: [None, None],
            has_heard: false,
            silence: None,
            drought: None,
            taken_ms: 0,
            connect_timeout_ms: options
                .connect_timeout_ms
                .unwrap_or(FIRST_CONNECT_TIMEOUT_MS.max(options.timeout_ms / FIRST_CONNECT_PART)),
            is_connect_timeout_fixed: options.connect_timeout_ms.is_some(),
        }
    }

    /// How long a connection may take now.
    pub fn connect_timeout_ms(&self) -> u32 {
        self.connect_timeout_ms
    }

    /// There was no connection within so many milliseconds. A slow link gets more the next time, a dead address no more
    /// than half of what a message has left.
    pub fn connected_too_slowly(&mut self, within_ms: u32) {
        if !self.is_connect_timeout_fixed {
            self.connect_timeout_ms = self.connect_timeout_ms.max(within_ms.saturating_mul(2));
        }
    }

    /// Whether a request may begin.
    pub fn allows(&self, now_ms: u64) -> bool {
        self.silence.as_ref().is_none_or(|silence| silence.probe.is_none() && self.opens_ms(silence) <= now_ms)
    }

    /// When the next request may begin, unless one is waited for.
    pub fn opens_at(&self, now_ms: u64) -> Option<u64> {
        let silence = self.silence.as_ref().filter(|silence| silence.probe.is_none())?;
        Some(self.opens_ms(silence)).filter(|opens_ms| *opens_ms > now_ms)
    }

    fn opens_ms(&self, silence: &Silence) -> u64 {
        let second_ms = self.begun_ms[0].map_or(0, |begun_ms| begun_ms.saturating_add(WINDOW_MS));
        silence.wakes_ms.max(second_ms)
    }

    pub fn begun(&mut self, now_ms: u64, id: RequestId) {
        self.begun_ms = [self.begun_ms[1], Some(now_ms)];
        if let Some(silence) = &mut self.silence {
            silence.probe = Some(id);
        }
    }

    /// A request is not sent after all. The next one may be, in its place.
    pub fn withdrawn(&mut self, id: RequestId) {
        if let Some(silence) = &mut self.silence {
            silence.probe.take_if(|probe| *probe == id);
        }
    }

    /// There was an answer, whatever it says.
    pub fn heard(&mut self) {
        self.has_heard = true;
        self.silence = None;
    }

    /// Whether there was an answer since the beginning.
    pub fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// Requests that have failed one after the other.
    pub fn failures(&self) -> u32 {
        self.silence.as_ref().map_or(0, |silence| silence.failures)
    }

    /// A request has no answer. The next one begins after this pause, if it was the one that was waited for, whatever it was
    /// and why ever it failed. Silence begins only where that tells something of the network.
    pub fn failed(&mut self, now_ms: u64, id: RequestId, pause_ms: u64, is_telling: bool) {
        let wakes_ms = now_ms.saturating_add(pause_ms);
        match &mut self.silence {
            None if !is_telling => {}
            None => self.silence = Some(Silence { failures: 1, wakes_ms, probe: None }),
            Some(silence) if silence.probe == Some(id) => {
                *silence = Silence { failures: silence.failures.saturating_add(1), wakes_ms, probe: None };
            }
            // It was under way when the silence began.
            Some(_) => {}
        }
    }

    /// The platform has decided on a message.
    pub fn taken(&mut self, now_ms: u64) {
        self.taken_ms = now_ms;
        self.drought = None;
    }

    /// A message that was sent at this time was not taken.
    pub fn not_taken(&mut self, sent_ms: u64, error: &Error, is_cut_short: bool) {
        let since_ms = sent_ms.max(self.taken_ms);
        let (since_ms, before) = match self.drought.take() {
            Some(Drought { since_ms: earlier_ms, error }) => (earlier_ms.min(since_ms), Some(error)),
            None => (since_ms, None),
        };
        self.drought = Some(Drought { since_ms, error: more_telling(before, error.clone(), is_cut_short) });
    }

    /// Since when nothing was taken.
    pub fn since_ms(&self) -> Option<u64> {
        self.drought.as_ref().map(|drought| drought.since_ms)
    }

    /// Why nothing was taken.
    pub fn error(&self) -> Option<&Error> {
        self.drought.as_ref().map(|drought| &drought.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Stage;
    use crate::http::TransportErrorKind;

    fn outage() -> Outage {
        Outage::new(&Options::default())
    }

    #[test]
    fn in_silence_one_request_is_under_way_and_two_begin_in_a_second() {
        let mut outage = outage();
        outage.begun(0, 0);
        outage.begun(100, 1);
        outage.failed(150, 0, 200, true);
        assert!(!outage.allows(999), "the third in a second");
        assert_eq!(outage.opens_at(500), Some(1_000));
        assert!(outage.allows(1_000));
        outage.begun(1_000, 2);
        assert!(!outage.allows(50_000), "one is under way");
        assert_eq!(outage.opens_at(50_000), None);
        outage.failed(1_010, 1, 5_000, true);
        assert!(!outage.allows(50_000), "another one has failed, which was under way before");
        outage.failed(1_020, 2, 400, true);
        assert_eq!((outage.failures(), outage.opens_at(1_020)), (2, Some(1_420)));
    }

    #[test]
    fn a_request_that_tells_nothing_of_the_network_begins_no_silence_and_is_waited_for_no_longer() {
        let mut outage = outage();
        outage.begun(0, 0);
        outage.failed(10, 0, 200, false);
        assert!(outage.allows(10));
        outage.failed(10, 0, 200, true);
        outage.begun(2_000, 1);
        outage.failed(2_010, 1, 400, false);
        assert_eq!((outage.failures(), outage.opens_at(2_010)), (2, Some(2_410)));
    }

    #[test]
    fn the_first_answer_ends_the_silence() {
        let mut outage = outage();
        outage.begun(0, 0);
        outage.failed(0, 0, 2_000, true);
        assert!(!outage.allows(100) && !outage.has_heard());
        outage.heard();
        assert!(outage.allows(100) && outage.has_heard());
    }

    #[test]
    fn a_drought_begins_with_the_request_that_failed_or_what_was_taken_last() {
        let error = Error::transport(Stage::Publication, TransportErrorKind::Unreachable.into());
        let mut outage = outage();
        outage.not_taken(300, &error, false);
        outage.not_taken(200, &error, false);
        assert_eq!(outage.since_ms(), Some(200));
        outage.taken(500);
        assert_eq!(outage.since_ms(), None);
        outage.not_taken(400, &error, false);
        assert_eq!(outage.since_ms(), Some(500));
    }

    #[test]
    fn a_message_with_much_time_gives_its_connection_a_third_of_it_at_first() {
        for (timeout_ms, expected) in [(1_000, 10_000), (30_000, 10_000), (60_000, 20_000), (u32::MAX, u32::MAX / 3)] {
            let outage = Outage::new(&Options { timeout_ms, ..Options::default() });
            assert_eq!(outage.connect_timeout_ms(), expected);
        }
    }

    #[test]
    fn a_connection_gets_twice_the_time_after_it_came_too_late_unless_the_caller_has_said_how_long() {
        let mut patient = outage();
        assert_eq!(patient.connect_timeout_ms(), 10_000);
        patient.connected_too_slowly(10_000);
        patient.connected_too_slowly(10_000);
        assert_eq!(patient.connect_timeout_ms(), 20_000);
        let mut fixed = Outage::new(&Options { connect_timeout_ms: Some(3_000), ..Options::default() });
        fixed.connected_too_slowly(3_000);
        assert_eq!(fixed.connect_timeout_ms(), 3_000);
    }
}
