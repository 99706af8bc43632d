//! A bad day as it goes on. Every port of an emulator asks here before it does what it would do on a good one.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::draws::Draws;
use super::page;
use super::plan::{Chaos, Excess, Late, RetryAfter};
use super::rate::Allowance;
use super::share::Share;
use crate::clock::Clock;
use crate::fault::{Break, Fault};

/// The conditions at the ports of one emulator. Clones are the same conditions.
#[derive(Clone, Default)]
pub(crate) struct Conditions {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Whether there is a plan: so that a good day needs no lock.
    is_rough: AtomicBool,
    state: Mutex<State>,
    /// Until when the port refuses connections.
    away_until: watch::Sender<Option<Instant>>,
}

#[derive(Default)]
struct State {
    plan: Chaos,
    draws: Draws,
    /// Of the whole endpoint.
    quota: Allowance,
    /// By client id, or by device.
    connects: HashMap<String, Allowance>,
}

/// What becomes of a message over MQTT that the cloud would take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiving {
    Take,
    /// It is told this reason, in MQTT 5.
    Refuse(u8),
    /// Nothing is said about it.
    Drop,
    /// The connection is closed. MQTT 5 is told this reason first.
    Close(u8),
    ResetBefore,
    ResetAfter,
}

/// What becomes of a PUBACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledging {
    Now,
    Late(Duration),
    Never,
}

/// MQTT 5's reason for a quota that is used up.
const QUOTA_EXCEEDED: u8 = 0x97;
/// MQTT 5's code for a client that comes too often, and what 3.1.1 has for a server that cannot now.
const CONNECTION_RATE_EXCEEDED: u8 = 0x9f;
const SERVER_UNAVAILABLE: u8 = 0x03;

impl Conditions {
    /// A bad day begins, in the place of one that there was.
    pub(crate) fn set(&self, plan: Chaos) {
        let until = (!plan.not_listening.is_zero()).then(|| Instant::now() + plan.not_listening);
        let draws = Draws::new(plan.seed);
        *self.lock() = State { plan, draws, ..State::default() };
        self.inner.is_rough.store(true, Ordering::SeqCst);
        self.inner.away_until.send_replace(until);
    }

    /// It is over.
    pub(crate) fn calm(&self) {
        self.inner.is_rough.store(false, Ordering::SeqCst);
        *self.lock() = State::default();
        self.inner.away_until.send_replace(None);
    }

    /// Waits until the port refuses connections.
    pub(crate) async fn is_away(&self) {
        let mut until = self.inner.away_until.subscribe();
        let is_ahead = |until: &Option<Instant>| until.is_some_and(|until| until > Instant::now());
        if until.wait_for(is_ahead).await.is_err() {
            pending().await
        }
    }

