//! Counts the requests of a front, be they answered by a guest or by the server.

use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response};

use super::metrics::Metrics;
use crate::front::{Handler, RequestBody};
use crate::problem::AnswerBody;

/// A handler whose requests are counted.
pub struct Measured<H> {
    handler: Arc<H>,
    metrics: Metrics,
}

impl<H: Handler> Measured<H> {
    /// Counts what `handler` answers.
    pub fn new(handler: Arc<H>, metrics: Metrics) -> Self {
        Self { handler, metrics }
    }
}

impl<H: Handler> Handler for Measured<H> {
    async fn handle(&self, request: Request<RequestBody>) -> Response<AnswerBody> {
        let begun = Instant::now();
        let method = request.method().clone();
        // A request whose client goes away is over too, and has no status.
        let _active = self.metrics.begin(&method);
        let answer = self.handler.handle(request).await;
        self.metrics.answered(&method, answer.status(), begun.elapsed());
        answer
    }
}
