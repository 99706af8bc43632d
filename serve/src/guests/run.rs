//! One request in one instance, to the end of all that the guest does for it.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body::Body;
use thingpost_host::runtime::{HandlerAnswer, HandlerInstance};
use thingpost_host::wasmtime;
use thingpost_host::wasmtime_wasi_http::Error as WasiError;
use tokio::sync::oneshot;

use super::end::{Ended, Why};
use super::places::Place;
use super::{Current, Inner};

impl<X: Send + 'static> Inner<X> {
    /// Gives the instance back, or ends it, before it says how it went: the next request of the same client finds it.
    pub(super) async fn run<B>(
        &self,
        place: Place,
        request: Request<B>,
        answer: oneshot::Sender<HandlerAnswer>,
    ) -> Ended
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<WasiError>,
    {
        let mut stopped = self.is_stopped.subscribe();
        let ended = tokio::select! {
            ended = self.run_to_the_end(request, answer) => ended,
            _ = stopped.wait_for(|is_stopped| *is_stopped) => Ended { why: Why::ShutDown, may_have_sent: true },
        };
        self.counters.ended(&ended);
        drop(place);
        ended
    }

    async fn run_to_the_end<B>(&self, request: Request<B>, answer: oneshot::Sender<HandlerAnswer>) -> Ended
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<WasiError>,
    {
        let (mut instance, generation, requests_per_instance) = match self.instance().await {
            Ok(instance) => instance,
            Err(_) => return Ended { why: Why::NotStarted, may_have_sent: false },
        };
        let sent_before = instance.requests_sent();
        let handled = instance.handle(request, answer).await;
        let may_have_sent = instance.requests_sent() > sent_before;
        let why = handled.map_or_else(|error| Why::from(&error), |()| Why::Returned);
        if instance.is_usable() && instance.requests() < requests_per_instance {
            self.idle.keep(instance, generation);
        }
        Ended { why, may_have_sent }
    }

    /// One that is kept, or a new one; with its generation, and how many requests it may handle.
    async fn instance(&self) -> wasmtime::Result<(HandlerInstance<X>, u64, u64)> {
        let (workload, generation, requests_per_instance, kept) = {
            let Current { workload, settings, generation } = &*self.current();
            // While no other generation can begin.
            let kept = self.idle.take();
            (Arc::clone(workload), *generation, settings.requests_per_instance, kept)
        };
        let instance = match kept {
            Some(instance) => {
                self.counters.reused();
                instance
            }
            None => {
                let data = (workload.data)();
                let instance = workload.component.instantiate(workload.transport.clone(), data).await?;
                self.counters.started();
                instance
            }
        };
        Ok((instance, generation, requests_per_instance))
    }
}
