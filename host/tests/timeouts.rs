use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use thingpost_host::{RequestTimeouts, Route, Timeouts, Transport, TransportError};
use thingpost_patience::Clock;
use tokio::task::{JoinHandle, yield_now};
use wasmtime_wasi_http::Error as WasiError;

use crate::client::{means_not_sent, post, publish, transport, within};
use crate::pki::Authority;
use crate::server::{Do, OK, Script, Server, Signal};

const URL: &str = "https://localhost/";
const SHORT: Duration = Duration::from_millis(200);
/// More than timers are late by.
const TICK: Duration = Duration::from_millis(2);

/// The body of a guest that says nothing and does not end.
struct Unfinished;

impl Body for Unfinished {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

fn with(connect: Duration, first_byte: Duration, script: Script, ca: &Authority) -> (Transport, Server) {
    let server = script.start();
    let transport = transport(Route::new("localhost", ca.roots()), &server)
        .timeouts(Timeouts::default().connect(connect).first_byte(first_byte).between_bytes(SHORT));
    (transport, server)
}

/// Sends a message, beside the test.
fn sending(transport: &Transport) -> JoinHandle<Result<http::Response<Bytes>, TransportError>> {
    let transport = transport.clone();
    tokio::spawn(async move { publish(&transport, URL, "x").await })
}

/// That it is over when the last of this time has passed, and not before.
async fn takes<T>(time: Duration, work: &mut JoinHandle<T>, clock: &Clock) {
    clock.pass(time - TICK).await;
    assert!(!work.is_finished());
    clock.pass(2 * TICK).await;
    while !work.is_finished() {
        yield_now().await;
    }
}

#[tokio::test]
async fn the_connect_timeout_covers_a_stalled_handshake() {
    within(async {
        let ca = Authority::new("ca");
        let mut script = Script::new(&ca);
        script.on_accept = Do::Stall;
        let clock = Clock::stop();
        let (transport, server) = with(SHORT, Duration::MAX, script, &ca);
        let mut sending = sending(&transport);
        server.until(|ledger| ledger.connections.len() == 1).await;
        takes(SHORT, &mut sending, &clock).await;
        let error = sending.await.unwrap().unwrap_err();
        assert!(matches!(error.to_wasi(), WasiError::ConnectionTimeout), "{error:?}");
        assert!(error.to_string().contains("TLS handshake"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn the_connect_timeout_does_not_bound_the_answer() {
    within(async {
        let ca = Authority::new("ca");
        let clock = Clock::stop();
        let answer = Signal::new();
        let told = answer.clone();
        let script = Script::new(&ca).on_request(move |_, _| Do::AnswerWhen(told.clone(), OK));
        let (transport, server) = with(SHORT, Duration::MAX, script, &ca);
        let sending = sending(&transport);
        server.until(|ledger| ledger.requests() == 1).await;
        clock.pass(SHORT * 3).await;
        answer.give(1);
        sending.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn no_answer_in_time_is_a_response_timeout() {
    within(async {
        let ca = Authority::new("ca");
        let script = Script::new(&ca).on_request(|_, _| Do::Stall);
        let clock = Clock::stop();
        let (transport, server) = with(Duration::MAX, SHORT, script, &ca);
        let mut sending = sending(&transport);
        server.until(|ledger| ledger.requests() == 1).await;
        takes(SHORT, &mut sending, &clock).await;
        let error = sending.await.unwrap().unwrap_err();
        assert!(matches!(error.to_wasi(), WasiError::HttpResponseTimeout), "{error:?}");
        assert!(!means_not_sent(&error.to_wasi()));
        assert_eq!(server.bodies(), ["x"]);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_stops_is_a_read_timeout() {
    within(async {
        let ca = Authority::new("ca");
        let script =
            Script::new(&ca).on_request(|_, _| Do::AnswerThenStall("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"));
        let clock = Clock::stop();
        let (transport, server) = with(Duration::MAX, Duration::MAX, script, &ca);
        let mut answer = transport.send(post(URL, "x")).await.unwrap().into_body();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "ok");
        let (stopped, ()) = tokio::join!(answer.frame(), clock.pass(SHORT + TICK));
        let error = stopped.unwrap().unwrap_err().to_wasi();
        assert!(matches!(error, WasiError::ConnectionReadTimeout), "{error:?}");
        drop(answer);
        // Half an answer is still on the way; the connection must not serve another request.
        assert!(transport.send(post(URL, "y")).await.is_ok());
        assert_eq!(server.accepted(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_guest_may_set_every_timeout() {
    within(async {
        let ca = Authority::new("ca");
        let script = Script::new(&ca).on_request(|_, _| Do::Stall);
        let (transport, _server) = with(Duration::MAX, Duration::MAX, script, &ca);
        // Nothing else would end it.
        let options = RequestTimeouts { first_byte: Some(SHORT), ..RequestTimeouts::default() };
        let error = transport.send_within(post(URL, "x"), options).await.unwrap_err();
        assert!(matches!(error.to_wasi(), WasiError::HttpResponseTimeout));
    })
    .await;
}

#[tokio::test]
async fn a_zero_timeout_is_an_error_and_no_panic() {
    within(async {
        let zero = Some(Duration::ZERO);
        let ca = Authority::new("ca");
        let mut script = Script::new(&ca);
        script.on_accept = Do::Stall;
        let (transport, _server) = with(Duration::MAX, Duration::MAX, script, &ca);
        let options = RequestTimeouts { connect: zero, ..RequestTimeouts::default() };
        let error = transport.send_within(post(URL, "x"), options).await.unwrap_err();
        assert!(means_not_sent(&error.to_wasi()), "{error:?}");

        let half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
        let script = Script::new(&ca).on_request(move |_, _| Do::AnswerThenStall(half));
        let (transport, _server) = with(Duration::MAX, Duration::MAX, script, &ca);
        let options = RequestTimeouts { between_bytes: zero, ..RequestTimeouts::default() };
        let answer = transport.send_within(post(URL, "x"), options).await.unwrap();
        let error = answer.into_body().collect().await.unwrap_err().to_wasi();
        assert!(matches!(error, WasiError::ConnectionReadTimeout), "{error:?}");

        let script = Script::new(&ca).on_request(|_, _| Do::Stall);
        let (transport, _server) = with(Duration::MAX, Duration::MAX, script, &ca);
        let options = RequestTimeouts { first_byte: zero, ..RequestTimeouts::default() };
        let error = transport.send_within(post(URL, "x"), options).await.unwrap_err();
        assert!(matches!(error.to_wasi(), WasiError::HttpResponseTimeout), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn an_idle_connection_satisfies_even_a_zero_connect_timeout() {
    within(async {
        let ca = Authority::new("ca");
        let (transport, server) = with(Duration::MAX, Duration::MAX, Script::new(&ca), &ca);
        publish(&transport, URL, "x").await.unwrap();
        let options = RequestTimeouts { connect: Some(Duration::ZERO), ..RequestTimeouts::default() };
        transport.send_within(post(URL, "x"), options).await.unwrap();
        assert_eq!(server.accepted(), 1);
    })
    .await;
}

/// A guest that wants a year would hold on to connections that others wait for.
#[tokio::test]
async fn the_guest_may_not_set_a_timeout_beyond_the_maximum() {
    within(async {
        let ca = Authority::new("ca");
        let year = Some(Duration::from_secs(365 * 86_400));
        let options = RequestTimeouts { connect: year, first_byte: year, between_bytes: year };
        let mut silent = Script::new(&ca);
        silent.on_accept = Do::Stall;
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
        for script in [
            silent,
            Script::new(&ca).on_request(|_, _| Do::Stall),
            Script::new(&ca).on_request(move |_, _| Do::AnswerThenStall(half)),
        ] {
            let server = script.start();
            let transport =
                transport(Route::new("localhost", ca.roots()), &server).timeouts(Timeouts::default().maximum(SHORT));
            let failed = match transport.send_within(post(URL, "x"), options).await {
                Ok(answer) => answer.into_body().collect().await.is_err(),
                Err(_) => true,
            };
            assert!(failed);
        }
    })
    .await;
}

/// A handshake that hangs has a place in the pool, and a guest that may wait ten minutes for each of many has them all.
#[tokio::test]
async fn for_a_connection_a_guest_waits_a_minute_at_most_and_for_an_answer_longer() {
    within(async {
        const MINUTE: Duration = Duration::from_secs(60);
        let ca = Authority::new("ca");
        let hour = Some(Duration::from_secs(3600));
        let options = RequestTimeouts { connect: hour, first_byte: hour, between_bytes: hour };
        let mut silent = Script::new(&ca);
        silent.on_accept = Do::Stall;
        let clock = Clock::stop();
        for (script, longest) in [(silent, MINUTE), (Script::new(&ca).on_request(|_, _| Do::Stall), 10 * MINUTE)] {
            let server = script.start();
            let transport = transport(Route::new("localhost", ca.roots()), &server);
            let mut sending = {
                let transport = transport.clone();
                tokio::spawn(async move { drop(transport.send_within(post(URL, "x"), options).await.unwrap_err()) })
            };
            server.until(|ledger| ledger.requests() == 1 || ledger.connections.len() == 1 && longest == MINUTE).await;
            takes(longest, &mut sending, &clock).await;
        }
        let mut silent = Script::new(&ca);
        silent.on_accept = Do::Stall;
        let server = silent.start();
        let transport = transport(Route::new("localhost", ca.roots()).mqtt(), &server);
        let mut dialing =
            tokio::spawn(async move { drop(transport.dial("localhost:8883", 60 * MINUTE).await.unwrap_err()) });
        server.until(|ledger| ledger.connections.len() == 1).await;
        takes(MINUTE, &mut dialing, &clock).await;
    })
    .await;
}

/// A server that has answered before the request was whole leaves a connection that is not ready for another one. That
/// takes time to find out, for each of them.
#[tokio::test]
async fn the_connect_timeout_covers_connections_that_are_not_ready_again() {
    within(async {
        const COUNT: usize = 8;
        let ca = Authority::new("ca");
        let mut script = Script::new(&ca);
        script.on_handshake = Do::AnswerThenClose(OK, Duration::MAX);
        let clock = Clock::stop();
        let (transport, server) = with(SHORT * 10, SHORT * 10, script, &ca);
        let unfinished = || {
            let body = Unfinished.map_err(|never| match never {}).boxed_unsync();
            Request::post(URL).body(body).unwrap()
        };
        let answers = (0..COUNT).map(|_| {
            let (transport, request) = (transport.clone(), unfinished());
            tokio::spawn(async move { transport.send(request).await.unwrap().into_body().collect().await.unwrap() })
        });
        for answer in answers.collect::<Vec<_>>() {
            answer.await.unwrap();
        }
        assert_eq!(server.accepted(), COUNT);

        let options = RequestTimeouts { connect: Some(SHORT), ..RequestTimeouts::default() };
        let sending = {
            let (transport, request) = (transport.clone(), unfinished());
            tokio::spawn(async move { drop(transport.send_within(request, options).await) })
        };
        let mut passed = Duration::ZERO;
        while !sending.is_finished() {
            assert!(passed < SHORT * 3);
            // Each of them as it comes.
            clock.pass(TICK).await;
            passed += TICK;
            yield_now().await;
        }
    })
    .await;
}
