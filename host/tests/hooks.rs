use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, Request};
use http_body_util::BodyExt;
use thingpost_host::{GuestLimits, Pool, Route, Timeouts, Transport, TransportHooks};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use wasmtime_wasi_http::p2::body::{HostOutgoingBody, StreamContext};
use wasmtime_wasi_http::{Error as WasiError, WasiHttpHooks};

use crate::client::{config_at, post, transport, within};
use crate::peer::Peer;
use crate::pki::Authority;
use crate::server::{Script, Server, ServerTls};

fn hooks() -> (TransportHooks, Server) {
    let ca = Authority::new("ca");
    let server = Script::new(&ca).start();
    let transport = transport(Route::new("localhost", ca.roots()), &server);
    (TransportHooks::new(transport), server)
}

#[tokio::test]
async fn a_request_goes_through_the_hooks_to_its_answer() {
    within(async {
        let (mut hooks, _server) = hooks();
        let sent = hooks.send_request(post("https://localhost/", "x"), None, Box::new(async { Ok(()) }));
        let (answer, io) = Pin::from(sent).await.unwrap();
        Pin::from(io).await.unwrap();
        let body = answer.into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes(), "ok");
    })
    .await;
}

/// A peer that writes down all bytes of each connection, up to its end or that of a whole message; and tells when it has the first.
async fn listener(ca: &Authority) -> (Peer, mpsc::UnboundedReceiver<Vec<u8>>) {
    let (heard, ends) = mpsc::unbounded_channel();
    let peer = Peer::start(&ServerTls::new(ca, "localhost"), move |mut tls| {
        let heard = heard.clone();
        async move {
            let mut read = Vec::new();
            let _ = tls.read_buf(&mut read).await;
            heard.send(read.clone()).unwrap();
            while !is_whole(&read) && tls.read_buf(&mut read).await.is_ok_and(|length| length > 0) {}
            heard.send(read).unwrap();
        }
    })
    .await;
    (peer, ends)
}

fn is_whole(message: &[u8]) -> bool {
    message.ends_with(b"0\r\n\r\n")
}

/// A guest that dies says nothing of what it has not written: to the server it must not look like all.
async fn half_a_message_of_a_guest_that_is_gone() {
    let ca = Authority::new("ca");
    let (peer, mut ends) = listener(&ca).await;
    let routes = vec![Route::new("localhost", ca.roots())];
    let transport = Transport::new(Pool::default(), config_at("w", routes, peer.address));
    for _ in 0..50 {
        let mut hooks = TransportHooks::new(transport.clone());
        let (mut guest, body) = HostOutgoingBody::new(StreamContext::Request, None, 1, 1024);
        let request = Request::post("https://localhost/").body(body).unwrap();
        let sending = tokio::spawn(Pin::from(hooks.send_request(request, None, Box::new(async { Ok(()) }))));
        let mut output = guest.take_output_stream().unwrap();
        for _ in 0..3 {
            output.ready().await;
            output.write("half".into()).unwrap();
        }
        ends.recv().await.unwrap();
        // As a store drops them, in which the answer may be waited for still.
        drop(hooks);
        drop((output, guest));
        let heard = ends.recv().await.unwrap();
        assert!(heard.starts_with(b"POST / HTTP/1.1\r\n") && !is_whole(&heard), "{}", String::from_utf8_lossy(&heard));
        let error = sending.await.unwrap().err().unwrap();
        assert!(matches!(error, WasiError::HttpProtocolError), "{error:?}");
    }
}

