use std::net::{Ipv4Addr, SocketAddr};

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wasmtime_wasi_io::bindings::wasi::io::poll::HostPollable;
use wasmtime_wasi_io::bindings::wasi::io::streams::{self, HostInputStream, HostOutputStream};
use wasmtime_wasi_io::streams::StreamError;

use super::*;
use crate::connect::tls::provider;
use crate::{Pool, Route, RouteTable, TrustRoots, WorkloadConfig};

/// A certificate that is its own authority, and its key.
struct Certificate {
    of: rcgen::Certificate,
    key: KeyPair,
}

impl Certificate {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        Self { of: CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap(), key }
    }

    fn roots(&self) -> TrustRoots {
        TrustRoots::from_pem(self.of.pem().as_bytes()).unwrap()
    }

    /// A server that has it, and asks its clients for another one if that is wanted.
    fn server(&self, wants_a_client_certificate: bool) -> TlsAcceptor {
        let builder = ServerConfig::builder_with_provider(Arc::clone(provider())).with_safe_default_protocol_versions();
        let builder = builder.unwrap();
        let builder = if wants_a_client_certificate {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(self.of.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(provider()));
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::from_pem_slice(self.key.serialize_pem().as_bytes()).unwrap();
        TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![self.of.der().clone()], key).unwrap()))
    }
}

/// A store's part in it.
struct Store {
    dialer: Dialer,
    table: ResourceTable,
}

impl Store {
    fn new(route: Route, listener: &TcpListener) -> Self {
        Self::to(route, listener.local_addr().unwrap())
    }

    fn to(route: Route, address: SocketAddr) -> Self {
        let connect_to = format!("::{address}").parse().unwrap();
        let routes = RouteTable::new(vec![route]).unwrap();
        let workload = WorkloadConfig::new("w", routes).connect_to([connect_to]);
        Self { dialer: Dialer::new(Transport::new(Pool::default(), workload)), table: ResourceTable::new() }
    }

