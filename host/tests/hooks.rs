use std::pin::Pin;

use http::HeaderName;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http_body_util::BodyExt;
use thingpost_host::{GuestLimits, Route, TransportHooks};
use wasmtime_wasi_http::{Error as WasiError, WasiHttpHooks};

use crate::client::{post, transport, within};
use crate::pki::Authority;
use crate::server::{Script, Server};

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
