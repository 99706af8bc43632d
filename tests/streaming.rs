//! A host guarantees to take 4 KB of a body at a time and no more; ours happens to take a megabyte. A component that
//! relies on that works here and hangs elsewhere. This host takes 4 KB, and it is put together without our runtime:
//! the hooks are all it takes from us.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use http::uri::Scheme;
use http_body_util::BodyExt;
use thingpost_host::TransportHooks;
use wasmtime_wasi_http::{Error as WasiError, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use crate::bindings::publish::exports::thingpost::iot::types::{Message, Qos};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::message::patterned;
use crate::fixtures::stock_host::{StockPublisher, defaults};

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

#[tokio::test]
async fn the_largest_payload_goes_whole_through_a_host_that_takes_4_kb_at_a_time() {
    within(async {
        let cloud = AwsCloud::start().await;
        let pieces = Arc::<Pieces>::default();
        let inner = TransportHooks::new(cloud.transport(cloud.route()));
        let hooks = NarrowHooks { inner, pieces: Arc::clone(&pieces) };
        let mut publisher = StockPublisher::open(hooks, defaults()).await;

        let payload = patterned(131_072);
        let message = Message::new("a", payload.clone(), Qos::AtMostOnce);
        let messages = [message.clone(), Message { payload: patterned(PIECE), ..message.clone() }, message];
        let outcomes = publisher.publish_all(&messages).await;
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
