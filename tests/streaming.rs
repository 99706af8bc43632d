//! A host guarantees to take 4 KB of a body at a time and no more; ours happens to take a megabyte. A component that
//! relies on that works here and hangs elsewhere. This host takes 4 KB, and it is put together without our runtime:
//! the hooks are all it takes from us.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use http::uri::Scheme;
use http_body_util::BodyExt;
use thingpost_artifacts::PUBLISHER;
use thingpost_host::{Transport, TransportHooks};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as WasiError, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView,
};

use crate::bindings::publish::Publish;
use crate::bindings::publish::exports::thingpost::iot::types::{AwsConfig, Message, Options, Platform, Qos};
use crate::fixtures::aws::{AwsCloud, ENDPOINT};
use crate::fixtures::deadline::within;
use crate::fixtures::host::cache_folder;
use crate::fixtures::message::patterned;

const PIECE: usize = 4_096;

/// Our hooks, but with a narrow door.
struct NarrowHooks {
    inner: TransportHooks,
    pieces: Arc<Pieces>,
}

/// The pieces of request bodies that came through.
#[derive(Default)]
struct Pieces {
    count: AtomicUsize,
    largest: AtomicUsize,
}

type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), WasiError>> + Send>), WasiError>;

impl WasiHttpHooks for NarrowHooks {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        self.inner.forbidden_header_filter()
    }

    fn is_supported_scheme(&mut self, scheme: &Scheme) -> bool {
        self.inner.is_supported_scheme(scheme)
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        processed: Box<dyn Future<Output = Result<(), WasiError>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let pieces = Arc::clone(&self.pieces);
        let counted = |body: WasiBody| {
            body.map_frame(move |frame| {
                let length = frame.data_ref().map_or(0, bytes::Bytes::len);
                pieces.count.fetch_add(1, Ordering::SeqCst);
                pieces.largest.fetch_max(length, Ordering::SeqCst);
                frame
            })
            .boxed_unsync()
        };
        self.inner.send_request(request.map(counted), options, processed)
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        1
    }
}

/// What a stock embedder of wasmtime has in a store.
struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NarrowHooks,
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

async fn narrow_publisher(transport: Transport) -> (Store<State>, Publish, Arc<Pieces>) {
    let pieces = Arc::<Pieces>::default();
    let hooks = NarrowHooks { inner: TransportHooks::new(transport), pieces: Arc::clone(&pieces) };
    let state =
        State { table: ResourceTable::new(), wasi: WasiCtx::builder().build(), http: WasiHttpCtx::new(), hooks };
    let engine = engine();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi_http::p2::add_to_linker_async(&mut linker).unwrap();
    let mut store = Store::new(&engine, state);
    let component = Component::new(&engine, PUBLISHER.bytes).unwrap();
    let bindings = Publish::instantiate_async(&mut store, &component, &linker).await.unwrap();
    (store, bindings, pieces)
}

fn engine() -> Engine {
    let mut cache = wasmtime::CacheConfig::new();
    cache.with_directory(cache_folder());
    let mut config = wasmtime::Config::new();
    config.cache(Some(wasmtime::Cache::new(cache).unwrap()));
    Engine::new(&config).unwrap()
}

#[tokio::test]
async fn the_largest_payload_goes_whole_through_a_host_that_takes_4_kb_at_a_time() {
    within(async {
        let cloud = AwsCloud::start().await;
        let (mut store, bindings, pieces) = narrow_publisher(cloud.transport(cloud.route())).await;
        let client = bindings.thingpost_iot_publisher().client();
        let platform = Platform::Aws(AwsConfig { endpoint: ENDPOINT.to_owned(), port: 8443 });
        let options = Options {
            timeout_ms: None,
            connect_timeout_ms: None,
            max_attempts: None,
            backoff_base_ms: None,
            backoff_max_ms: None,
            max_in_flight: None,
        };
        let opened = client.call_open(&mut store, &platform, options, None).await.unwrap().unwrap();

        let payload = patterned(131_072);
        let message = Message { topic: "a".to_owned(), payload: payload.clone(), qos: Qos::AtMostOnce };
        let messages = [message.clone(), Message { payload: patterned(PIECE), ..message.clone() }, message];
        let outcomes = client.call_publish_all(&mut store, opened, &messages).await.unwrap();
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");

        let mut lengths: Vec<usize> = cloud.emulator.ledger().accepted().iter().map(|e| e.payload.len()).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [PIECE, 131_072, 131_072]);
        let arrived = cloud.emulator.ledger().accepted();
        assert!(arrived.iter().filter(|entry| entry.payload.len() > PIECE).all(|entry| entry.payload == payload));
        assert_eq!(pieces.largest.load(Ordering::SeqCst), PIECE);
        assert_eq!(pieces.count.load(Ordering::SeqCst), 2 * 131_072 / PIECE + 1);
    })
    .await;
}
