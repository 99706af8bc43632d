//! A connection that is closed is the kind fault: everybody notices. Real links fall silent, lose one answer, or become
//! slow, and each of them leaves a client in another doubt. They are asked for here, for the connections there are or
//! for those to come.

use std::collections::VecDeque;
use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;

use crate::fault::Break;

/// What is to go wrong with the connections of one proxy. Clones share the same faults.
#[derive(Clone, Default)]
pub struct LinkFaults {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    orders: watch::Sender<Issued>,
    waiting: Mutex<Waiting>,
    /// Whether a fault waits for a PUBLISH: so that those that meet none need no lock.
    strikes_publishes: AtomicBool,
    pubacks_to_swallow: AtomicUsize,
    refuses: AtomicBool,
    refuses_without_broker: AtomicBool,
}

/// How often each order was given.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Issued {
    cuts: u64,
    half_opens: u64,
}

#[derive(Default)]
struct Waiting {
    at_accept: VecDeque<Break>,
    garbage: usize,
    silent: usize,
    connect_answers: VecDeque<u8>,
    publish: Option<(usize, PublishMoment)>,
    speed: LinkSpeed,
}

/// How fast bytes go, in each direction on its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkSpeed {
    /// As many as the machine can when there is no limit. 0 counts as 1.
    pub bytes_per_second: Option<u64>,
    /// How long each byte takes.
    pub latency: Duration,
}

impl LinkSpeed {
    pub(super) fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}

/// On which side of the broker a message is when its connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishMoment {
    /// The broker never has it.
    BeforeForwarding,
    /// The broker has it, and its acknowledgement is lost.
    AfterForwarding,
}

impl LinkFaults {
    /// Resets all connections that there are now.
    pub fn cut(&self) {
        self.inner.orders.send_modify(|issued| issued.cuts += 1);
    }

    /// Lets all connections that there are now fall silent: what either side sends is swallowed, and nothing is closed.
    /// The broker learns of a client that is gone when its keep-alive has passed. New connections are as usual.
    pub fn half_open(&self) {
        self.inner.orders.send_modify(|issued| issued.half_opens += 1);
    }

    /// Whether new connections are closed before their handshake.
    pub fn refuse(&self, on: bool) {
        self.inner.refuses.store(on, Ordering::SeqCst);
    }

    /// Whether connections are closed before their handshake while the broker does not run. Off at first: the handshake
    /// succeeds, and then the connection is closed, as a load balancer does it.
    pub fn refuse_without_broker(&self, on: bool) {
        self.inner.refuses_without_broker.store(on, Ordering::SeqCst);
    }

    /// Breaks the next `times` connections before the first byte of them was read.
    pub fn break_at_accept(&self, how: Break, times: usize) {
        self.waiting().at_accept.extend(std::iter::repeat_n(how, times));
    }

    /// Answers the next `times` connections with something that is not MQTT after their handshake, and closes them.
    pub fn garbage_after_handshake(&self, times: usize) {
        self.waiting().garbage += times;
    }

    /// Lets the next `times` connections fall silent as soon as their handshake is over.
    pub fn silence_after_handshake(&self, times: usize) {
        self.waiting().silent += times;
    }

    /// Answers the next `times` CONNECTs that the cloud would admit with this code, and closes.
    pub fn answer_connects(&self, code: u8, times: usize) {
        self.waiting().connect_answers.extend(std::iter::repeat_n(code, times));
    }

    /// Keeps the next `count` PUBACKs from their clients. The messages are taken.
    pub fn swallow_pubacks(&self, count: usize) {
        self.inner.pubacks_to_swallow.fetch_add(count, Ordering::SeqCst);
    }

    /// Closes the connection of the `count`th PUBLISH from now on, whichever connection that is. Takes the place of an
    /// earlier call that has not struck yet; 0 takes that back.
    pub fn close_at_publish(&self, count: usize, moment: PublishMoment) {
        self.waiting().publish = (count > 0).then_some((count, moment));
        self.inner.strikes_publishes.store(count > 0, Ordering::SeqCst);
    }

    /// How fast bytes go from now on, on all connections there are and will be.
    pub fn set_speed(&self, speed: LinkSpeed) {
        self.waiting().speed = speed;
    }

    /// How many counted strikes are still to come. 0 proves that a test met every fault it asked for.
    pub fn pending(&self) -> usize {
        let swallow = self.inner.pubacks_to_swallow.load(Ordering::SeqCst);
        let waiting = self.waiting();
        let publish = usize::from(waiting.publish.is_some());
        waiting.at_accept.len() + waiting.garbage + waiting.silent + waiting.connect_answers.len() + publish + swallow
    }

    /// Makes the link a good one for what is to come. What was done stays done.
    pub fn heal(&self) {
        *self.waiting() = Waiting::default();
        self.inner.strikes_publishes.store(false, Ordering::SeqCst);
        self.inner.pubacks_to_swallow.store(0, Ordering::SeqCst);
        self.refuse(false);
        self.refuse_without_broker(false);
    }

