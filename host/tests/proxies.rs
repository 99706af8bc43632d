//! Ways through proxies of the test's own, which do what no proper one does. What is refused, no server has seen.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thingpost_host::{
    Alpn, ConnectError, Endpoint, NoProxy, Pool, PoolLimits, Proxy, ProxyError, ProxyProtocol, ProxyRefusal, Resolver,
    Resolving, Route, RouteTable, Timeouts, Transport, TransportError, WorkloadConfig,
};
use thingpost_patience::patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::client::{config, means_not_sent, publish, within};
use crate::pki::Authority;
use crate::server::{Script, Server};

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// A proxy that does with each connection what the test says, and keeps what it was asked.
struct FakeProxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    /// Ends with it.
    _task: JoinSet<()>,
}

impl FakeProxy {
    async fn start<F>(answer: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::at((Ipv4Addr::LOCALHOST, 0).into(), answer).await
    }

    async fn at<F>(address: SocketAddr, answer: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let asked = Arc::clone(&heads);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut tcp, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match tcp.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                asked.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8(head).unwrap());
                connections.spawn(answer(tcp));
            }
        });
        Self { address, heads, _task: task }
    }

    /// One that opens the way to this server, whatever it is asked for.
    async fn to(server: &Server) -> Self {
        let server = server.address;
        Self::start(move |tcp| relay(tcp, ESTABLISHED, server)).await
    }

    /// One that says this and then nothing.
    async fn saying(answer: &'static [u8]) -> Self {
        Self::saying_at((Ipv4Addr::LOCALHOST, 0).into(), answer).await
    }

    async fn saying_at(address: SocketAddr, answer: &'static [u8]) -> Self {
        Self::at(address, move |mut tcp| async move {
            let _ = tcp.write_all(answer).await;
            // Until the client goes.
            let _ = tcp.read_to_end(&mut Vec::new()).await;
        })
        .await
    }

    fn proxy(&self) -> Proxy {
        Proxy::http(&self.address.ip().to_string(), self.address.port())
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn relay(mut tcp: TcpStream, answer: &[u8], server: SocketAddr) {
    tcp.write_all(answer).await.unwrap();
    let mut there = TcpStream::connect(server).await.unwrap();
    let _ = copy_bidirectional(&mut tcp, &mut there).await;
}

/// A workload without addresses of its own: nothing listens where `localhost:443` leads without a proxy.
fn through(proxy: Proxy, route: Route) -> Transport {
    Transport::new(Pool::default(), workload(vec![route]).proxy(proxy))
}

fn workload(routes: Vec<Route>) -> WorkloadConfig {
    WorkloadConfig::new("w", RouteTable::new(routes).unwrap())
}

fn fault(error: &TransportError) -> &ProxyError {
    match error {
        TransportError::Connect { error: ConnectError::Proxy { error, .. }, .. } => error,
        other => panic!("not the proxy's fault: {other}"),
    }
}

#[tokio::test]
async fn requests_and_dialed_connections_go_through_it_with_tls_alpn_and_identity_inside() {
    within(async {
        let ca = Authority::new("ca");
        let mut script = Script::new(&ca);
        script.tls.clients = Some(ca.pem.clone());
        script.tls.alpn = vec![b"mqtt".to_vec()];
        let server = script.start();
        let proxy = FakeProxy::to(&server).await;
        let route = Route::new("localhost", ca.roots()).identity(ca.device("device"));
        let route = route.mqtt_alpn(Alpn::Offer(vec![b"mqtt".to_vec()]));
        let named = proxy.proxy().credentials("me", "hunter2").unwrap();
        let transport = through(named, route);
        publish(&transport, "https://localhost/", "21.5").await.unwrap();
        let dialed = transport.dial("localhost:8883", patience()).await.unwrap();
        assert_eq!(dialed.alpn(), Some(&b"mqtt"[..]));
        let heads = proxy.heads();
        assert_eq!(heads.len(), 2);
        for (head, port) in heads.iter().zip([443, 8883]) {
            assert!(head.starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n")), "{head}");
            assert!(head.contains("\r\nProxy-Authorization: Basic bWU6aHVudGVyMg==\r\n"), "{head}");
        }
        assert_eq!(server.bodies(), ["21.5"]);
        let connections = server.connections();
        assert!(connections.iter().all(|connection| connection.sni.as_deref() == Some("localhost")));
        assert!(connections[0].client.is_some());
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_of_it_is_the_address_of_an_override() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let proxy = FakeProxy::to(&server).await;
        let config = config("w", vec![Route::new("localhost", ca.roots())], &server).proxy(proxy.proxy());
        publish(&Transport::new(Pool::default(), config), "https://localhost/", "x").await.unwrap();
        assert!(proxy.heads()[0].starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.address)));
    })
    .await;
}

