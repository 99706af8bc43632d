//! From what happens to all that are told of it: the counters of the pool, the observer of the transport, and the log.

use std::sync::Arc;

use http::Response;

use super::counters::Counter;
use super::log::FailureLog;
use super::{Counters, Handshake, Observer};
use crate::error::TransportError;
use crate::route::Endpoint;
use crate::transport::body::AnswerBody;

/// Whom to tell.
#[derive(Clone)]
pub(crate) struct Observation {
    counters: Arc<Counters>,
    observer: Option<Arc<dyn Observer>>,
    log: Arc<FailureLog>,
}

impl Observation {
    /// Counts, and tells nobody else.
    pub(crate) fn counting(counters: Arc<Counters>) -> Self {
        Self { counters, observer: None, log: Arc::default() }
    }

    /// Tells this one too.
    pub(crate) fn with(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// A request begins.
    pub(crate) fn request(&self) -> UnderWay<'_> {
        self.counters.requests.increment();
        UnderWay(Some(&self.counters.abandoned))
    }

    /// There is a new connection for it, or one that was dialed.
    pub(crate) fn connected(&self, to: &Endpoint, handshake: Handshake) {
        if let Some(observer) = &self.observer {
            observer.connected(to, handshake);
        }
    }

    /// A request is handed to a connection.
    pub(crate) fn written(&self, to: &Endpoint) {
        if let Some(observer) = &self.observer {
            observer.written(to);
        }
    }

    /// It has not been acted on, after all.
    pub(crate) fn withdrawn(&self, to: &Endpoint) {
        if let Some(observer) = &self.observer {
            observer.withdrawn(to);
        }
    }

    /// A request ends.
    pub(crate) fn request_ended(&self, result: &Result<Response<AnswerBody>, TransportError>) {
        let counter = match result {
            Ok(_) => &self.counters.answered,
            Err(TransportError::Denied(_)) => &self.counters.denied,
            Err(TransportError::Connect { .. }) => &self.counters.not_sent,
            Err(TransportError::Exchange { .. } | TransportError::Lost { .. }) => &self.counters.unknown,
        };
        counter.increment();
        match (result, &self.observer) {
            (Ok(answer), Some(observer)) => observer.answered(answer.body().from(), answer.status()),
            (Err(error), _) => self.failed(error),
            (Ok(_), None) => {}
        }
    }

    /// The body of an answer breaks off.
    pub(crate) fn answer_broke(&self, error: &TransportError) {
        self.counters.broken_answers.increment();
        self.failed(error);
    }

    /// A connection is dialed.
    pub(crate) fn dial(&self) -> UnderWay<'_> {
        self.counters.dials.increment();
        UnderWay(Some(&self.counters.abandoned_dials))
    }

    /// It came about, or did not.
    pub(crate) fn dial_ended<T>(&self, result: &Result<T, TransportError>) {
        match result {
            Ok(_) => self.counters.dialed.increment(),
            Err(error) => {
                self.counters.failed_dials.increment();
                self.failed(error);
            }
        }
    }

    /// A dialed connection broke.
    pub(crate) fn lost(&self, error: &TransportError) {
        self.counters.lost.increment();
        self.failed(error);
    }

    /// Writes it to the log, if there is room. A guest learns a code; this is the sentence that goes with it.
    pub(crate) fn log(&self, error: &TransportError) {
        self.log.write(error);
    }

    fn failed(&self, error: &TransportError) {
        if let Some(observer) = &self.observer {
            observer.failed(error);
        }
    }
}

/// A request or a dialing without an end. Dropped so, it counts as abandoned.
pub(crate) struct UnderWay<'a>(Option<&'a Counter>);

impl UnderWay<'_> {
    pub(crate) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(abandoned) = self.0 {
            abandoned.increment();
        }
    }
}
