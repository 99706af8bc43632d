use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use thingpost_host::{Denial, Pool, Route, RouteTable, Timeouts, Transport, TransportError, WorkloadConfig};
use thingpost_patience::patience;
use wasmtime_wasi_http::{Error as WasiError, WasiBody};

use crate::client::{Failures, body, means_not_sent, post, publish, transport, within};
use crate::pki::Authority;
use crate::server::{Do, OK, Script};

const URL: &str = "https://localhost/";

async fn code(script: Script, ca: &Authority) -> WasiError {
    let server = script.start();
    let transport = transport(Route::new("localhost", ca.roots()), &server);
    let error = publish(&transport, URL, "x").await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("localhost:443") && text.contains(';') && !text.contains('\n'), "{text}");
    let code = error.to_wasi();
    assert_eq!(means_not_sent(&code), matches!(error, TransportError::Connect { .. }), "{error:?}");
    code
}

#[tokio::test]
async fn what_no_route_names_is_denied() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let transport = transport(Route::new("localhost", ca.roots()).port(8443), &server);
        for url in ["https://localhost/", "https://other.example:8443/", "https://localhost:8444/"] {
            let error = publish(&transport, url, "x").await.unwrap_err();
            assert!(matches!(error, TransportError::Denied(Denial::NoRoute(_))), "{error:?}");
            assert!(matches!(error.to_wasi(), WasiError::HttpRequestDenied));
        }
        assert_eq!(server.accepted(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_route_that_names_no_port_is_none_to_all_that_listens_on_its_host() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let transport = transport(Route::new("localhost", ca.roots()).mqtt(), &server);
        for port in [1, 80, 8080, 8883, 9443, 65535] {
            let error = publish(&transport, &format!("https://localhost:{port}/"), "x").await.unwrap_err();
            assert!(matches!(error, TransportError::Denied(Denial::NoRoute(_))), "{port}: {error:?}");
        }
        for port in [1, 1883, 8443, 9443] {
            let error = transport.dial(&format!("localhost:{port}"), patience()).await.unwrap_err();
            assert!(matches!(error, TransportError::Denied(Denial::NoRoute(_))), "{port}: {error:?}");
        }
        assert_eq!(server.accepted(), 0);
        for port in [443, 8443] {
            publish(&transport, &format!("https://localhost:{port}/"), "x").await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn plain_http_user_information_and_tunnels_are_denied() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        let plain = transport.send(post("http://localhost/", "x")).await.unwrap_err();
        assert!(matches!(plain.to_wasi(), WasiError::HttpRequestDenied));
        let user = transport.send(post("https://a:b@localhost/", "x")).await.unwrap_err();
        assert!(matches!(user.to_wasi(), WasiError::HttpRequestUriInvalid));
        let tunnel = Request::connect("https://localhost/").body(body("")).unwrap();
        let tunnel = transport.send(tunnel).await.unwrap_err();
        assert!(matches!(tunnel.to_wasi(), WasiError::HttpRequestMethodInvalid));
        assert_eq!(server.accepted(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_host_header_is_that_of_the_url_whatever_the_guest_set() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        let request = Request::post("https://localhost:8443/").header("host", "other.example").body(body("x")).unwrap();
        transport.send(request).await.unwrap();
        let head = server.connections()[0].requests[0].0.to_lowercase();
        assert!(head.contains("\r\nhost: localhost:8443"), "{head}");
        assert!(!head.contains("other.example"), "{head}");
    })
    .await;
}

/// Ports and brackets that other readers of URLs take for something else than is written there.
#[tokio::test]
async fn an_authority_that_is_no_host_and_port_is_denied_and_goes_to_no_route_that_resembles_it() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        for authority in [
            "localhost:+443",
            "localhost:99999",
            "localhost:",
            "[localhost]",
            "[localhost]:443",
            "localhost:0",
            "localhost:443:443",
        ] {
            // The library refuses some of them itself.
            if let Ok(uri) = format!("https://{authority}/").parse::<http::Uri>() {
                let error = transport.send(Request::post(uri).body(body("x")).unwrap()).await.unwrap_err();
                assert!(matches!(error, TransportError::Denied(Denial::Url)), "{authority}: {error:?}");
                assert!(matches!(error.to_wasi(), WasiError::HttpRequestUriInvalid));
            }
            let error = transport.dial(authority, patience()).await.unwrap_err();
            assert!(matches!(error, TransportError::Denied(Denial::Authority)), "{authority}: {error:?}");
        }
        assert_eq!(server.accepted(), 0);
    })
    .await;
}

