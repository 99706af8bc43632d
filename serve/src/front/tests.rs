//! What a client gets at the other end of a socket: a good one, and one that wants to hold the server up.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use thingpost_patience::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;
use crate::problem::whole;

/// Answers with what came. `/wait` waits for a permit first, `/unread` does not look at the body.
#[derive(Default)]
struct Echo {
    gate: Gate,
    arrived: AtomicUsize,
    /// Requests whose handling was ended before its end.
    given_up: Arc<AtomicUsize>,
}

struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

/// Counts itself when it is dropped unfinished.
struct Unfinished(Option<Arc<AtomicUsize>>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(count) = &self.0 {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Handler for Echo {
    async fn handle(&self, request: Request<RequestBody>) -> Response<AnswerBody> {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        if request.uri().path() == "/wait" {
            let mut unfinished = Unfinished(Some(Arc::clone(&self.given_up)));
            let _ = self.gate.0.acquire().await;
            unfinished.0 = None;
        }
        if request.uri().path() == "/unread" {
            return Response::new(whole("no"));
        }
        match request.into_body().collect().await {
            Ok(body) => Response::new(whole(body.to_bytes())),
            Err(error) => {
                let mut answer = Response::new(whole(error.to_string()));
                *answer.status_mut() = StatusCode::BAD_REQUEST;
                answer
            }
        }
    }
}

struct Server {
    address: SocketAddr,
    echo: Arc<Echo>,
    stop: StopHandle,
    served: JoinHandle<Drained>,
}

impl Server {
    async fn start(limits: FrontLimits) -> Self {
        let front = Front::bind("127.0.0.1:0".parse().unwrap()).await.unwrap().limits(limits);
        let address = front.local_addr().unwrap();
        let echo = Arc::<Echo>::default();
        let (stop, asked) = StopHandle::new();
        let served = tokio::spawn(front.serve(Arc::clone(&echo), asked));
        Self { address, echo, stop, served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends this, and gives all that comes until the other end closes.
    async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        rest(&mut stream).await
    }

    async fn until_arrived(&self, count: usize) {
        while self.echo.arrived.load(Ordering::SeqCst) < count {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all).await {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => all.extend(b"(reset)"),
        Err(error) => panic!("{error}"),
    }
    String::from_utf8(all).unwrap()
}

fn post(path: &str, body: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn short(header_timeout_ms: u64) -> FrontLimits {
    FrontLimits { header_timeout: Duration::from_millis(header_timeout_ms), ..FrontLimits::default() }
}

#[tokio::test]
async fn a_request_is_answered_and_the_connection_is_good_for_another() {
    within(async {
        let server = Server::start(FrontLimits::default()).await;
        let mut stream = server.connect().await;
        for body in ["21.5", "22"] {
            let request = post("/", body);
            let keep = String::from_utf8(request).unwrap().replace("connection: close\r\n", "");
            stream.write_all(keep.as_bytes()).await.unwrap();
            let mut answer = String::new();
            while !answer.ends_with(body) {
                let mut buffer = [0; 512];
                let count = stream.read(&mut buffer).await.unwrap();
                assert_ne!(count, 0, "it was closed after: {answer}");
                answer.push_str(str::from_utf8(&buffer[..count]).unwrap());
            }
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn half_a_head_does_not_hold_a_connection_for_ever() {
    within(async {
        let server = Server::start(short(100)).await;
        for half in ["", "POST /", "POST / HTTP/1.1\r\nhost: a\r\n"] {
            assert_eq!(server.say(half.as_bytes()).await, "", "after {half:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_sends_its_request_is_served_beside_as_many_half_open_ones_as_there_may_be() {
    within(async {
        // They stay for as long as they like.
        let limits = FrontLimits { connections: 200, ..short(600_000) };
        let server = Server::start(limits).await;
        let mut half_open = Vec::new();
        for _ in 0..200 {
            let mut stream = server.connect().await;
            stream.write_all(b"POST / HTTP/1.1\r\nhost: ").await.unwrap();
            half_open.push(stream);
        }
        assert!(server.say(&post("/", "21.5")).await.ends_with("21.5"));
        // The first had to go for it.
        assert_eq!(rest(&mut half_open[0]).await, "");
    })
    .await;
}

#[tokio::test]
async fn where_all_connections_have_a_request_one_more_is_told_to_come_back() {
    within(async {
        let server = Server::start(FrontLimits { connections: 2, ..FrontLimits::default() }).await;
        let mut streams = Vec::new();
        for _ in 0..2 {
            let mut stream = server.connect().await;
            stream.write_all(&post("/wait", "21.5")).await.unwrap();
            streams.push(stream);
        }
        server.until_arrived(2).await;
        let answer = server.say(&post("/", "22")).await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((body["cause"].as_str(), body["outcome"].as_str()), (Some("overloaded"), Some("not-sent")));
        server.echo.gate.0.add_permits(2);
        for mut stream in streams {
            assert!(rest(&mut stream).await.ends_with("21.5"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_answered_although_its_client_goes_on_sending() {
    within(async {
        let server = Server::start(FrontLimits { body_bytes: 1000, ..FrontLimits::default() }).await;
        let mut stream = server.connect().await;
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; 1_000_000]).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("payload-too-large"), "{answer}");
        assert_eq!(server.echo.arrived.load(Ordering::SeqCst), 0, "no guest has seen it");
    })
    .await;
}

#[tokio::test]
async fn a_body_without_length_that_is_too_long_ends_in_an_error_for_the_guest() {
    within(async {
        let server = Server::start(FrontLimits { body_bytes: 10, ..FrontLimits::default() }).await;
        let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        let answer = server.say(format!("{head}4\r\n21.5\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n").as_bytes()).await;
        assert!(answer.ends_with("the body of the request is longer than this server takes"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_came_before_the_body_is_seen_by_a_client_that_goes_on_sending() {
    within(async {
        let server = Server::start(FrontLimits::default()).await;
        let mut stream = server.connect().await;
        stream.write_all(b"POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 900000\r\n\r\n").await.unwrap();
        server.until_arrived(1).await;
        // It may be closed before all of it is sent, and never reset.
        let _ = stream.write_all(&vec![b'x'; 900_000]).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("no"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_body_that_stops_coming_ends_in_an_error_for_the_guest() {
    within(async {
        let server =
            Server::start(FrontLimits { stall_timeout: Duration::from_millis(100), ..FrontLimits::default() }).await;
        let answer =
            server.say(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\nconnection: close\r\n\r\n21.5").await;
        assert!(answer.ends_with("the body of the request did not come in time"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_away_while_its_request_waits_is_noticed() {
    within(async {
        let server = Server::start(FrontLimits::default()).await;
        let mut stream = server.connect().await;
        stream.write_all(&post("/wait", "21.5")).await.unwrap();
        server.until_arrived(1).await;
        drop(stream);
        while server.echo.given_up.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_whose_request_had_to_wait_for_its_turn_is_not_too_slow() {
    within(async {
        let server = Server::start(FrontLimits::default()).await;
        let mut stream = server.connect().await;
        let head =
            "POST /wait HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        server.until_arrived(1).await;
        // More time goes by than a client may stall, and it is not the client that does.
        tokio::time::pause();
        tokio::time::advance(FrontLimits::default().stall_timeout * 3).await;
        tokio::time::resume();
        server.echo.gate.0.add_permits(1);
        let mut first = [0; 25];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(b"21.5").await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("21.5"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_body_that_trickles_ends_when_its_time_is_over() {
    within(async {
        let limits = FrontLimits { body_timeout: Duration::from_millis(300), ..FrontLimits::default() };
        let server = Server::start(limits).await;
        let (mut reader, mut writer) = server.connect().await.into_split();
        let head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\nconnection: close\r\n\r\n";
        writer.write_all(head).await.unwrap();
        let trickle = tokio::spawn(async move {
            while writer.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
        });
        let mut answer = String::new();
        let _ = reader.read_to_string(&mut answer).await;
        assert!(answer.contains("did not come in time"), "{answer}");
        trickle.abort();
    })
    .await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered() {
    within(async {
        let server = Server::start(FrontLimits::default()).await;
        let long = format!("POST / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(40_000));
        assert!(server.say(long.as_bytes()).await.starts_with("HTTP/1.1 431"));
        let many = format!("POST / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(150));
        assert!(server.say(many.as_bytes()).await.starts_with("HTTP/1.1 431"));
    })
    .await;
}

#[tokio::test]
async fn a_request_without_host_is_refused_unless_it_is_of_the_version_that_had_none() {
    within(async {
        let server = Server::start(FrontLimits::default()).await;
        let answer = server.say(b"POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("host-missing"), "{answer}");
        let twice = server
            .say(b"POST / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            .await;
        assert!(twice.starts_with("HTTP/1.1 400"), "{twice}");
        let answer = server.say(b"POST / HTTP/1.0\r\ncontent-length: 4\r\n\r\n21.5").await;
        assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("21.5"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_http_is_answered_or_closed_and_harms_no_other() {
    within(async {
        let server = Server::start(short(200)).await;
        for garbage in
            [&b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\r\n\r\n"]
        {
            let answer = server.say(garbage).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
        }
        // On a slow machine its head may be late as well.
        while !server.say(&post("/", "21.5")).await.ends_with("21.5") {}
    })
    .await;
}

#[tokio::test]
async fn requests_that_are_under_way_when_the_end_is_asked_for_are_answered() {
    within(async {
        let server =
            Server::start(FrontLimits { drain_timeout: Duration::from_secs(500), ..FrontLimits::default() }).await;
        let mut streams = Vec::new();
        for _ in 0..100 {
            let mut stream = server.connect().await;
            stream.write_all(&post("/wait", "21.5")).await.unwrap();
            streams.push(stream);
        }
        let idle = server.connect().await;
        server.until_arrived(100).await;
        server.stop.stop();
        // It takes no more.
        while TcpStream::connect(server.address).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
        server.echo.gate.0.add_permits(100);
        for stream in &mut streams {
            assert!(rest(stream).await.ends_with("21.5"));
        }
        assert_eq!(server.served.await.unwrap(), Drained { cut_off: 0 });
        drop(idle);
    })
    .await;
}

#[tokio::test]
async fn requests_that_the_system_has_taken_before_the_end_are_answered_too() {
    within(async {
        let server = Server::start(FrontLimits::default()).await;
        // This thread does nothing else meanwhile, so the server has accepted none of them.
        let mut streams = Vec::new();
        for _ in 0..20 {
            let mut stream = std::net::TcpStream::connect(server.address).unwrap();
            io::Write::write_all(&mut stream, &post("/", "21.5")).unwrap();
            streams.push(stream);
        }
        server.stop.stop();
        assert_eq!(server.served.await.unwrap(), Drained { cut_off: 0 });
        for mut stream in streams {
            let mut answer = String::new();
            io::Read::read_to_string(&mut stream, &mut answer).unwrap();
            assert!(answer.ends_with("21.5"), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_end_comes_when_the_time_for_it_is_over_and_says_what_it_cut_off() {
    within(async {
        let limits = FrontLimits { drain_timeout: Duration::from_millis(50), ..FrontLimits::default() };
        let server = Server::start(limits).await;
        let mut stream = server.connect().await;
        stream.write_all(&post("/wait", "21.5")).await.unwrap();
        server.until_arrived(1).await;
        server.stop.stop();
        assert_eq!(server.served.await.unwrap(), Drained { cut_off: 1 });
        assert_eq!(rest(&mut stream).await, "");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_given_up() {
    within(async {
        let limits = FrontLimits { stall_timeout: Duration::from_millis(300), ..FrontLimits::default() };
        let (client, server) = tokio::io::duplex(64);
        let place = Arc::new(Places::new(1).take().unwrap());
        let mut stalling = stall::Stalling::new(server, place, limits.stall_timeout);
        let error = stalling.write_all(&[0; 1000]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(client);
    })
    .await;
}

mod over_tls {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::pki_types::{PrivateKeyDer, ServerName};
    use rustls::{ClientConfig, RootCertStore};
    use thingpost_host::{Identity, TrustRoots};
    use tokio_rustls::TlsConnector;

    use super::*;

    struct Authority {
        issuer: Issuer<'static, KeyPair>,
        certificate: rcgen::Certificate,
    }

    impl Authority {
        fn new() -> Self {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            let certificate = params.self_signed(&key).unwrap();
            Self { issuer: Issuer::new(params, key), certificate }
        }

        fn pair(&self) -> (rcgen::Certificate, KeyPair) {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            (params.signed_by(&key, &self.issuer).unwrap(), key)
        }

        fn identity(&self) -> Identity {
            let (certificate, key) = self.pair();
            Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
        }

        fn client(&self, shows: Option<(rcgen::Certificate, KeyPair)>) -> TlsConnector {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
            let builder = builder.with_root_certificates(roots);
            let config = match shows {
                None => builder.with_no_client_auth(),
                Some((certificate, key)) => {
                    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
                    builder.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap()
                }
            };
            TlsConnector::from(Arc::new(config))
        }
    }

    async fn start(tls: ServerTls) -> (SocketAddr, StopHandle) {
        let front = Front::bind("127.0.0.1:0".parse().unwrap()).await.unwrap().tls(tls);
        let address = front.local_addr().unwrap();
        let (stop, asked) = StopHandle::new();
        let echo = Arc::<Echo>::default();
        tokio::spawn(front.serve(echo, asked));
        (address, stop)
    }

    /// The answer, or none if the handshake or what follows fails.
    async fn ask(address: SocketAddr, client: &TlsConnector) -> Option<Bytes> {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = client.connect(name, stream).await.ok()?;
        stream.write_all(&post("/", "21.5")).await.ok()?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.ok()?;
        Some(all.into())
    }

    #[tokio::test]
    async fn a_certificate_is_replaced_between_two_connections() {
        within(async {
            let [old, new] = [(); 2].map(|()| Authority::new());
            let tls = ServerTls::new(&old.identity(), None).unwrap();
            let (address, _stop) = start(tls.clone()).await;
            let [knows_old, knows_new] = [&old, &new].map(|authority| authority.client(None));
            assert!(ask(address, &knows_old).await.unwrap().ends_with(b"21.5"));
            assert!(ask(address, &knows_new).await.is_none());
            tls.replace(&new.identity(), None).unwrap();
            assert!(ask(address, &knows_new).await.unwrap().ends_with(b"21.5"));
            assert!(ask(address, &knows_old).await.is_none());
        })
        .await;
    }

    #[tokio::test]
    async fn a_client_without_a_certificate_of_the_authority_gets_nothing() {
        within(async {
            let [ours, other] = [(); 2].map(|()| Authority::new());
            let roots = TrustRoots::from_pem(ours.certificate.pem().as_bytes()).unwrap();
            let (address, _stop) = start(ServerTls::new(&ours.identity(), Some(&roots)).unwrap()).await;
            assert!(ask(address, &ours.client(Some(ours.pair()))).await.unwrap().ends_with(b"21.5"));
            assert!(ask(address, &ours.client(Some(other.pair()))).await.is_none());
            assert!(ask(address, &ours.client(None)).await.is_none());
        })
        .await;
    }

    #[test]
    fn a_file_without_an_authority_of_clients_is_refused_with_the_way_out() {
        let ours = Authority::new();
        let (leaf, _) = ours.pair();
        // A server's own certificate can be trusted, and signs for no client.
        let roots = TrustRoots::from_pem(leaf.pem().as_bytes()).unwrap();
        let error = ServerTls::new(&ours.identity(), Some(&roots)).unwrap_err();
        assert!(error.to_string().contains("the authority that signs those of the clients"), "{error}");
    }
}
