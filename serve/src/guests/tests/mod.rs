//! A real component in a real host, which does what the path of a request says, well or badly.

mod cloud;
mod crowd;
mod endings;
mod loading;
mod outgoing;
mod requests;
mod reuse;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use thingpost_host::runtime::{CompilationCache, HandlerLinker, HandlerPre, HandlerState, Runtime};
use thingpost_host::wasmtime::{self, StoreContextMut};
use thingpost_host::{Pool, Route, RouteTable, Transport, WorkloadConfig};
use thingpost_hostile_guest::HANDLER;
use thingpost_patience::patience;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// What the interface of the tests has in each instance: guests wait until there is a permit.
#[derive(Clone)]
struct Barrier(Arc<(Semaphore, AtomicUsize)>);

const GATE: &str = "thingpost:probe/gate@0.1.0";

impl Barrier {
    fn closed() -> Self {
        Self(Arc::new((Semaphore::new(0), AtomicUsize::new(0))))
    }

    /// Lets so many pass.
    fn open(&self, count: usize) {
        self.0.0.add_permits(count);
    }

    /// How many have come to it.
    fn arrived(&self) -> usize {
        self.0.1.load(SeqCst)
    }

    async fn until_arrived(&self, count: usize) {
        until(|| self.arrived() >= count).await;
    }

    async fn pass(self) {
        self.0.1.fetch_add(1, SeqCst);
        self.0.0.acquire().await.unwrap().forget();
    }
}

async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        sleep(Duration::from_millis(5)).await;
    }
}

fn runtime(instances: u32) -> Runtime {
    Runtime::for_handlers(&CompilationCache::System, instances).unwrap()
}

fn linker(runtime: &Runtime) -> HandlerLinker<Barrier> {
    let mut linker = runtime.handler_linker::<Barrier>().unwrap();
    let offered = linker.offer(GATE, |linker| {
        linker.instance(GATE)?.func_wrap_async("wait", |store: StoreContextMut<'_, HandlerState<Barrier>>, (): ()| {
            let gate = store.data().data().clone();
            Box::new(async move {
                gate.pass().await;
                wasmtime::Result::Ok(())
            })
        })
    });
    offered.unwrap();
    linker
}

/// The component, with room for some instances of it.
fn component() -> HandlerPre<Barrier> {
    static COMPONENT: LazyLock<HandlerPre<Barrier>> = LazyLock::new(|| {
        let runtime = runtime(16);
        runtime.load_handler(HANDLER, &linker(&runtime)).unwrap()
    });
    COMPONENT.clone()
}

/// A way to nowhere.
fn without_routes() -> Transport {
    to(Vec::new())
}

fn to(routes: Vec<Route>) -> Transport {
    Transport::new(Pool::default(), WorkloadConfig::new("edge", RouteTable::new(routes).unwrap()))
}

/// Settings whose times bound nothing but a hang.
fn patient() -> GuestSettings {
    GuestSettings {
        instances: 4,
        queue_timeout: patience(),
        cpu: patience(),
        deadline: patience(),
        idle_timeout: patience(),
        ..GuestSettings::default()
    }
}

fn workload(transport: Transport, gate: &Barrier) -> Workload<Barrier> {
    let gate = gate.clone();
    Workload { component: component(), transport, data: Arc::new(move || gate.clone()) }
}

/// Guests without a route, and the gate that they wait at.
fn guests(settings: GuestSettings) -> (Guests<Barrier>, Barrier) {
    let gate = Barrier::closed();
    (Guests::new(workload(without_routes(), &gate), settings), gate)
}

fn post(path: &str) -> Request<Full<Bytes>> {
    Request::post(path).header("host", "edge.example").body(Full::from("21.5")).unwrap()
}

/// Status and body of an answer that is whole.
async fn read(answer: Response<AnswerBody>) -> (u16, String) {
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn ask(guests: &Guests<Barrier>, path: &str) -> (u16, String) {
    read(guests.answer(post(path)).await).await
}

/// What programs read of a problem: status, cause, outcome, and whether there is a time to come back.
async fn problem(answer: Response<AnswerBody>) -> (u16, String, String, bool) {
    let is_timed = answer.headers().contains_key("retry-after");
    let (status, body) = read(answer).await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{status} {body}"));
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (status, text("cause"), text("outcome"), is_timed)
}

async fn ask_in_vain(guests: &Guests<Barrier>, path: &str) -> (u16, String, String, bool) {
    problem(guests.answer(post(path)).await).await
}

fn words(problem: (u16, &str, &str, bool)) -> (u16, String, String, bool) {
    let (status, cause, outcome, is_timed) = problem;
    (status, cause.to_owned(), outcome.to_owned(), is_timed)
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps it as long as this lives, on this thread.
    fn capture(&self) -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(self.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
