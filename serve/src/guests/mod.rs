//! The instances of the component that answers.
//!
//! An instance handles one request at a time, and a machine has room for so many of them. A server with a client for each device has more
//! of them than that one day; then some wait, and some are told to come back, and none gets an answer that says nothing. The
//! instances are kept from one request to the next, as starting one costs more than half of a small request, and as a token that one
//! has fetched is good for the next message too.
//!
//! A guest whose client has gone goes on, within its [deadline](GuestSettings::deadline): a message that is under way has an
//! outcome, whether or not it is waited for, and ending it in the middle would make it *unknown*.

mod device;
mod end;
mod idle;
mod places;
mod run;
mod settings;
mod statistics;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use thingpost_host::Transport;
use thingpost_host::runtime::{HandlerBody, HandlerInstance, HandlerPre};
use thingpost_host::wasmtime_wasi_http::Error as WasiError;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

pub use settings::GuestSettings;
pub use statistics::GuestStatistics;

use crate::front::{Handler, RequestBody, RequestBodyError};
use crate::problem::{AnswerBody, BoxError};
use end::{End, Ended, NotAdmitted};
use idle::Idle;
use places::{Device, Entry, Place, PlaceLimits, Places, Refusal};
use statistics::Counters;

/// What is run: a component, what its requests go through, and what its further interfaces begin with in each instance.
pub struct Workload<X: Send + 'static> {
    /// The component.
    pub component: HandlerPre<X>,
    /// Where its requests may go, and as whom.
    pub transport: Transport,
    /// Makes what the interfaces of `serve` keep in the store of one instance.
    pub data: Arc<dyn Fn() -> X + Send + Sync>,
}

/// The instances of one component, and those who want something of them. Cheap to clone.
pub struct Guests<X: Send + 'static>(Arc<Inner<X>>);

struct Inner<X: Send + 'static> {
    current: Mutex<Current<X>>,
    places: Places,
    idle: Arc<Idle<HandlerInstance<X>>>,
    counters: Counters,
    /// Whether what runs is to end at once.
    is_stopped: watch::Sender<bool>,
}

/// What new instances are made of.
struct Current<X: Send + 'static> {
    workload: Arc<Workload<X>>,
    settings: GuestSettings,
    generation: u64,
}

impl<X: Send + 'static> Guests<X> {
    /// No instance so far; they come with the requests.
    pub fn new(workload: Workload<X>, settings: GuestSettings) -> Self {
        let workload = workload.bounded(&settings);
        let places = Places::new(place_limits(&workload, &settings));
        let idle = Idle::new(settings.idle_timeout);
        let current = Mutex::new(Current { workload: Arc::new(workload), settings, generation: 0 });
        Self(Arc::new(Inner {
            current,
            places,
            idle,
            counters: Counters::default(),
            is_stopped: watch::Sender::new(false),
        }))
    }

    /// Runs this from now on. Instances that have a request finish it; they take no other.
    pub fn replace(&self, workload: Workload<X>, settings: GuestSettings) {
        let workload = workload.bounded(&settings);
        self.0.places.set_limits(place_limits(&workload, &settings));
        let mut current = self.0.current();
        let generation = self.0.idle.next_generation(settings.idle_timeout);
        *current = Current { workload: Arc::new(workload), settings, generation };
    }

    /// Has a guest answer. There is an answer in any case; if this is dropped before, the guest goes on.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<WasiError>,
    {
        let is_safe = request.method().is_safe();
        match self.guest_answer(request).await {
            Ok(answer) => answer.map(|body| body.map_err(BoxError::from).boxed_unsync()),
            Err(end) => end.into_problem(is_safe).answer(),
        }
    }

    async fn guest_answer<B>(&self, request: Request<B>) -> Result<Response<HandlerBody>, End>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<WasiError>,
    {
        let place =
            self.place(device::device(request.uri().path())).await.inspect_err(|_| self.0.counters.refused())?;
        let (answer, answered) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            // Not there any more: the client has gone.
            _ = end.send(inner.run(place, request, answer).await);
        });
        if let Ok(Ok(answer)) = answered.await {
            return Ok(answer);
        }
        // How it has ended is known when it has.
        Err(End::Guest(ended.await.unwrap_or_else(|_| Ended::panicked())))
    }

    async fn place(&self, device: Device) -> Result<Place, End> {
        let mut turn = match self.0.places.enter(device) {
            Entry::Admitted(place) => return Ok(place),
            Entry::Waits(turn) => turn,
            Entry::Refused(refusal) => return Err(self.refused(refusal)),
        };
        let queue_timeout = self.0.current().settings.queue_timeout;
        match timeout(queue_timeout, turn.come()).await {
            Ok(Some(place)) => Ok(place),
            Ok(None) => Err(self.refused(Refusal::Closed)),
            Err(_) => Err(End::NotAdmitted(NotAdmitted::Waited { for_: queue_timeout })),
        }
    }

    fn refused(&self, refusal: Refusal) -> End {
        let again_after = self.0.current().settings.queue_timeout;
        End::NotAdmitted(match refusal {
            Refusal::Full => NotAdmitted::QueueFull { again_after },
            Refusal::DeviceFull => NotAdmitted::DeviceQueueFull { again_after },
            Refusal::Closed => NotAdmitted::Closed,
        })
    }

    /// How it goes.
    pub fn statistics(&self) -> GuestStatistics {
        let Inner { places, idle, counters, .. } = &*self.0;
        counters.read(places.taken(), idle.count(), places.waiting())
    }

    /// Takes no request any more. Who waits is sent away, idle instances end at once, and those that have a request finish it.
    pub fn close(&self) {
        self.0.places.close();
        self.0.idle.close();
    }

    /// Waits until no request is left, also of those whose client has gone.
    pub async fn drained(&self) {
        self.0.places.emptied().await;
    }

    /// Ends what still runs, where it is.
    pub fn stop(&self) {
        self.close();
        self.0.is_stopped.send_replace(true);
    }
}

impl<X: Send + 'static> Handler for Guests<X> {
    async fn handle(&self, request: Request<RequestBody>) -> Response<AnswerBody> {
        self.answer(request.map(|body| body.map_err(told))).await
    }
}

/// What a guest is told of a body that it does not get.
fn told(error: RequestBodyError) -> WasiError {
    match error {
        RequestBodyError::TooLarge => WasiError::HttpRequestBodySize(None),
        RequestBodyError::TooSlow => WasiError::ConnectionReadTimeout,
        RequestBodyError::Incomplete(error) => error.into(),
    }
}

impl<X: Send + 'static> Inner<X> {
    fn current(&self) -> MutexGuard<'_, Current<X>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<X: Send + 'static> Workload<X> {
    fn bounded(self, settings: &GuestSettings) -> Self {
        let component = self.component.limits(settings.limits()).call_budget(settings.budget());
        Self { component, ..self }
    }
}

/// As many as are wanted, and not more than there can be.
fn place_limits<X: Send + 'static>(workload: &Workload<X>, settings: &GuestSettings) -> PlaceLimits {
    let most = workload.component.most_instances().unwrap_or(usize::MAX);
    if most < settings.instances {
        let wanted = settings.instances;
        tracing::warn!(
            "{wanted} instances are wanted, and of this component there can be {most}: it has several memories or tables"
        );
    }
    let places = settings.instances.min(most);
    PlaceLimits { places, per_device: settings.per_device.unwrap_or(usize::MAX), queue: settings.queue }
}

impl<X: Send + 'static> Clone for Guests<X> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<X: Send + 'static> fmt::Debug for Guests<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guests").field(&self.statistics()).finish()
    }
}