/// As those who sign a request write it: AWS checks its signature against the header that it got.
#[tokio::test]
async fn the_host_header_is_written_anew_from_where_the_request_goes() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        for authority in ["localhost", "LOCALHOST:443", "localhost.:0443"] {
            publish(&transport, &format!("https://{authority}/"), "x").await.unwrap();
        }
        for (head, _) in &server.connections()[0].requests {
            assert!(head.contains("\r\nhost: localhost\r\n"), "{head}");
        }
        assert_eq!((server.accepted(), server.bodies().len()), (1, 3));
    })
    .await;
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    within(async {
        let ca = Authority::new("ca");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let route = Route::new("localhost", ca.roots()).port(port);
        let config = WorkloadConfig::new("w", RouteTable::new(vec![route]).unwrap());
        let transport = Transport::new(Pool::default(), config);
        let url = format!("https://localhost:{port}/");
        let error = publish(&transport, &url, "x").await.unwrap_err();
        assert!(matches!(error.to_wasi(), WasiError::ConnectionRefused), "{error:?}");
        assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_a_dns_error() {
    within(async {
        let ca = Authority::new("ca");
        let config =
            WorkloadConfig::new("w", RouteTable::new(vec![Route::new("nowhere.invalid", ca.roots())]).unwrap());
        let transport = Transport::new(Pool::default(), config);
        let error = publish(&transport, "https://nowhere.invalid/", "x").await.unwrap_err();
        assert!(matches!(error.to_wasi(), WasiError::DnsError { .. } | WasiError::DnsTimeout), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_closes_during_the_handshake_has_not_been_sent_anything() {
    within(async {
        let ca = Authority::new("ca");
        let mut script = Script::new(&ca);
        script.on_accept = Do::Close;
        assert!(matches!(code(script, &ca).await, WasiError::TlsProtocolError));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_has_not_been_sent_anything() {
    within(async {
        let ca = Authority::new("ca");
        let mut script = Script::new(&ca);
        script.on_accept = Do::Answer("HTTP/1.1 400 Bad Request\r\n\r\n");
        assert!(matches!(code(script, &ca).await, WasiError::TlsProtocolError));
    })
    .await;
}

/// In TLS 1.3 this races against the request, and either outcome is honest; what it must never be is "not sent" for a
/// request that was read.
#[tokio::test]
async fn a_server_that_closes_after_the_handshake_is_judged_by_whether_it_was_sent_the_request() {
    within(async {
        let ca = Authority::new("ca");
        for _ in 0..10 {
            let mut script = Script::new(&ca);
            script.on_handshake = Do::Close;
            let code = code(script, &ca).await;
            assert!(matches!(code, WasiError::TlsProtocolError | WasiError::ConnectionTerminated), "{code:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_unknown() {
    within(async {
        let ca = Authority::new("ca");
        let script = Script::new(&ca).on_request(|_, _| Do::Close);
        assert!(matches!(code(script, &ca).await, WasiError::ConnectionTerminated));
    })
    .await;
}

#[tokio::test]
async fn half_a_head_is_unknown() {
    within(async {
        let ca = Authority::new("ca");
        let script = Script::new(&ca).on_request(|_, _| Do::AnswerThenClose("HTTP/1.1 200 OK\r\ncont", Duration::ZERO));
        assert!(matches!(code(script, &ca).await, WasiError::ConnectionTerminated));
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_a_protocol_error() {
    within(async {
        let ca = Authority::new("ca");
        let script = Script::new(&ca).on_request(|_, _| Do::AnswerThenStall("\x10\x02 this is MQTT\r\n\r\n"));
        assert!(matches!(code(script, &ca).await, WasiError::HttpProtocolError));
    })
    .await;
}

#[tokio::test]
async fn an_answer_with_too_many_headers_is_too_large_and_is_http() {
    within(async {
        let ca = Authority::new("ca");
        let lines: String = (0..150).map(|index| format!("x-header-{index}: v\r\n")).collect();
        let answer: &'static str = format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\nok").leak();
        let script = Script::new(&ca).on_request(move |_, _| Do::AnswerThenStall(answer));
        assert!(matches!(code(script, &ca).await, WasiError::HttpResponseHeaderSectionSize(None)));
    })
    .await;
}

#[tokio::test]
async fn an_answer_cut_in_its_body_is_incomplete() {
    within(async {
        let ca = Authority::new("ca");
        for head in [
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        ] {
            let server = Script::new(&ca).on_request(move |_, _| Do::AnswerThenClose(head, Duration::ZERO)).start();
            let transport = transport(Route::new("localhost", ca.roots()), &server);
            let answer = transport.send(post(URL, "x")).await.unwrap();
            let error = answer.into_body().collect().await.unwrap_err();
            assert!(matches!(error.to_wasi(), WasiError::HttpResponseIncomplete), "{error:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn answers_of_every_framing_are_read_to_their_end() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca)
            .on_request(|_, request| match request {
                0 => Do::Answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
                1 => Do::Answer("HTTP/1.1 204 No Content\r\n\r\n"),
                2 => Do::Answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
                3 => Do::Answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
                _ => Do::AnswerThenClose("HTTP/1.1 200 OK\r\n\r\nuntil the end", Duration::ZERO),
            })
            .start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        for expected in ["ok", "", "", "ok", "until the end"] {
            let answer = publish(&transport, URL, "x").await.unwrap();
            assert_eq!(answer.body(), expected);
        }
        assert_eq!(server.accepted(), 1);
    })
    .await;
}

#[tokio::test]
async fn connection_close_is_respected() {
    within(async {
        let ca = Authority::new("ca");
        let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
        let server = Script::new(&ca).on_request(move |_, _| Do::Answer(closing)).start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        for _ in 0..10 {
            publish(&transport, URL, "x").await.unwrap();
        }
        assert_eq!(server.accepted(), 10);
        assert_eq!(server.bodies().len(), 10);
    })
    .await;
}

/// The body of a guest that writes a part and then fails.
struct Half(Vec<Result<Frame<Bytes>, WasiError>>);

impl Body for Half {
    type Data = Bytes;
    type Error = WasiError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, WasiError>>> {
        Poll::Ready(self.0.pop())
    }
}

fn broken_body(error: WasiError) -> WasiBody {
    Half(vec![Err(error), Ok(Frame::data(Bytes::from_static(b"half")))]).boxed_unsync()
}

#[tokio::test]
async fn a_body_of_the_wrong_length_was_no_request() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).on_request(|_, _| Do::Answer(OK)).start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        let request = Request::post(URL)
            .header("content-length", "8")
            .body(broken_body(WasiError::HttpRequestBodySize(Some(4))))
            .unwrap();
        let error = transport.send(request).await.unwrap_err();
        assert!(matches!(error.to_wasi(), WasiError::HttpRequestBodySize(Some(4))), "{error:?}");
        assert!(server.bodies().is_empty());
    })
    .await;
}

/// What a server does with a request that is too large for it: answer, close, and leave the rest unread.
#[tokio::test]
async fn an_answer_that_comes_while_the_request_is_still_being_written_is_an_answer() {
    within(async {
        let ca = Authority::new("ca");
        let mut script = Script::new(&ca);
        script.on_handshake = Do::AnswerThenClose(
            "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 3\r\n\r\nbig",
            // A close with something unread destroys what the client has not read yet.
            patience(),
        );
        let server = script.start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        for _ in 0..10 {
            let content = vec![b'x'; 16 * 1024 * 1024];
            let answer = publish(&transport, URL, content).await.unwrap();
            assert_eq!(answer.status(), 413);
            assert_eq!(answer.body(), "big");
        }
        assert_eq!(server.accepted(), 10);
    })
    .await;
}

#[tokio::test]
async fn the_observer_also_sees_an_answer_that_breaks_off_or_stops() {
    within(async {
        const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
        let ca = Authority::new("ca");
        let short = Duration::from_millis(50);
        for (end, between_bytes, what) in [
            (Do::AnswerThenClose(HALF, Duration::ZERO), patience(), "broke off"),
            (Do::AnswerThenStall(HALF), short, "stopped for 0.05 s"),
        ] {
            let server = Script::new(&ca).on_request(move |_, _| end.clone()).start();
            let transport = transport(Route::new("localhost", ca.roots()), &server)
                .timeouts(Timeouts::default().between_bytes(between_bytes));
            let (transport, failures) = Failures::of(transport);
            let answer = transport.send(post(URL, "x")).await.unwrap();
            answer.into_body().collect().await.unwrap_err();
            let seen = failures.told();
            assert!(seen.len() == 1 && seen[0].contains(what), "{seen:?}");
            assert!(!seen[0].contains("://"), "a link into the manual of a library: {seen:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_rehearsal_connects_and_withholds_all_that_is_not_permitted() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let transport = transport(Route::new("localhost", ca.roots()), &server).permit_only(|path| path == "/auth");
        publish(&transport, "https://localhost/auth?x=/topics", "token, please").await.unwrap();
        let error = publish(&transport, "https://localhost/topics/t?qos=0", "a message").await.unwrap_err();
        assert!(matches!(error, TransportError::Denied(Denial::Withheld(_))), "{error:?}");
        assert!(matches!(error.to_wasi(), WasiError::HttpRequestDenied), "certainly not sent");
        assert_eq!(server.bodies(), ["token, please"]);

        let stranger = Authority::new("another ca");
        let transport =
            crate::client::transport(Route::new("localhost", stranger.roots()), &server).permit_only(|_| false);
        let error = publish(&transport, URL, "a message").await.unwrap_err();
        assert!(
            matches!(error, TransportError::Connect { .. }),
            "what keeps a message from being sent shows: {error:?}"
        );
    })
    .await;
}
