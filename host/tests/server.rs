//! A TLS server that writes down who came and what they sent, and does in each phase what the test tells it.
//!
//! It runs on a thread of its own, so that a test may block its own runtime, and is gone when it is dropped.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::pki::{Authority, Issued};

pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// What to do at some point of a connection's life.
#[derive(Debug, Clone)]
pub enum Do {
    /// What a server does.
    Go,
    /// Sends this answer (only meaningful once there is a request) and goes on.
    Answer(&'static str),
    /// Sends this, then closes the connection after a while.
    AnswerThenClose(&'static str, Duration),
    /// Sends this, then says nothing more.
    AnswerThenStall(&'static str),
    /// Answers after a while.
    AnswerAfter(Duration, &'static str),
    /// Answers when told to.
    AnswerWhen(Signal, &'static str),
    /// Sends one piece after the other, each when told to.
    AnswerInPieces(&'static [&'static str], Signal),
    /// Sends this, then closes the connection when told to.
    AnswerThenCloseWhen(&'static str, Signal),
    Close,
    Stall,
}

/// By which the test tells the server that it is time.
#[derive(Debug, Clone)]
pub struct Signal(Arc<Semaphore>);

impl Signal {
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Releases so many of those that wait for it, now or later.
    pub fn give(&self, count: usize) {
        self.0.add_permits(count);
    }

    async fn wait(&self) {
        self.0.acquire().await.unwrap().forget();
    }
}

type OnRequest = Box<dyn Fn(usize, usize) -> Do + Send + Sync>;

pub struct Script {
    /// Before TLS.
    pub on_accept: Do,
    /// After TLS, before any request.
    pub on_handshake: Do,
    /// For the given request (counted from 0) of the given connection (counted from 0).
    pub on_request: OnRequest,
    pub tls: ServerTls,
}

pub struct ServerTls {
    pub certificate: Issued,
    /// Whose client certificates are required.
    pub clients: Option<String>,
    /// In place of those: a rule of the test's own.
    pub verifier: Option<Arc<dyn ClientCertVerifier>>,
    pub versions: Vec<&'static rustls::SupportedProtocolVersion>,
    pub alpn: Vec<Vec<u8>>,
}

impl Script {
    /// Answers every request on `localhost` with [`OK`].
    pub fn new(authority: &Authority) -> Self {
        Self::for_host(authority, "localhost")
    }

    pub fn for_host(authority: &Authority, host: &str) -> Self {
        Self {
            on_accept: Do::Go,
            on_handshake: Do::Go,
            on_request: Box::new(|_, _| Do::Answer(OK)),
            tls: ServerTls::new(authority, host),
        }
    }

    pub fn on_request(mut self, script: impl Fn(usize, usize) -> Do + Send + Sync + 'static) -> Self {
        self.on_request = Box::new(script);
        self
    }

    pub fn start(self) -> Server {
        Server::start(self)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Connection {
    pub sni: Option<String>,
    pub alpn: Vec<Vec<u8>>,
    pub client: Option<Vec<u8>>,
    /// Head and body of each request that was read whole.
    pub requests: Vec<(String, Vec<u8>)>,
    /// Whether its client has begun to speak.
    greeted: bool,
    /// Whether its socket is closed.
    is_over: bool,
}

/// All that the server has seen.
#[derive(Debug, Default)]
pub struct Ledger {
    /// One entry per accepted connection.
    pub connections: Vec<Connection>,
    /// How many connections were open at the same time, at worst.
    most_open: usize,
}

impl Ledger {
    pub fn open(&self) -> usize {
        self.connections.iter().filter(|connection| connection.greeted && !connection.is_over).count()
    }

    pub fn closed(&self) -> usize {
        self.connections.iter().filter(|connection| connection.is_over).count()
    }

    pub fn requests(&self) -> usize {
        self.connections.iter().map(|connection| connection.requests.len()).sum()
    }
}

/// Knows how many connections the server has closed.
#[derive(Clone)]
pub struct Endings(watch::Receiver<Ledger>);

impl Endings {
    /// Blocks the thread until so many connections are closed, as a guest does that computes meanwhile.
    pub fn block_until(&self, count: usize) {
        while self.0.borrow().closed() < count {
            std::thread::sleep(Duration::from_millis(1));
        }
        // The end has to be seen as well: what comes before that cannot be told from a lost request.
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub struct Server {
    pub address: SocketAddr,
    ledger: watch::Sender<Ledger>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(script: Script) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = watch::Sender::<Ledger>::default();
        let (stop, stopped) = oneshot::channel();
        let book = ledger.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, Arc::new(script), book) => {}
                }
            });
        });
        Self { address, ledger, stop: Some(stop), thread: Some(thread) }
    }

    /// Everything so far, one entry per accepted connection.
    pub fn connections(&self) -> Vec<Connection> {
        self.ledger.borrow().connections.clone()
    }

    pub fn endings(&self) -> Endings {
        Endings(self.ledger.subscribe())
    }

    pub fn accepted(&self) -> usize {
        self.ledger.borrow().connections.len()
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.ledger.borrow().open()
    }

    /// How many connections were open at the same time, at worst.
    pub fn most_open(&self) -> usize {
        self.ledger.borrow().most_open
    }

    /// Waits until the server has seen this happen.
    pub async fn until(&self, happened: impl FnMut(&Ledger) -> bool) {
        self.ledger.subscribe().wait_for(happened).await.expect("the server is there");
    }

    /// The bodies of all requests that were read whole.
    pub fn bodies(&self) -> Vec<String> {
        let connections = self.connections();
        let requests = connections.iter().flat_map(|c| &c.requests);
        requests.map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            if !std::thread::panicking() {
                result.expect("the server thread panicked");
            }
        }
    }
}

async fn accept(listener: TcpListener, script: Arc<Script>, ledger: watch::Sender<Ledger>) {
    let tls = Arc::new(script.tls.config());
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let index = ledger.borrow().connections.len();
        ledger.send_modify(|ledger| ledger.connections.push(Connection::default()));
        let (script, tls, ledger) = (Arc::clone(&script), Arc::clone(&tls), ledger.clone());
        tokio::spawn(async move {
            // A client that goes away is a matter of course here.
            let _ = serve(tcp, index, &script, tls, &ledger).await;
            ledger.send_modify(|ledger| ledger.connections[index].is_over = true);
        });
    }
}