#[tokio::test]
async fn a_body_without_length_whose_guest_is_gone_never_ends_as_a_whole_message() {
    within(half_a_message_of_a_guest_that_is_gone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_it_on_many_threads() {
    within(half_a_message_of_a_guest_that_is_gone()).await;
}

#[tokio::test]
async fn a_body_without_length_that_is_given_up_or_takes_too_long_does_not_either_and_a_finished_one_does() {
    within(async {
        let ca = Authority::new("ca");
        let (peer, mut ends) = listener(&ca).await;
        let routes = vec![Route::new("localhost", ca.roots())];
        let transport = Transport::new(Pool::default(), config_at("w", routes, peer.address));
        let short = Timeouts::default().first_byte(Duration::from_millis(50));
        for (end, timeouts) in [("finish", Timeouts::default()), ("abort", Timeouts::default()), ("hold on", short)] {
            let mut hooks = TransportHooks::new(transport.clone().timeouts(timeouts));
            let (mut guest, body) = HostOutgoingBody::new(StreamContext::Request, None, 1, 1024);
            let request = Request::post("https://localhost/").body(body).unwrap();
            let sending = tokio::spawn(Pin::from(hooks.send_request(request, None, Box::new(async { Ok(()) }))));
            let mut output = guest.take_output_stream().unwrap();
            output.write("half".into()).unwrap();
            if end != "hold on" {
                ends.recv().await.unwrap();
            }
            let held = match end {
                "finish" => {
                    drop(output);
                    guest.finish(None).unwrap();
                    None
                }
                "abort" => {
                    drop(output);
                    guest.abort();
                    None
                }
                _ => Some((output, guest)),
            };
            sending.await.unwrap().err().expect("there is no answer");
            if end == "hold on" {
                ends.recv().await.unwrap();
            }
            let heard = ends.recv().await.unwrap();
            assert_eq!(is_whole(&heard), end == "finish", "{end}: {}", String::from_utf8_lossy(&heard));
            drop(held);
        }
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_asks_in_vain_a_thousand_times_fills_ten_lines_of_the_log() {
    within(async {
        let (mut hooks, _server) = hooks();
        let lines = Lines::default();
        let (counted, _guard) = (lines.clone(), tracing::subscriber::set_default(lines));
        for _ in 0..1_000 {
            let sent = hooks.send_request(post("https://elsewhere.example/", "x"), None, Box::new(async { Ok(()) }));
            let error = Pin::from(sent).await.err().unwrap();
            assert!(matches!(error, WasiError::HttpRequestDenied));
        }
        // As many as there are periods of ten seconds in the time that this takes.
        let told = counted.0.lock().unwrap().len();
        assert!((10..1_000).contains(&told), "{told}");
        drop(hooks);
        let told = counted.0.lock().unwrap();
        assert!(told.iter().any(|line| line.contains("failures before this were left out")), "{told:?}");
    })
    .await;
}

/// The lines of a log at the level of warnings.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, _: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0.push_str(&format!("{value:?}"));
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn plain_http_reaches_the_guest_as_denied_and_not_as_a_protocol_error() {
    within(async {
        let (mut hooks, _server) = hooks();
        assert!(hooks.is_supported_scheme(&http::uri::Scheme::HTTP));
        let sent = hooks.send_request(post("http://localhost/", "x"), None, Box::new(async { Ok(()) }));
        let error = Pin::from(sent).await.err().unwrap();
        assert!(matches!(error, WasiError::HttpRequestDenied));
    })
    .await;
}

#[tokio::test]
async fn a_request_too_many_is_not_sent_and_one_is_over_when_its_answer_is_dropped() {
    within(async {
        let (hooks, _server) = hooks();
        let mut hooks = hooks.limits(&GuestLimits::default().requests_in_flight(1));
        let mut send =
            || Pin::from(hooks.send_request(post("https://localhost/", "x"), None, Box::new(async { Ok(()) })));
        let (first, second) = (send(), send());
        assert!(matches!(second.await.err().unwrap(), WasiError::ConnectionLimitReached));
        let (answer, _io) = first.await.unwrap();
        assert!(matches!(send().await.err().unwrap(), WasiError::ConnectionLimitReached));
        drop(answer);
        assert!(send().await.is_ok());
    })
    .await;
}

#[test]
fn the_guest_may_set_its_own_headers_and_none_of_the_connection() {
    let (mut hooks, _server) = hooks();
    let forbidden = hooks.forbidden_header_filter();
    for name in [CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE] {
        assert!(forbidden(&name) && hooks.is_forbidden_header(&name), "{name}");
    }
    let token = HeaderName::from_static("x-amz-customauthorizer-signature");
    for name in [CONTENT_LENGTH, AUTHORIZATION, token] {
        assert!(!forbidden(&name) && !hooks.is_forbidden_header(&name), "{name}");
    }
}
