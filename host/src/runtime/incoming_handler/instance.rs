//! One instance of a component that serves HTTP, and one request after the other in it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{Method, Request, Uri, header};
use http_body::Body;
use tokio::sync::oneshot;
use wasmtime::Result;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme as WasiScheme;
use wasmtime_wasi_http::{Error as WasiError, WasiHttpView};

use super::answer::{HandlerAnswer, HandlerBody, announced};
use super::state::HandlerState;
use crate::runtime::calls::GuestStore;

/// What a guest is told where the client has not said whom it takes this for.
const UNNAMED: Authority = Authority::from_static("localhost");

/// An instance that has this share of the resources that it may have, and no request, leaves some behind with each. It is to end
/// before there are no more.
const KEPT_RESOURCES: usize = 2;

/// One instance of a component that serves HTTP. It handles one request at a time, and keeps what it knows from one to the next.
///
/// If a request ends in an error of wasmtime, the instance has trapped or was stopped, and is of no more use.
pub struct HandlerInstance<X: Send + 'static> {
    store: GuestStore<HandlerState<X>>,
    proxy: Proxy,
    requests: u64,
    is_tidy: bool,
}

impl<X: Send + 'static> HandlerInstance<X> {
    pub(super) fn new(store: GuestStore<HandlerState<X>>, proxy: Proxy) -> Self {
        Self { store, proxy, requests: 0, is_tidy: true }
    }

    /// Has the guest handle a request, to the end of all that it does for it. The answer goes to `answer` as soon as it has a
    /// head, and its body while the guest writes it. The guest may answer before it has read the body of the request; it may also come
    /// back without an answer, and then `answer` is dropped.
    ///
    /// The scheme is that of the URI, or `http`. To a request that does not say for whom it is, the guest is `localhost`.
    ///
    /// # Errors
    ///
    /// The guest has trapped, or was stopped: a [`CallError`](super::super::CallError) or a
    /// [`LimitExceeded`](crate::LimitExceeded) inside says why. The body of an answer that has begun ends in an error then.
    pub async fn handle<B>(&mut self, request: Request<B>, answer: oneshot::Sender<HandlerAnswer>) -> Result<()>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<WasiError>,
    {
        // Dropped before the store, and so before the body that the guest writes into, whatever happens.
        let (returned, is_returned) = oneshot::channel();
        let Self { store, proxy, requests, .. } = self;
        let (in_store, call) = store.begin()?;
        *requests += 1;
        in_store.data().turn_over();
        let (scheme, is_head) = (scheme(request.uri()), request.method() == Method::HEAD);
        let log = Arc::clone(in_store.data().log());
        let mut http = in_store.data_mut().http();
        let request = http.new_incoming_request(scheme, addressed(request))?;
        let out = http.new_response_outparam_from_callback(move |answered| {
            let answered = answered.map_err(WasiError::from).and_then(|answer| announced(answer, is_head));
            if let Err(error) = &answered {
                log.no_answer(error);
            }
            // Without a receiver the answer is not wanted any more, and the guest goes on.
            _ = answer.send(answered.map(|answer| answer.map(|body| HandlerBody::new(body, is_returned))));
        })?;
        let ended = call.run(proxy.wasi_http_incoming_handler().call_handle(&mut *in_store, request, out)).await;
        let state = in_store.data_mut();
        state.turn_over();
        let (resources, has_body) = state.leftovers();
        if let Err(error) = &ended {
            state.log().ended(error);
        }
        self.is_tidy = !has_body && resources <= self.store.resources() / KEPT_RESOURCES;
        // An answer that is written to its end is whole, whatever comes after it.
        if !has_body {
            _ = returned.send(());
        }
        ended
    }

    /// Whether it can take another request: it has not trapped and was not stopped, and has not left so much behind that it would soon.
    pub fn is_usable(&self) -> bool {
        self.is_tidy && !self.store.is_lost()
    }

    /// Requests that it was given so far.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Requests that it has handed to its transport so far, those that were not sent after all included. If a request of a client has
    /// not raised this, then nothing has left the host for it by `wasi:http`.
    pub fn requests_sent(&self) -> u64 {
        self.store.data().requests_sent()
    }
}

fn scheme(uri: &Uri) -> WasiScheme {
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => WasiScheme::Https,
        _ => WasiScheme::Http,
    }
}

/// The request with an authority in any case. A client of HTTP/1.0 need not name one, and `wasi:http` wants it.
fn addressed<B>(mut request: Request<B>) -> Request<B> {
    let is_named = request.headers().get(header::HOST).is_some_and(|host| host.to_str().is_ok());
    if request.uri().authority().is_some() || is_named {
        return request;
    }
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme.get_or_insert(Scheme::HTTP);
    parts.authority = Some(UNNAMED);
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    request
}

impl<X: Send + 'static> fmt::Debug for HandlerInstance<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerInstance").field("requests", &self.requests).finish_non_exhaustive()
    }
}
