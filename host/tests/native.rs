//! A host without WebAssembly: requests with bodies of its own, and dialed connections as streams of tokio.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use rustls::AlertDescription;
use rustls::version::TLS13;
use thingpost_host::{ConnectError, ExchangeError, LossError, Pool, Route, Transport, TransportError};
use thingpost_patience::patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{Failures, config_at, transport, within};
use crate::peer::Peer;
use crate::pki::Authority;
use crate::server::{Script, ServerTls};

const URL: &str = "https://localhost/";

/// A body that breaks off with an error of its sender's own.
struct Broken(Vec<io::Result<Frame<Bytes>>>);

impl Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.0.pop())
    }
}

#[tokio::test]
async fn a_body_of_any_kind_is_sent_and_its_own_errors_are_told_as_such() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        let answer = transport.send(Request::post(URL).body(Full::from("21.5")).unwrap()).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
        assert_eq!(server.bodies(), ["21.5"]);

        let half = Broken(vec![Err(io::Error::other("the sensor is gone")), Ok(Frame::data(Bytes::from_static(b"2")))]);
        let error = transport.send(Request::post(URL).body(half).unwrap()).await.unwrap_err();
        assert!(matches!(error, TransportError::Exchange { error: ExchangeError::Body(_), .. }), "{error:?}");
        assert!(error.to_string().contains("the sensor is gone"), "{error}");
    })
    .await;
}

/// What an error of reading has inside.
fn inside(error: &io::Error) -> &TransportError {
    error.get_ref().and_then(|inside| inside.downcast_ref()).expect("the error of a dialed connection")
}

#[tokio::test]
async fn a_dialed_connection_reads_and_writes_until_the_goodbye() {
    within(async {
        let ca = Authority::new("ca");
        let peer = Peer::start(&ServerTls::new(&ca, "localhost"), async |mut tls| {
            let mut heard = [0; 4];
            tls.read_exact(&mut heard).await.unwrap();
            tls.write_all(&heard).await.unwrap();
            tls.shutdown().await.unwrap();
            let _ = tls.read(&mut [0]).await;
        })
        .await;
        let mut connection = peer.dial(Route::new("localhost", ca.roots()).mqtt()).await;
        connection.write_all(b"PING").await.unwrap();
        let mut heard = Vec::new();
        connection.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"PING");
        connection.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_end_without_a_goodbye_is_an_error_that_names_the_server() {
    within(async {
        let ca = Authority::new("ca");
        let peer = Peer::start(&ServerTls::new(&ca, "localhost"), async |mut tls| {
            let _ = tls.read(&mut [0]).await;
            drop(tls.into_inner().0);
        })
        .await;
        let mut connection = peer.dial(Route::new("localhost", ca.roots()).mqtt()).await;
        connection.write_all(b"x").await.unwrap();
        let error = connection.read(&mut [0]).await.unwrap_err();
        let TransportError::Lost { error: lost @ LossError::Closed(_), .. } = inside(&error) else {
            panic!("{error:?}")
        };
        assert!(lost.is_close() && error.to_string().contains("localhost:8883"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_refused_certificate_is_told_by_the_first_read_and_the_observer() {
    within(async {
        let ca = Authority::new("ca");
        let tls = ServerTls {
            clients: Some(Authority::new("devices").pem),
            versions: vec![&TLS13],
            ..ServerTls::new(&ca, "localhost")
        };
        let peer = Peer::start(&tls, async |_| unreachable!("the handshake fails")).await;
        let route = Route::new("localhost", ca.roots()).identity(ca.device("stranger")).mqtt();
        let transport = Transport::new(Pool::default(), config_at("w", vec![route], peer.address));
        let (transport, failures) = Failures::of(transport);
        let mut connection = transport.dial("localhost:8883", patience()).await.unwrap();
        let error = connection.read(&mut [0]).await.unwrap_err();
        let TransportError::Connect { error: ConnectError::Alert(alert), .. } = inside(&error) else {
            panic!("{error:?}")
        };
        assert!(matches!(alert, AlertDescription::UnknownCA | AlertDescription::DecryptError), "{alert:?}");
        assert_eq!(failures.told(), [error.to_string()]);
    })
    .await;
}