#[tokio::test]
async fn a_route_decides_before_the_workload_and_exceptions_go_past_the_proxy() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let [of_workload, of_route] = [FakeProxy::to(&server).await, FakeProxy::to(&server).await];
        let route = Route::new("localhost", ca.roots());
        let list = |list: &str| list.parse::<NoProxy>().unwrap();
        for (route, exceptions, expected) in [
            (route.clone(), "", [1, 0]),
            (route.clone(), "127.0.0.1", [1, 0]),
            (route.clone(), "localhost:443", [0, 0]),
            (route.clone().without_proxy(), "", [0, 0]),
            (route.clone().proxy(of_route.proxy()), "*", [0, 1]),
        ] {
            let before = [of_workload.heads().len(), of_route.heads().len()];
            let config = config("w", vec![route], &server).proxy(of_workload.proxy()).no_proxy(list(exceptions));
            publish(&Transport::new(Pool::default(), config), "https://localhost/", "x").await.unwrap();
            let after = [of_workload.heads().len() - before[0], of_route.heads().len() - before[1]];
            assert_eq!(after, expected, "{exceptions}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_may_come_in_bytes_after_interim_ones_and_with_line_feeds_alone() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let address = server.address;
        for answer in [
            &b"HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n"[..],
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nLink: x\r\n\r\nHTTP/1.1 204 \r\n\r\n",
            b"HTTP/1.1 200 OK\nvia: x\n\n",
            b"HTTP/1.1 200\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            let proxy = FakeProxy::start(move |mut tcp| async move {
                tcp.set_nodelay(true).unwrap();
                for byte in answer {
                    tcp.write_all(&[*byte]).await.unwrap();
                    tokio::task::yield_now().await;
                }
                relay(tcp, b"", address).await;
            })
            .await;
            let transport = through(proxy.proxy(), Route::new("localhost", ca.roots()));
            publish(&transport, "https://localhost/", "x").await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn bytes_of_the_server_that_come_with_the_answer_are_not_lost() {
    within(async {
        let http = FakeProxy::saying(b"HTTP/1.1 200 OK\r\n\r\nfirst words").await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let socks = Proxy::socks5("127.0.0.1", listener.local_addr().unwrap().port());
        let _socks_server = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.write_all(b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00first words").await.unwrap();
            let _ = tcp.read_to_end(&mut Vec::new()).await;
        });
        for proxy in [http.proxy(), socks] {
            let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.endpoint().port)).await.unwrap();
            let to = Endpoint { host: "a.example".to_owned(), port: 443 };
            let mut tcp = proxy.tunnel(tcp, &to).await.unwrap();
            let mut words = [0; 11];
            tcp.read_exact(&mut words).await.unwrap();
            assert_eq!(&words, b"first words");
        }
    })
    .await;
}

#[tokio::test]
async fn each_refusal_says_what_the_proxy_says_and_reaches_no_server() {
    within(async {
        let ca = Authority::new("ca");
        let refusal = |answer: &'static [u8]| {
            let route = Route::new("localhost", ca.roots());
            async move {
                let proxy = FakeProxy::saying(answer).await;
                let named = proxy.proxy().credentials("gateway", "hunter2").unwrap();
                let error = publish(&through(named, route), "https://localhost/", "x").await.unwrap_err();
                let text = format!("{error} {error:?}");
                assert!(text.contains(&proxy.address.to_string()), "{text}");
                assert!(!text.contains("gateway") && !text.contains("hunter2"), "{text}");
                error
            }
        };
        for (answer, status, said) in [
            (
                &b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3000\r\n\r\n<html>"[..],
                403,
                "403 Forbidden; ask who runs it",
            ),
            (
                b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: 19\r\n\r\nRBAC: access denied",
                403,
                "403 Forbidden: RBAC: access denied;",
            ),
            (b"HTTP/1.0 502 Bad Gateway\r\n\r\n", 502, "502 Bad Gateway; it cannot reach the destination"),
            (b"HTTP/1.1 503\r\n\r\n", 503, "503; it cannot reach"),
            (b"HTTP/1.1 405 Method Not Allowed\r\n\r\n", 405, "it takes no CONNECT"),
            (b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n", 302, "302 Found;"),
            (b"HTTP/1.1 400 \x1b[31m\x07bad\r\n\r\n", 400, "400 [31m bad;"),
        ] {
            let error = refusal(answer).await;
            let refused = fault(&error);
            assert!(
                matches!(refused, ProxyError::Refused(ProxyRefusal::Http { status: told, .. }) if *told == status),
                "{refused:?}"
            );
            let text = error.to_string();
            assert!(text.starts_with("not sent to localhost:443: the proxy http://"), "{text}");
            assert!(text.contains(said) && !text.contains(char::is_control), "{said}: {text}");
        }
        for (answer, status, schemes) in [
            (&b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..], 407, None),
            (b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n", 407, None),
            (
                b"HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n\r\n",
                407,
                Some("Negotiate, NTLM"),
            ),
            (b"HTTP/1.1 401 Unauthorized\r\n\r\n", 401, None),
        ] {
            let error = refusal(answer).await;
            let ProxyError::Credentials { given: true, status: said, schemes: told } = fault(&error) else {
                panic!("{error:?}")
            };
            assert_eq!((*said, told.as_deref()), (Some(status), schemes));
            assert!(error.to_string().contains(&format!(" ({status})")), "{error}");
        }
    })
    .await;
}