    /// Waits until the port takes connections.
    pub(crate) async fn is_back(&self) {
        let mut changes = self.inner.away_until.subscribe();
        loop {
            let Some(until) = *changes.borrow_and_update() else { return };
            tokio::select! {
                () = sleep_until(until) => return,
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }

    /// How late the first byte of a handshake is.
    pub(crate) fn handshake_delay(&self) -> Duration {
        self.on_a_bad_day(|state| state.plan.handshake_delay).unwrap_or_default()
    }

    /// What strikes one more request. The clock is that of the emulator.
    pub(crate) fn strike_request(&self, clock: &Clock) -> Option<Fault> {
        self.on_a_bad_day(|state| {
            let plan = &state.plan;
            let statuses = plan.statuses.iter().map(|&(status, share)| (Struck::Status(status), share));
            let shares = resets(plan).into_iter().chain(statuses);
            Some(match state.draws.requests.one_of(shares)? {
                Struck::ResetBefore => Fault::BeforeAcceptance(Break::Reset),
                Struck::ResetAfter => Fault::AfterAcceptance(Break::Reset),
                Struck::Status(status) => by_a_gateway(plan, status, clock),
                Struck::Reason(_) => return None,
            })
        })?
    }

    /// How late the answer to one more request is.
    pub(crate) fn late_answer(&self) -> Option<Duration> {
        self.on_a_bad_day(|state| {
            let late = state.plan.late_answer?;
            state.draws.answers.hits(late.share).then_some(late.by)
        })?
    }

    /// After how long an idle connection gets a 408.
    pub(crate) fn idle_408(&self) -> Option<Duration> {
        self.on_a_bad_day(|state| state.plan.idle_408)?
    }

    /// Whether the endpoint takes one more message over HTTPS.
    pub(crate) fn is_within_quota(&self, now: Instant) -> bool {
        let takes = |state: &mut State| state.plan.quota.is_none_or(|rate| state.quota.takes(rate, now));
        self.on_a_bad_day(takes).unwrap_or(true)
    }

    /// The header that says when to come again.
    pub(crate) fn retry_after(&self, clock: &Clock) -> Option<(String, String)> {
        self.on_a_bad_day(|state| retry_after(&state.plan, clock))?
    }

    /// Whether a new token of Aliyun's ends the older ones.
    pub(crate) fn has_one_token(&self) -> bool {
        self.on_a_bad_day(|state| state.plan.one_token).unwrap_or(false)
    }

    /// The code by which one more CONNECT is refused that the cloud would admit.
    pub(crate) fn refuse_connect(&self, who: &str, is_version_5: bool, now: Instant) -> Option<u8> {
        self.on_a_bad_day(|state| {
            if let Some(rate) = state.plan.connects {
                let allowance = state.connects.entry(who.to_owned()).or_default();
                if !allowance.takes(rate, now) {
                    return Some(if is_version_5 { CONNECTION_RATE_EXCEEDED } else { SERVER_UNAVAILABLE });
                }
            }
            let own = state.plan.connacks.iter().copied().filter(|(code, _)| (*code >= 0x80) == is_version_5);
            let draws = if is_version_5 { &mut state.draws.connects_of_5 } else { &mut state.draws.connects };
            draws.one_of(own)
        })?
    }

    /// What becomes of one more message over MQTT that the cloud would take. The allowance is that of its connection.
    pub(crate) fn receive(&self, allowance: &mut Allowance, qos: u8, is_version_5: bool, now: Instant) -> Receiving {
        let receive = |state: &mut State| {
            let plan = &state.plan;
            if plan.quota.is_some_and(|rate| !allowance.takes(rate, now)) {
                return match plan.excess {
                    Excess::Refuse if is_version_5 && qos == 1 => Receiving::Refuse(QUOTA_EXCEEDED),
                    Excess::Refuse | Excess::Silence => Receiving::Drop,
                    Excess::Disconnect => Receiving::Close(QUOTA_EXCEEDED),
                };
            }
            let reasons = plan.pubacks.iter().map(|&(reason, share)| (Struck::Reason(reason), share));
            let reasons = reasons.filter(|_| is_version_5 && qos == 1);
            match state.draws.messages.one_of(resets(plan).into_iter().chain(reasons)) {
                Some(Struck::ResetBefore) => Receiving::ResetBefore,
                Some(Struck::ResetAfter) => Receiving::ResetAfter,
                Some(Struck::Reason(reason)) => Receiving::Refuse(reason),
                Some(Struck::Status(_)) | None => Receiving::Take,
            }
        };
        self.on_a_bad_day(receive).unwrap_or(Receiving::Take)
    }

    /// What becomes of one more PUBACK of the broker.
    pub(crate) fn acknowledge(&self) -> Acknowledging {
        let acknowledge = |state: &mut State| {
            let Chaos { lost_puback, late_puback, .. } = state.plan;
            if state.draws.lost_pubacks.hits(lost_puback) {
                return Acknowledging::Never;
            }
            match late_puback {
                Some(Late { by, share }) if state.draws.late_pubacks.hits(share) => Acknowledging::Late(by),
                _ => Acknowledging::Now,
            }
        };
        self.on_a_bad_day(acknowledge).unwrap_or(Acknowledging::Now)
    }

    /// The cap for a client that has asked for this keep-alive, if it is capped.
    pub(crate) fn cap_keep_alive(&self, asked_for: u16) -> Option<Duration> {
        let cap = self.on_a_bad_day(|state| state.plan.keep_alive_cap)??;
        (asked_for == 0 || Duration::from_secs(asked_for.into()) > cap).then_some(cap)
    }

    fn on_a_bad_day<T>(&self, ask: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.inner.is_rough.load(Ordering::Relaxed).then(|| ask(&mut self.lock()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().expect("nothing panics while it holds the conditions")
    }
}

/// What one draw can give.
#[derive(Clone, Copy)]
enum Struck {
    ResetBefore,
    ResetAfter,
    Status(u16),
    Reason(u8),
}

fn resets(plan: &Chaos) -> [(Struck, Share); 2] {
    [(Struck::ResetBefore, plan.reset_before), (Struck::ResetAfter, plan.reset_after)]
}

fn by_a_gateway(plan: &Chaos, status: u16, clock: &Clock) -> Fault {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![header("date", &clock.http_date()), header("content-type", "text/html")];
    headers.extend(retry_after(plan, clock));
    Fault::Answer { status, headers, body: page::html(status, plan.page_bytes) }
}

fn retry_after(plan: &Chaos, clock: &Clock) -> Option<(String, String)> {
    let value = match plan.retry_after? {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Date(seconds) => clock.http_date_in(Duration::from_secs(seconds.into())),
    };
    Some(("retry-after".to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::Rate;

    fn conditions(spec: &str) -> Conditions {
        let conditions = Conditions::default();
        conditions.set(spec.parse().unwrap());
        conditions
    }

    /// The statuses of so many requests, and 0 for those that nothing struck.
    fn statuses(conditions: &Conditions, requests: usize) -> Vec<u16> {
        let strike = |_| match conditions.strike_request(&Clock::default()) {
            Some(Fault::Answer { status, .. }) => status,
            Some(Fault::BeforeAcceptance(Break::Reset)) => 1,
            Some(Fault::AfterAcceptance(Break::Reset)) => 2,
            None => 0,
            Some(other) => panic!("{other:?}"),
        };
        (0..requests).map(strike).collect()
    }

    #[test]
    fn the_same_seed_strikes_the_same_requests_whatever_else_there_is() {
        let first = statuses(&conditions("503=10%,seed=7"), 300);
        let again = conditions("503=10%,seed=7,late-answer=1s:50%,puback=0x97:50%,lost-puback=50%");
        let interrupted: Vec<u16> = (0..300)
            .map(|_| {
                again.late_answer();
                again.acknowledge();
                again.receive(&mut Allowance::default(), 1, true, Instant::now());
                statuses(&again, 1)[0]
            })
            .collect();
        assert_eq!(first, interrupted);
        assert_ne!(first, statuses(&conditions("503=10%,seed=8"), 300));
    }

    #[test]
    fn each_is_struck_about_as_often_as_its_share_says() {
        let struck = statuses(&conditions("503=10%,429=20%,reset-before=1%,reset-after=2%,seed=1"), 100_000);
        for (what, expected) in [(503, 10_000), (429, 20_000), (1, 1_000), (2, 2_000), (0, 67_000)] {
            let count = struck.iter().filter(|&&status| status == what).count();
            assert!(count.abs_diff(expected) < 600, "{what}: {count}");
        }
        assert!(statuses(&conditions("503=100%"), 100).iter().all(|&status| status == 503));
    }

    #[test]
    fn a_good_day_strikes_nothing() {
        for calm in [Conditions::default(), {
            let over = conditions("503=100%,quota=1/h,lost-puback=100%,connack=3:100%,one-token,keep-alive-cap=1");
            over.calm();
            over
        }] {
            assert_eq!(statuses(&calm, 100), [0; 100]);
            let now = Instant::now();
            assert!(calm.is_within_quota(now) && calm.is_within_quota(now) && !calm.has_one_token());
            assert_eq!(calm.acknowledge(), Acknowledging::Now);
            assert_eq!(calm.receive(&mut Allowance::default(), 1, true, now), Receiving::Take);
            assert_eq!((calm.refuse_connect("c", false, now), calm.cap_keep_alive(0)), (None, None));
        }
    }

    #[test]
    fn a_gateway_says_when_to_come_again_in_seconds_or_as_a_date() {
        let clock = Clock::default();
        let header = |spec: &str| match conditions(spec).strike_request(&clock) {
            Some(Fault::Answer { headers, body, .. }) => {
                let found = headers.into_iter().find(|(name, _)| name == "retry-after");
                (found.map(|(_, value)| value), body.len())
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(header("503=100%").0, None);
        assert_eq!(header("503=100%,retry-after=7").0.as_deref(), Some("7"));
        clock.set_offset_ms(i64::MIN);
        let (date, length) = header("503=100%,retry-after-date=7,page=40KB");
        assert_eq!(date.as_deref(), Some("Thu, 01 Jan 1970 00:00:07 GMT"));
        assert!(length >= 40 * 1024);
    }

    #[test]
    fn a_quota_over_mqtt_is_told_as_the_plan_and_the_version_say() {
        for (spec, version_3, version_5) in [
            ("quota=1/h", Receiving::Drop, Receiving::Refuse(0x97)),
            ("quota=1/h,quota-silent", Receiving::Drop, Receiving::Drop),
            ("quota=1/h,quota-disconnect", Receiving::Close(0x97), Receiving::Close(0x97)),
        ] {
            let conditions = conditions(spec);
            for (is_version_5, expected) in [(false, version_3), (true, version_5)] {
                let mut allowance = Allowance::default();
                let now = Instant::now();
                let mut receive = |qos| conditions.receive(&mut allowance, qos, is_version_5, now);
                assert_eq!((receive(1), receive(1)), (Receiving::Take, expected), "{spec}");
                let without = if expected == Receiving::Refuse(0x97) { Receiving::Drop } else { expected };
                assert_eq!(receive(0), without, "{spec}");
            }
        }
    }

    #[test]
    fn reasons_are_for_clients_that_have_them() {
        let conditions = conditions("puback=0x97:100%,connack=3:100%,connack=0x88:100%");
        let now = Instant::now();
        let receive = |qos, is_version_5| conditions.receive(&mut Allowance::default(), qos, is_version_5, now);
        assert_eq!(receive(1, true), Receiving::Refuse(0x97));
        assert_eq!((receive(0, true), receive(1, false)), (Receiving::Take, Receiving::Take));
        assert_eq!(conditions.refuse_connect("c", false, now), Some(3));
        assert_eq!(conditions.refuse_connect("c", true, now), Some(0x88));
    }

    #[test]
    fn quotas_and_connects_come_back_with_time() {
        let conditions = Conditions::default();
        let plan = Chaos { quota: Some(Rate::per_second(2)), connects: Some(Rate::per_minute(1)), ..Chaos::default() };
        conditions.set(plan);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let taken = |seconds| (0..10).filter(|_| conditions.is_within_quota(at(seconds))).count();
        assert_eq!([taken(0), taken(0), taken(1), taken(60)], [2, 0, 2, 2]);
        let refused =
            |client_id, is_version_5, seconds| conditions.refuse_connect(client_id, is_version_5, at(seconds));
        assert_eq!([refused("a", false, 0), refused("a", false, 1), refused("a", false, 60)], [None, Some(3), None]);
        assert_eq!([refused("b", true, 1), refused("b", true, 60), refused("b", true, 61)], [None, Some(0x9f), None]);
    }

    #[tokio::test]
    async fn nobody_listens_until_the_time_is_over_or_the_day_is_good_again() {
        let before = Instant::now();
        let conditions = conditions("not-listening=200ms");
        conditions.is_back().await;
        assert!(before.elapsed() >= Duration::from_millis(200), "{:?}", before.elapsed());

        conditions.set("not-listening=1h".parse().unwrap());
        conditions.is_away().await;
        let waiting = tokio::spawn({
            let conditions = conditions.clone();
            async move { conditions.is_back().await }
        });
        conditions.calm();
        waiting.await.unwrap();
    }

    #[test]
    fn only_a_keep_alive_above_the_cap_is_capped() {
        let conditions = conditions("keep-alive-cap=1200");
        let cap = Some(Duration::from_secs(1200));
        assert_eq!(
            [0, 60, 1200, 1201, u16::MAX].map(|asked| conditions.cap_keep_alive(asked)),
            [cap, None, None, cap, cap]
        );
    }
}