async fn serve(
    mut tcp: TcpStream,
    index: usize,
    script: &Script,
    tls: Arc<ServerConfig>,
    ledger: &watch::Sender<Ledger>,
) -> io::Result<()> {
    match &script.on_accept {
        Do::Go => {}
        Do::Close => return Ok(()),
        Do::Answer(text) => return tcp.write_all(text.as_bytes()).await,
        _ => std::future::pending().await,
    }
    let hello = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), tcp).await?;
    // The client closed the connection before this one earlier; let the server see that before it counts.
    tokio::task::yield_now().await;
    ledger.send_modify(|ledger| {
        let client = hello.client_hello();
        let connection = &mut ledger.connections[index];
        connection.sni = client.server_name().map(str::to_owned);
        connection.alpn = client.alpn().map(|names| names.map(<[u8]>::to_vec).collect()).unwrap_or_default();
        connection.greeted = true;
        ledger.most_open = ledger.most_open.max(ledger.open());
    });
    let mut stream = hello.into_stream(tls).await?;
    let client = stream.get_ref().1.peer_certificates().map(|chain| chain[0].to_vec());
    ledger.send_modify(|ledger| ledger.connections[index].client = client);
    match &script.on_handshake {
        Do::Go => {}
        Do::Close => return stream.shutdown().await,
        Do::AnswerThenClose(text, pause) => {
            // After the first bytes of the request, of which the rest stays unread.
            stream.read_exact(&mut [0; 16]).await?;
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await?;
            tokio::time::sleep(*pause).await;
            return Ok(());
        }
        _ => std::future::pending().await,
    }
    let mut buffer = Vec::new();
    for request in 0.. {
        let Some(read) = read_request(&mut stream, &mut buffer).await? else {
            return Ok(());
        };
        ledger.send_modify(|ledger| ledger.connections[index].requests.push(read));
        match (script.on_request)(index, request) {
            Do::Go => unreachable!("a request needs an answer"),
            Do::Answer(text) => stream.write_all(text.as_bytes()).await?,
            Do::AnswerAfter(pause, text) => {
                tokio::time::sleep(pause).await;
                stream.write_all(text.as_bytes()).await?;
            }
            Do::AnswerWhen(signal, text) => {
                signal.wait().await;
                stream.write_all(text.as_bytes()).await?;
            }
            Do::AnswerInPieces(pieces, signal) => {
                for piece in pieces {
                    signal.wait().await;
                    stream.write_all(piece.as_bytes()).await?;
                    stream.flush().await?;
                }
            }
            Do::AnswerThenClose(text, pause) => {
                stream.write_all(text.as_bytes()).await?;
                stream.flush().await?;
                tokio::time::sleep(pause).await;
                return stream.shutdown().await;
            }
            Do::AnswerThenCloseWhen(text, signal) => {
                stream.write_all(text.as_bytes()).await?;
                stream.flush().await?;
                signal.wait().await;
                return stream.shutdown().await;
            }
            Do::AnswerThenStall(text) => {
                stream.write_all(text.as_bytes()).await?;
                stream.flush().await?;
                std::future::pending::<()>().await;
            }
            Do::Close => return stream.shutdown().await,
            Do::Stall => std::future::pending().await,
        }
        stream.flush().await?;
    }
    Ok(())
}

/// A request with `content-length`, or none of a body.
async fn read_request(
    stream: &mut TlsStream<TcpStream>,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<(String, Vec<u8>)>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse().unwrap());
            let total = end + 4 + length;
            if buffer.len() >= total {
                let rest = buffer.split_off(total);
                let body = std::mem::replace(buffer, rest).split_off(end + 4);
                return Ok(Some((head, body)));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

impl ServerTls {
    pub fn new(authority: &Authority, host: &str) -> Self {
        Self {
            certificate: authority.issue(host),
            clients: None,
            verifier: None,
            versions: rustls::ALL_VERSIONS.to_vec(),
            alpn: Vec::new(),
        }
    }

    pub fn config(&self) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = CertificateDer::pem_slice_iter(self.certificate.certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.certificate.key.as_bytes()).unwrap();
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&self.versions).unwrap();
        let builder = match (&self.verifier, &self.clients) {
            (Some(verifier), _) => builder.with_client_cert_verifier(Arc::clone(verifier)),
            (None, None) => builder.with_no_client_auth(),
            (None, Some(pem)) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
                builder.with_client_cert_verifier(
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                        .build()
                        .unwrap(),
                )
            }
        };
        // Unchecked: a thief has a certificate without its key.
        let key = CertifiedKey::new(chain, provider.key_provider.load_private_key(key).unwrap());
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        config.alpn_protocols.clone_from(&self.alpn);
        // For alerts that no library sends at will.
        config.enable_secret_extraction = true;
        config
    }
}