/// Knows two addresses of whatever it is asked for.
struct TwoAddresses;

impl Resolver for TwoAddresses {
    fn resolve(&self, _: &str) -> Resolving {
        Box::pin(async { Ok([Ipv4Addr::LOCALHOST, OTHER].map(|ip| SocketAddr::from((ip, 0))).to_vec()) })
    }
}

/// Beside the loopback address that the other proxies have.
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[tokio::test]
async fn a_password_that_is_refused_at_one_address_is_told_to_no_other() {
    within(async {
        let ca = Authority::new("ca");
        for (answer, asked) in [
            (&b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..], [1, 0]),
            // What another node may know better.
            (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", [1, 1]),
        ] {
            let one = FakeProxy::saying(answer).await;
            let port = one.address.port();
            let other = FakeProxy::saying_at((OTHER, port).into(), answer).await;
            let pool = Pool::with_resolver(PoolLimits::default(), Arc::new(TwoAddresses));
            let proxy = Proxy::http("proxy.example", port).credentials("gateway", "hunter2").unwrap();
            let config = workload(vec![Route::new("localhost", ca.roots())]).proxy(proxy);
            let error = publish(&Transport::new(pool, config), "https://localhost/", "x").await.unwrap_err();
            assert_eq!([&one, &other].map(|proxy| proxy.heads().len()), asked, "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_proxy_is_left_at_once() {
    within(async {
        let ca = Authority::new("ca");
        let error = |proxy: Proxy| {
            let route = Route::new("localhost", ca.roots());
            async move { publish(&through(proxy, route), "https://localhost/", "x").await.unwrap_err() }
        };
        // None of these ends the connection, and so none is waited for.
        for garbage in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"\x15\x03\x01\x00\x02\x02\x16", b"HTTP/1.1 OK\r\n\r\n", b"\0"]
        {
            let error = error(FakeProxy::saying(garbage).await.proxy()).await;
            assert!(matches!(fault(&error), ProxyError::Malformed(ProxyProtocol::Http)), "{error:?}");
        }
        let endless = FakeProxy::start(|mut tcp| async move {
            let _ = tcp.write_all(b"HTTP/1.1 200 OK\r\n").await;
            while tcp.write_all(b"a: b\r\n").await.is_ok() {}
        });
        let endless = error(endless.await.proxy()).await;
        assert!(matches!(fault(&endless), ProxyError::TooLarge), "{endless:?}");
        let interim = FakeProxy::start(|mut tcp| async move {
            while tcp.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {}
        });
        let interim = error(interim.await.proxy()).await;
        assert!(matches!(fault(&interim), ProxyError::TooLarge), "{interim:?}");
        for said in [&b""[..], b"HTTP/1.1 200 OK\r\n"] {
            let closing = FakeProxy::start(move |mut tcp| async move {
                let _ = tcp.write_all(said).await;
            });
            let closed = error(closing.await.proxy()).await;
            assert!(matches!(fault(&closed), ProxyError::Closed(_)), "{closed:?}");
        }
    })
    .await;
}

/// A page of its own, a cut, and silence, each after it has let the way be opened.
#[tokio::test]
async fn one_that_opens_a_way_without_tls_is_named() {
    within(async {
        let ca = Authority::new("ca");
        let page = FakeProxy::saying(b"HTTP/1.1 200 OK\r\n\r\n<html>blocked by policy</html>").await;
        let cut = FakeProxy::start(|mut tcp| async move {
            tcp.write_all(ESTABLISHED).await.unwrap();
            // The hello of the client; a close with something unread would be a reset.
            let _ = tcp.read(&mut [0; 4096]).await;
        })
        .await;
        let silent = FakeProxy::saying(ESTABLISHED).await;
        for (proxy, says) in [
            (&page, "there is no TLS over it (the TLS handshake failed (what came is not TLS))"),
            (&cut, "there is no TLS over it (the server closed the connection before the request"),
            (&silent, "there is no TLS over it (no end of the TLS handshake within 0.3 s)"),
        ] {
            let transport = through(proxy.proxy(), Route::new("localhost", ca.roots()).port(8443));
            let transport = match says.contains("0.3 s") {
                true => transport.timeouts(Timeouts::default().connect(Duration::from_millis(300))),
                false => transport,
            };
            let error = publish(&transport, "https://localhost:8443/", "x").await.unwrap_err();
            assert!(matches!(fault(&error), ProxyError::NoTls(_)), "{error:?}");
            let told = error.to_string();
            assert!(told.contains(&format!("the proxy {} has opened a way, and {says}", proxy.proxy())), "{told}");
            assert!(told.contains("or use port 443"), "{told}");
            assert!(means_not_sent(&error.to_wasi()), "{told}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_port_that_it_does_not_let_through_has_another_way_out_and_443_has_none() {
    within(async {
        let ca = Authority::new("ca");
        let proxy = FakeProxy::saying(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
        for (port, has_way_out) in [(8443, true), (443, false)] {
            let transport = through(proxy.proxy(), Route::new("localhost", ca.roots()).port(port));
            let error = publish(&transport, &format!("https://localhost:{port}/"), "x").await.unwrap_err().to_string();
            assert!(error.contains("ask who runs it to allow this host and port"), "{error}");
            assert_eq!(error.contains("or use port 443, which most proxies let through"), has_way_out, "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn one_that_stalls_costs_the_connect_timeout_and_no_more() {
    within(async {
        let ca = Authority::new("ca");
        for said in [&b""[..], b"HTTP/1.1 200 O"] {
            let silent = FakeProxy::saying(said).await;
            // To SOCKS5 it says nothing at all: what it is asked does not end with an empty line.
            for proxy in [silent.proxy(), Proxy::socks5("127.0.0.1", silent.address.port())] {
                let timeouts = Timeouts::default().connect(Duration::from_millis(300));
                let transport = through(proxy, Route::new("localhost", ca.roots())).timeouts(timeouts);
                let error = publish(&transport, "https://localhost/", "x").await.unwrap_err();
                assert!(fault(&error).is_timeout(), "{error:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn one_that_is_not_there_is_told_from_a_server_that_is_not() {
    within(async {
        let ca = Authority::new("ca");
        let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        for proxy in [Proxy::http("127.0.0.1", nobody.port()), Proxy::http("proxy.invalid", 3128)] {
            let transport = through(proxy.clone(), Route::new("localhost", ca.roots()));
            let error = publish(&transport, "https://localhost/", "x").await.unwrap_err();
            assert!(matches!(fault(&error), ProxyError::Unreachable(_)), "{error:?}");
            assert!(error.to_string().contains(&format!("the proxy {proxy} cannot be reached: no ")), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_kept_for_the_same_proxy_and_the_same_user_alone() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let [one, other] = [FakeProxy::to(&server).await, FakeProxy::to(&server).await];
        let pool = Pool::default();
        let route = Route::new("localhost", ca.roots());
        let as_user = |proxy: &FakeProxy, user: &str| Some(proxy.proxy().credentials(user, "x").unwrap());
        for (proxy, opened) in [
            (as_user(&one, "a"), 1),
            (as_user(&one, "a"), 1),
            (as_user(&one, "b"), 2),
            (as_user(&other, "a"), 3),
            (None, 4),
            (as_user(&one, "a"), 4),
        ] {
            let config = config("w", vec![route.clone()], &server).proxy(proxy);
            publish(&Transport::new(pool.clone(), config), "https://localhost/", "x").await.unwrap();
            assert_eq!(server.accepted(), opened);
        }
    })
    .await;
}
