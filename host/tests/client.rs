//! Short forms for what every test does: a config, a request, an answer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use thingpost_host::{ConnectTo, Observer, Pool, Route, RouteTable, Transport, TransportError, WorkloadConfig};
pub use thingpost_patience::within;
use wasmtime_wasi_http::{Error as WasiError, WasiBody};

use crate::server::Server;

pub fn config(workload: &str, routes: Vec<Route>, server: &Server) -> WorkloadConfig {
    config_at(workload, routes, server.address)
}

/// A workload that may reach a server that is not a [`Server`].
pub fn config_at(workload: &str, routes: Vec<Route>, address: SocketAddr) -> WorkloadConfig {
    let override_all = format!("::{address}");
    WorkloadConfig::new(workload, RouteTable::new(routes).unwrap())
        .connect_to([override_all.parse::<ConnectTo>().unwrap()])
}

pub fn transport(route: Route, server: &Server) -> Transport {
    Transport::new(Pool::default(), config("test", vec![route], server))
}

pub fn body(bytes: impl Into<Bytes>) -> WasiBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

pub fn post(url: &str, content: impl Into<Bytes>) -> Request<WasiBody> {
    Request::post(url).body(body(content)).unwrap()
}

/// Sends, and reads the answer to its end.
pub async fn publish(
    transport: &Transport,
    url: &str,
    content: impl Into<Bytes>,
) -> Result<Response<Bytes>, TransportError> {
    let answer = transport.send(post(url, content)).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("the answer's body is whole");
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// The failures that an observer is told, as sentences.
#[derive(Default)]
pub struct Failures(Mutex<Vec<String>>);

impl Failures {
    /// Of what this transport does from now on.
    pub fn of(transport: Transport) -> (Transport, Arc<Self>) {
        let failures = Arc::<Self>::default();
        (transport.observer(failures.clone()), failures)
    }

    pub fn told(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Failures {
    fn failed(&self, error: &TransportError) {
        self.0.lock().unwrap().push(error.to_string());
    }
}

/// The guest's rule: these codes, and no others, mean that the server cannot have acted on the request.
pub fn means_not_sent(error: &WasiError) -> bool {
    use WasiError as E;
    matches!(
        error,
        E::DnsTimeout
            | E::DnsError { .. }
            | E::DestinationNotFound
            | E::DestinationUnavailable
            | E::DestinationIpProhibited
            | E::DestinationIpUnroutable
            | E::ConnectionRefused
            | E::ConnectionTimeout
            | E::ConnectionLimitReached
            | E::TlsProtocolError
            | E::TlsCertificateError
            | E::TlsAlertReceived { .. }
            | E::HttpRequestDenied
            | E::HttpRequestLengthRequired
            | E::HttpRequestBodySize(_)
            | E::HttpRequestMethodInvalid
            | E::HttpRequestUriInvalid
            | E::HttpRequestUriTooLong
            | E::HttpRequestHeaderSectionSize(_)
            | E::HttpRequestHeaderSize { .. }
            | E::HttpRequestTrailerSectionSize(_)
            | E::HttpRequestTrailerSize { .. }
            | E::ConfigurationError
            | E::LoopDetected
    )
}
