//! What a client does when the network misbehaves depends on *when* it does: before the message was taken it may be
//! sent again, afterwards it may not. So a fault is asked for by its phase, and strikes a counted number of times.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How a conversation ends that should have gone on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Closed in order.
    Close,
    /// Reset: the client's next read or write fails.
    Reset,
    /// Held open in silence until the client gives up.
    Stall,
}

/// What goes wrong instead of the server's part of the TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeFault {
    /// The connection is closed after the ClientHello.
    Close,
    /// Something that is not TLS is sent, then the connection is closed.
    Garbage,
}

/// What goes wrong with an answer after the platform has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    /// Something that is not HTTP, then the connection is closed.
    Garbage,
    /// Half of the head, then the connection is closed.
    HalfHead,
    /// The whole head and half of the body that it announces, then the connection is closed.
    ShortBody,
    /// The right answer, byte by byte.
    SlowBytes {
        /// The pause before each byte.
        delay: Duration,
    },
    /// The right answer, filled up with white space.
    LargeBody {
        /// The length of the body in units of 1024 * 1024 bytes.
        megabytes: usize,
    },
    /// The right answer, then the server's half of the connection is closed, but not the client's.
    HalfClose,
}

/// One thing to go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Before the first byte of a connection was read.
    AtAccept(Break),
    /// After the ClientHello was read.
    InHandshake(HandshakeFault),
    /// After a request was read, before the platform has looked at it. The message is not taken.
    BeforeAcceptance(Break),
    /// After the platform has decided, without a byte of its answer. A good message is taken.
    AfterAcceptance(Break),
    /// In the answer. A good message is taken.
    InAnswer(AnswerFault),
    /// The answer comes from something in between, such as a proxy. The message is not taken.
    Answer {
        /// The HTTP status.
        status: u16,
        /// All headers but `content-length`, which is added.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// As [`Fault::Answer`], but behind it the platform has decided as usual: a good message is taken.
    AnswerAfterAcceptance {
        /// The HTTP status.
        status: u16,
        /// All headers but `content-length`, which is added.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// A good exchange, after which the connection is closed although the answer did not announce it.
    CloseWhenIdle,
}

/// The faults that wait for their turn. Clones share the same queues.
///
/// A connection takes the oldest fault of its phase, and so does a request; one request takes one fault at most.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    queues: Arc<Mutex<Queues>>,
}

#[derive(Debug, Default)]
struct Queues {
    accept: Queue<Break>,
    handshake: Queue<HandshakeFault>,
    publish: Queue<Fault>,
    authentication: Queue<Fault>,
    operation: Queue<Fault>,
}

/// Faults with the number of times that each has yet to strike.
#[derive(Debug)]
struct Queue<F>(VecDeque<(F, usize)>);

impl<F> Default for Queue<F> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<F: Clone> Queue<F> {
    fn push(&mut self, fault: F, times: usize) {
        if times > 0 {
            self.0.push_back((fault, times));
        }
    }

    fn take(&mut self) -> Option<F> {
        let (fault, times) = self.0.front_mut()?;
        *times -= 1;
        if *times > 0 {
            return Some(fault.clone());
        }
        self.0.pop_front().map(|(fault, _)| fault)
    }

    fn pending(&self) -> usize {
        self.0.iter().map(|(_, times)| times).sum()
    }
}

impl Faults {
    /// Lets a fault strike the next `times` connections, or the next `times` publish requests, by its kind.
    pub fn push(&self, fault: Fault, times: usize) {
        let mut queues = self.lock();
        match fault {
            Fault::AtAccept(how) => queues.accept.push(how, times),
            Fault::InHandshake(how) => queues.handshake.push(how, times),
            in_exchange => queues.publish.push(in_exchange, times),
        }
    }

    /// As [`Faults::push`], but requests for a token of Aliyun's, to its port that registers devices, or for a key of
    /// AWS's credentials provider are struck instead of publish requests. "Taken" then means that the token, the device
    /// secret or the key was made.
    pub fn push_at_authentication(&self, fault: Fault, times: usize) {
        match fault {
            Fault::AtAccept(_) | Fault::InHandshake(_) => self.push(fault, times),
            in_exchange => self.lock().authentication.push(in_exchange, times),
        }
    }

    /// As [`Faults::push`], but requests are struck that are neither messages nor for a token or a key: shadows, retained
    /// and direct messages, connections. "Taken" then means that what was asked for was done.
    pub fn push_at_operation(&self, fault: Fault, times: usize) {
        match fault {
            Fault::AtAccept(_) | Fault::InHandshake(_) => self.push(fault, times),
            in_exchange => self.lock().operation.push(in_exchange, times),
        }
    }

    /// How many strikes are still to come. 0 proves that a test met every fault it asked for.
    pub fn pending(&self) -> usize {
        let queues = self.lock();
        queues.accept.pending()
            + queues.handshake.pending()
            + queues.publish.pending()
            + queues.authentication.pending()
            + queues.operation.pending()
    }

    /// Takes all waiting faults back.
    pub fn clear(&self) {
        *self.lock() = Queues::default();
    }

    pub(crate) fn take_at_accept(&self) -> Option<Break> {
        self.lock().accept.take()
    }

    pub(crate) fn take_in_handshake(&self) -> Option<HandshakeFault> {
        self.lock().handshake.take()
    }

    pub(crate) fn take_at_publish(&self) -> Option<Fault> {
        self.lock().publish.take()
    }

    pub(crate) fn take_at_authentication(&self) -> Option<Fault> {
        self.lock().authentication.take()
    }

    pub(crate) fn take_at_operation(&self) -> Option<Fault> {
        self.lock().operation.take()
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().expect("nothing panics while it holds the queues")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_one_phase_strike_in_their_order_and_as_often_as_asked() {
        let faults = Faults::default();
        faults.push(Fault::BeforeAcceptance(Break::Close), 2);
        faults.push(Fault::AtAccept(Break::Reset), 1);
        faults.push(Fault::CloseWhenIdle, 1);
        faults.push(Fault::CloseWhenIdle, 0);
        assert_eq!(faults.pending(), 4);

        let close = Fault::BeforeAcceptance(Break::Close);
        assert_eq!(faults.take_at_publish(), Some(close.clone()));
        assert_eq!(faults.take_at_publish(), Some(close));
        assert_eq!(faults.take_at_publish(), Some(Fault::CloseWhenIdle));
        assert_eq!(faults.take_at_publish(), None);
        assert_eq!(faults.take_at_accept(), Some(Break::Reset));
        assert_eq!(faults.pending(), 0);
    }

    #[test]
    fn a_fault_for_authentication_or_an_operation_leaves_publishing_alone() {
        let faults = Faults::default();
        faults.push_at_authentication(Fault::CloseWhenIdle, 1);
        faults.push_at_operation(Fault::BeforeAcceptance(Break::Close), 1);
        assert_eq!((faults.take_at_publish(), faults.pending()), (None, 2));
        assert_eq!(faults.take_at_authentication(), Some(Fault::CloseWhenIdle));
        assert_eq!(faults.take_at_operation(), Some(Fault::BeforeAcceptance(Break::Close)));
    }
}