    fn view(&mut self) -> DialerView<'_> {
        DialerView { dialer: &self.dialer, table: &mut self.table }
    }

    fn dial(&mut self, authority: &str) -> Resource<Dialing> {
        self.view().dial(authority.to_owned(), 10_000).unwrap()
    }

    fn finish(&mut self, dialing: &Resource<Dialing>) -> Option<Result<Streams, GuestError>> {
        self.view().finish(Resource::new_borrow(dialing.rep())).unwrap()
    }

    /// Waits as a guest does, and drops what it needed for that.
    async fn finished(&mut self, dialing: Resource<Dialing>) -> Result<Streams, GuestError> {
        let pollable = self.view().subscribe(Resource::new_borrow(dialing.rep())).unwrap();
        HostPollable::block(&mut self.table, Resource::new_borrow(pollable.rep())).await.unwrap();
        let outcome = self.finish(&dialing).expect("it said that it was ready");
        assert!(self.finish(&dialing).is_none(), "it was handed over");
        HostPollable::drop(&mut self.table, pollable).unwrap();
        HostDialing::drop(&mut self.view(), dialing).unwrap();
        outcome
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

#[tokio::test]
async fn a_connection_leaves_nothing_behind_in_the_store() {
    let (certificate, listener) = (Certificate::new(), listen().await);
    let mut store = Store::new(Route::new("localhost", certificate.roots()).mqtt(), &listener);
    let acceptor = certificate.server(false);
    let server = tokio::spawn(async move {
        let mut tls = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let mut read = [0; 5];
        tls.read_exact(&mut read).await.unwrap();
        tls.write_all(&read).await.unwrap();
        tls.read(&mut read).await.unwrap()
    });
    let dialing = store.dial("localhost:8883");
    assert!(store.finish(&dialing).is_none(), "it is on its way");
    let (input, output) = store.finished(dialing).await.unwrap();
    let table = &mut store.table;
    HostOutputStream::write(table, Resource::new_borrow(output.rep()), b"hello".to_vec()).unwrap();
    let pollable = HostInputStream::subscribe(table, Resource::new_borrow(input.rep())).unwrap();
    HostPollable::block(table, Resource::new_borrow(pollable.rep())).await.unwrap();
    assert_eq!(HostInputStream::read(table, Resource::new_borrow(input.rep()), 100).unwrap(), b"hello");
    HostPollable::drop(table, pollable).unwrap();
    HostInputStream::drop(table, input).await.unwrap();
    HostOutputStream::drop(table, output).await.unwrap();
    assert!(table.is_empty());
    assert_eq!(server.await.unwrap(), 0, "a goodbye");
}

#[tokio::test]
async fn a_destination_without_a_route_is_denied() {
    let mut store = Store::new(Route::new("localhost", Certificate::new().roots()).mqtt(), &listen().await);
    let dialing = store.dial("elsewhere.example:8883");
    assert_eq!(
        store.finished(dialing).await.unwrap_err(),
        GuestError { kind: TransportErrorKind::Denied, detail: None }
    );
    assert!(store.table.is_empty());
}

#[tokio::test]
async fn a_certificate_that_is_missing_is_known_from_the_error_of_the_stream() {
    let (certificate, listener) = (Certificate::new(), listen().await);
    let mut store = Store::new(Route::new("localhost", certificate.roots()).mqtt(), &listener);
    let acceptor = certificate.server(true);
    let server = tokio::spawn(async move { acceptor.accept(listener.accept().await.unwrap().0).await.is_ok() });
    let dialing = store.dial("localhost:8883");
    let (input, _output) = store.finished(dialing).await.unwrap();
    let table = &mut store.table;
    let error = HostInputStream::blocking_read(table, Resource::new_borrow(input.rep()), 1).await.unwrap_err();
    assert!(!server.await.unwrap());
    let error = streams::Host::convert_stream_error(table, error).unwrap();
    let streams::StreamError::LastOperationFailed(error) = error else { panic!("{error:?}") };
    let expected = GuestError { kind: TransportErrorKind::TlsAlert, detail: Some("certificate_required".to_owned()) };
    assert_eq!(store.view().failure(Resource::new_borrow(error.rep())).unwrap(), Some(expected));

    let foreign = store.table.push(Error::msg("of another stream")).unwrap();
    assert_eq!(store.view().failure(foreign).unwrap(), None);
}

#[tokio::test]
async fn dropping_a_dialing_gives_it_up() {
    let listener = listen().await;
    let mut store = Store::new(Route::new("localhost", Certificate::new().roots()).mqtt(), &listener);
    let dialing = store.dial("localhost:8883");
    let (mut tcp, _) = thingpost_patience::within(listener.accept()).await.unwrap();
    assert!(tcp.read(&mut [0; 1000]).await.unwrap() > 0, "the client has begun");
    HostDialing::drop(&mut store.view(), dialing).unwrap();
    // The server has not answered; nothing else ends the handshake.
    assert_eq!(tcp.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    assert!(store.table.is_empty());
}

#[tokio::test]
async fn a_guest_has_so_many_connections_on_their_way_and_no_more() {
    let listener = listen().await;
    let mut store = Store::new(Route::new("localhost", Certificate::new().roots()).mqtt(), &listener);
    let mut dialings: Vec<_> = (0..ON_THEIR_WAY).map(|_| store.dial("localhost:8883")).collect();
    let refused = store.dial("localhost:8883");
    assert_eq!(store.finish(&refused).unwrap().unwrap_err().kind, TransportErrorKind::ConnectionLimit);
    for dialing in [refused, dialings.pop().unwrap()] {
        HostDialing::drop(&mut store.view(), dialing).unwrap();
    }
    let next = store.dial("localhost:8883");
    assert!(store.finish(&next).is_none());
}

#[tokio::test]
async fn a_stream_that_was_closed_politely_has_no_error_to_ask_about() {
    let (certificate, listener) = (Certificate::new(), listen().await);
    let mut store = Store::new(Route::new("localhost", certificate.roots()).mqtt(), &listener);
    let acceptor = certificate.server(false);
    tokio::spawn(async move {
        let mut tls = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        tls.shutdown().await.unwrap();
    });
    let dialing = store.dial("localhost:8883");
    let (input, _output) = store.finished(dialing).await.unwrap();
    let end = HostInputStream::blocking_read(&mut store.table, input, 1).await.unwrap_err();
    assert!(matches!(end, StreamError::Closed), "{end:?}");
}

/// A store whose calls are driven by another executor than tokio's, or by none.
#[test]
fn outside_of_tokio_a_guest_gets_its_connection_as_well() {
    let (certificate, listener) = (Certificate::new(), std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = certificate.server(false);
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let mut tls = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
            let mut read = [0; 5];
            tls.read_exact(&mut read).await.unwrap();
            tls.write_all(&read).await.unwrap();
            let _ = tls.read(&mut read).await;
        });
    });
    let mut store = Store::to(Route::new("localhost", certificate.roots()).mqtt(), address);
    let dialing = store.dial("localhost:8883");
    let (input, output) = loop {
        match store.finish(&dialing) {
            Some(ended) => break ended.unwrap(),
            None => std::thread::yield_now(),
        }
    };
    let table = &mut store.table;
    HostOutputStream::write(table, Resource::new_borrow(output.rep()), b"hello".to_vec()).unwrap();
    let mut read = Vec::new();
    while read.len() < 5 {
        read.extend(HostInputStream::read(table, Resource::new_borrow(input.rep()), 100).unwrap());
        std::thread::yield_now();
    }
    assert_eq!(read, b"hello");
    drop(store);
    server.join().unwrap();
}