    /// The orders from now on.
    pub(super) fn orders(&self) -> Orders {
        let issued = self.inner.orders.subscribe();
        let seen = *issued.borrow();
        Orders { issued, seen }
    }

    pub(super) fn take_at_accept(&self) -> Option<Break> {
        if self.inner.refuses.load(Ordering::SeqCst) {
            return Some(Break::Close);
        }
        self.waiting().at_accept.pop_front()
    }

    pub(super) fn must_see_the_broker_first(&self) -> bool {
        self.inner.refuses_without_broker.load(Ordering::SeqCst)
    }

    pub(super) fn take_garbage(&self) -> bool {
        take_one(&mut self.waiting().garbage)
    }

    pub(super) fn take_silence(&self) -> bool {
        take_one(&mut self.waiting().silent)
    }

    pub(super) fn take_connect_answer(&self) -> Option<u8> {
        self.waiting().connect_answers.pop_front()
    }

    pub(super) fn take_puback(&self) -> bool {
        let left = &self.inner.pubacks_to_swallow;
        left.load(Ordering::Relaxed) > 0
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    /// Counts a PUBLISH, and says what is to be done at this one.
    pub(super) fn take_publish(&self) -> Option<PublishMoment> {
        if !self.inner.strikes_publishes.load(Ordering::Relaxed) {
            return None;
        }
        let mut waiting = self.waiting();
        let (left, moment) = waiting.publish.as_mut()?;
        *left -= 1;
        if *left > 0 {
            return None;
        }
        let moment = *moment;
        waiting.publish = None;
        self.inner.strikes_publishes.store(false, Ordering::SeqCst);
        Some(moment)
    }

    pub(super) fn speed(&self) -> LinkSpeed {
        self.waiting().speed
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.inner.waiting.lock().expect("nothing panics while it holds what is waiting")
    }
}

fn take_one(left: &mut usize) -> bool {
    let some = *left > 0;
    *left -= usize::from(some);
    some
}

impl fmt::Debug for LinkFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkFaults").field("pending", &self.pending()).finish_non_exhaustive()
    }
}

/// What a connection is told to do, from the moment on at which it was accepted.
pub(super) struct Orders {
    issued: watch::Receiver<Issued>,
    seen: Issued,
}

/// What a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Cut,
    HalfOpen,
}

impl Orders {
    /// The next one. Nothing is lost when it is not waited for to the end.
    pub(super) async fn next(&mut self) -> Order {
        loop {
            let now = *self.issued.borrow_and_update();
            let before = std::mem::replace(&mut self.seen, now);
            if now.cuts != before.cuts {
                return Order::Cut;
            }
            if now.half_opens != before.half_opens {
                return Order::HalfOpen;
            }
            if self.issued.changed().await.is_err() {
                // The proxy is gone, and this connection soon after.
                return pending().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_asked_and_is_counted_until_then() {
        let link = LinkFaults::default();
        link.break_at_accept(Break::Reset, 1);
        link.garbage_after_handshake(1);
        link.answer_connects(3, 2);
        link.swallow_pubacks(1);
        link.close_at_publish(2, PublishMoment::AfterForwarding);
        assert_eq!(link.pending(), 6);
        assert_eq!((link.take_at_accept(), link.take_at_accept()), (Some(Break::Reset), None));
        assert_eq!((link.take_garbage(), link.take_garbage()), (true, false));
        assert_eq!([(); 3].map(|()| link.take_connect_answer()), [Some(3), Some(3), None]);
        assert_eq!((link.take_puback(), link.take_puback()), (true, false));
        let moments = [(); 3].map(|()| link.take_publish());
        assert_eq!(moments, [None, Some(PublishMoment::AfterForwarding), None]);
        assert_eq!(link.pending(), 0);
    }

    #[test]
    fn a_healed_link_has_no_faults() {
        let link = LinkFaults::default();
        link.refuse(true);
        link.silence_after_handshake(1);
        link.set_speed(LinkSpeed { bytes_per_second: Some(1), latency: Duration::ZERO });
        assert_eq!(link.take_at_accept(), Some(Break::Close));
        link.heal();
        assert_eq!((link.take_at_accept(), link.pending()), (None, 0));
        assert!(link.speed().is_unlimited() && !link.take_silence());
    }

    #[tokio::test]
    async fn an_order_is_for_the_connections_that_there_are() {
        let link = LinkFaults::default();
        let mut old = link.orders();
        link.half_open();
        let mut new = link.orders();
        link.cut();
        // Both at once: the one that ends the connection counts.
        assert_eq!(old.next().await, Order::Cut);
        assert_eq!(new.next().await, Order::Cut);
        link.half_open();
        assert_eq!(new.next().await, Order::HalfOpen);
    }
}
