//! A host with the two stores, of which nothing is ours but the transport.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use serde_json::{Map, Value};
use thingpost_artifacts::Artifact;
use thingpost_edge_artifacts::{EDGE, EDGE_MIN, EDGE_SPIN};
use thingpost_host::{Transport, TransportHooks};
use tokio::sync::oneshot;
use wasmtime::component::{ComponentType, Lift, Linker, Lower, Resource, ResourceTable, ResourceType};
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{Error as WasiError, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::fixtures::engine::{compiled, engine};

/// By bucket and key.
type Values = BTreeMap<(String, String), Vec<u8>>;

/// What several instances find in one place.
#[derive(Clone, Default)]
pub struct Shared {
    buckets: Arc<Mutex<Values>>,
    fails: Arc<Mutex<bool>>,
}

impl Shared {
    /// From now on no bucket can be opened.
    pub fn fail(&self) {
        *self.fails.lock().unwrap() = true;
    }

    /// Bucket, key and value.
    pub fn entries(&self) -> Vec<(String, String, String)> {
        let buckets = self.buckets.lock().unwrap();
        let entry = |((bucket, key), value): (&(String, String), &Vec<u8>)| {
            (bucket.clone(), key.clone(), String::from_utf8(value.clone()).unwrap())
        };
        buckets.iter().map(entry).collect()
    }

    /// Writes over every value.
    pub fn spoil(&self) {
        self.buckets.lock().unwrap().values_mut().for_each(|value| *value = b"{\"version\":9}".to_vec());
    }
}

struct Bucket(String);

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StoreError {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum ConfigError {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: TransportHooks,
    settings: Vec<(String, String)>,
    /// Whether the store of settings names what it has.
    lists: bool,
    shared: Shared,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// One instance, which takes one request after the other.
pub struct Function {
    store: Store<State>,
    proxy: Proxy,
    artifact: Artifact,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status, outcome and cause.
    pub fn verdict(&self) -> (u16, String, String) {
        let body = self.body();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (self.status, text("outcome"), text("cause"))
    }
}

impl Function {
    pub async fn start(artifact: Artifact, transport: Transport, settings: &Value) -> Self {
        Self::start_sharing(artifact, transport, settings, &Shared::default()).await
    }

    pub async fn start_sharing(artifact: Artifact, transport: Transport, settings: &Value, shared: &Shared) -> Self {
        let mut linker = Linker::new(engine());
        wasmtime_wasi_http::p2::add_to_linker_async(&mut linker).unwrap();
        // Drafts: each of these versions stands for no other.
        if artifact == EDGE {
            add_config(&mut linker, "wasi:config/store@0.2.0-rc.1");
            add_keyvalue(&mut linker, "wasi:keyvalue/store@0.2.0-draft");
        } else if artifact == EDGE_SPIN {
            add_config(&mut linker, "wasi:config/store@0.2.0-draft-2024-09-27");
            add_keyvalue(&mut linker, "wasi:keyvalue/store@0.2.0-draft2");
        }
        let state = State {
            table: ResourceTable::new(),
            wasi: WasiCtx::builder().build(),
            http: WasiHttpCtx::new(),
            hooks: TransportHooks::new(transport),
            settings: pairs(settings),
            lists: true,
            shared: shared.clone(),
        };
        let mut store = Store::new(engine(), state);
        let proxy = Proxy::instantiate_async(&mut store, &compiled(artifact), &linker).await.unwrap();
        Self { store, proxy, artifact }
    }

    /// From now on the host has these settings.
    pub fn configure(&mut self, settings: &Value) {
        self.store.data_mut().settings = pairs(settings);
    }

    /// From now on the store of settings does not say what it has.
    pub fn list_nothing(&mut self) {
        self.store.data_mut().lists = false;
    }

    /// Publishes, as a device does.
    pub async fn post(&mut self, path_with_query: &str, body: impl Into<Bytes>) -> Answer {
        self.send(request("POST", path_with_query, body)).await
    }

    /// Has a request handled. With `edge-min` the host adds its header.
    pub async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Answer {
        if self.artifact == EDGE_MIN && !self.store.data().settings.is_empty() {
            let settings: Map<String, Value> =
                self.store.data().settings.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            // As a header has it, in one line.
            let settings = Value::Object(settings).to_string();
            request.headers_mut().insert("thingpost-settings", settings.parse().unwrap());
        }
        self.send_as_it_is(request).await
    }

    /// Has a request handled, of whose headers the host has none replaced.
    pub async fn send_as_it_is(&mut self, request: Request<Full<Bytes>>) -> Answer {
        let request = request.map(|body| body.map_err(|never: Infallible| -> WasiError { match never {} }));
        let (sender, receiver) = oneshot::channel();
        let request = self.store.data_mut().http().new_incoming_request(Scheme::Http, request).unwrap();
        let out = self.store.data_mut().http().new_response_outparam(sender).unwrap();
        let handling = self.proxy.wasi_http_incoming_handler().call_handle(&mut self.store, request, out);
        let answer = async {
            let (head, body) = receiver.await.unwrap().unwrap().into_parts();
            let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
            Answer { status: head.status.as_u16(), headers: head.headers, text }
        };
        let (handled, answer) = tokio::join!(handling, answer);
        handled.unwrap();
        answer
    }
}

pub fn request(method: &str, path_with_query: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let body = body.into();
    let request = Request::builder().method(method).uri(path_with_query).header("host", "edge.example");
    request.header("content-length", body.len()).body(Full::new(body)).unwrap()
}

/// Names and texts: what is no text in JSON is one as it stands there.
fn pairs(settings: &Value) -> Vec<(String, String)> {
    let settings = settings.as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    settings.map(|(name, value)| (name.clone(), text(value))).collect()
}

fn add_config(linker: &mut Linker<State>, interface: &str) {
    type Context<'a> = StoreContextMut<'a, State>;
    type Listed = Result<Vec<(String, String)>, ConfigError>;
    type Got = Result<Option<String>, ConfigError>;
    let mut instance = linker.instance(interface).unwrap();
    instance
        .func_wrap("get-all", |store: Context<'_>, (): ()| {
            let state = store.data();
            let listed: Listed = match state.lists {
                true => Ok(state.settings.clone()),
                false => Err(ConfigError::Upstream("hunter2: it cannot be listed".to_owned())),
            };
            Ok((listed,))
        })
        .unwrap();
    instance
        .func_wrap("get", |store: Context<'_>, (wanted,): (String,)| {
            let found = store.data().settings.iter().find(|(name, _)| *name == wanted);
            let got: Got = Ok(found.map(|(_, value)| value.clone()));
            Ok((got,))
        })
        .unwrap();
}

fn add_keyvalue(linker: &mut Linker<State>, interface: &str) {
    type Context<'a> = StoreContextMut<'a, State>;
    let mut instance = linker.instance(interface).unwrap();
    instance
        .resource("bucket", ResourceType::host::<Bucket>(), |mut store, index| {
            store.data_mut().table.delete(Resource::<Bucket>::new_own(index))?;
            Ok(())
        })
        .unwrap();
    instance
        .func_wrap("open", |mut store: Context<'_>, (name,): (String,)| {
            let state = store.data_mut();
            let opened: Result<Resource<Bucket>, StoreError> = match *state.shared.fails.lock().unwrap() {
                true => Err(StoreError::NoSuchStore),
                false => Ok(state.table.push(Bucket(name))?),
            };
            Ok((opened,))
        })
        .unwrap();
    instance
        .func_wrap("[method]bucket.get", |store: Context<'_>, (bucket, key): (Resource<Bucket>, String)| {
            let state = store.data();
            let place = (state.table.get(&bucket)?.0.clone(), key);
            let got: Result<Option<Vec<u8>>, StoreError> =
                Ok(state.shared.buckets.lock().unwrap().get(&place).cloned());
            Ok((got,))
        })
        .unwrap();
    instance
        .func_wrap(
            "[method]bucket.set",
            |store: Context<'_>, (bucket, key, value): (Resource<Bucket>, String, Vec<u8>)| {
                let state = store.data();
                let place = (state.table.get(&bucket)?.0.clone(), key);
                state.shared.buckets.lock().unwrap().insert(place, value);
                let set: Result<(), StoreError> = Ok(());
                Ok((set,))
            },
        )
        .unwrap();
}
