//! An emulator that outlives its test, or a client that never speaks again, would make later tests fail for reasons
//! that cannot be found. So a port owns its connections: they have deadlines, and they end with it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::chaos::Conditions;
use crate::exchange::Conversation;
use crate::fault::{Break, HandshakeFault};
use crate::pki;
use crate::platform::{Peer, Platform};

/// How long things may take.
#[derive(Clone, Copy)]
pub(crate) struct Deadlines {
    /// For the next request to arrive in full, for a handshake, and for a client to take what is written to it.
    pub(crate) idle: Duration,
    /// For a client to give up when it is stalled on purpose. Longer than any sensible client timeout.
    pub(crate) stall: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { idle: Duration::from_secs(30), stall: Duration::from_secs(600) }
    }
}

/// How many connections a port has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// TCP connections accepted.
    pub accepted: u64,
    /// TLS handshakes completed.
    pub handshakes: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    handshakes: AtomicU64,
}

impl Counters {
    pub(crate) fn count_handshake(&self) {
        self.handshakes.fetch_add(1, Ordering::SeqCst);
    }
}

/// A bound port. Dropping it closes it and aborts its connections.
pub(crate) struct Port {
    address: SocketAddr,
    counters: Arc<Counters>,
    accepting: JoinHandle<()>,
}

impl Port {
    pub(crate) async fn open<P: Platform>(ip: IpAddr, platform: Arc<P>, deadlines: Deadlines) -> io::Result<Self> {
        let conditions = platform.conditions().clone();
        Self::open_with(ip, conditions, move |tcp, counters| serve(tcp, Arc::clone(&platform), counters, deadlines))
            .await
    }

    /// As [`Port::open`], for connections that are no exchanges of HTTP.
    pub(crate) async fn open_with<S, F>(ip: IpAddr, conditions: Conditions, serve: S) -> io::Result<Self>
    where
        S: Fn(TcpStream, Arc<Counters>) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((ip, 0)).await?;
        let address = listener.local_addr()?;
        let counters = Arc::new(Counters::default());
        let accepting = tokio::spawn(accept(listener, address, conditions, serve, Arc::clone(&counters)));
        Ok(Self { address, counters, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connections(&self) -> Connections {
        Connections {
            accepted: self.counters.accepted.load(Ordering::SeqCst),
            handshakes: self.counters.handshakes.load(Ordering::SeqCst),
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The connections live in the set of this task, so that aborting it ends them all.
async fn accept<S, F>(
    mut listener: TcpListener,
    address: SocketAddr,
    conditions: Conditions,
    serve: S,
    counters: Arc<Counters>,
) where
    S: Fn(TcpStream, Arc<Counters>) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    counters.accepted.fetch_add(1, Ordering::SeqCst);
                    connections.spawn(serve(tcp, Arc::clone(&counters)));
                }
                // Out of file descriptors, or a client that is gone again: neither gets better by trying at once.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            () = conditions.is_away() => {
                drop(listener);
                listener = listen_again(address, &conditions).await;
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Keeps a port from everybody else without listening on it, so that connections are refused, and listens again when the
/// time has come.
async fn listen_again(address: SocketAddr, conditions: &Conditions) -> TcpListener {
    /// As many as the standard library lets wait.
    const BACKLOG: u32 = 128;

    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok::<_, io::Error>(socket)
    };
    loop {
        if let Ok(socket) = bind() {
            conditions.is_back().await;
            if let Ok(listener) = socket.listen(BACKLOG) {
                return listener;
            }
        }
        // Out of file descriptors, or the port was taken between two calls: neither gets better by trying at once.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn serve<P: Platform>(tcp: TcpStream, platform: Arc<P>, counters: Arc<Counters>, deadlines: Deadlines) {
    let connection = platform.ledger().next_connection();
    // Without it slow bytes would be gathered into fast segments. If it fails the connection is already gone.
    if tcp.set_nodelay(true).is_err() {
        return;
    }
    if let Some(how) = platform.faults().take_at_accept() {
        return end(tcp, how, deadlines).await;
    }
    let delay = platform.conditions().handshake_delay();
    // Timers count whole milliseconds and round up, also from nothing.
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let handshake = timeout(deadlines.idle, shake_hands(tcp, platform.as_ref()));
    let Ok(Some(stream)) = handshake.await else {
        return;
    };
    counters.count_handshake();
    let peer = peer(&stream);
    Conversation::new(platform, stream, peer, connection, deadlines).run().await;
}

async fn shake_hands<P: Platform>(tcp: TcpStream, platform: &P) -> Option<TlsStream<TcpStream>> {
    let mut start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), tcp).await.ok()?;
    match platform.faults().take_in_handshake() {
        Some(HandshakeFault::Close) => return None,
        Some(HandshakeFault::Garbage) => {
            // What a box in the middle says that takes every port for plain HTTP.
            let garbage = b"HTTP/1.0 400 Bad Request\r\n\r\nThis is not TLS.";
            start.io.write_all(garbage).await.ok()?;
            return None;
        }
        None => {}
    }
    let config = platform.choose(&start.client_hello())?;
    start.into_stream(config).await.ok()
}

pub(crate) fn peer(stream: &TlsStream<TcpStream>) -> Peer {
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().and_then(|chain| chain.first());
    Peer {
        fingerprint: certificate.map(|der| pki::fingerprint(der)),
        alpn: session.alpn_protocol().map(<[u8]>::to_vec),
    }
}

/// A stream over TCP that can be told to reset instead of closing.
pub(crate) trait Reset {
    fn reset_on_drop(&self) -> io::Result<()>;
}

impl Reset for TcpStream {
    fn reset_on_drop(&self) -> io::Result<()> {
        self.set_zero_linger()
    }
}

impl Reset for TlsStream<TcpStream> {
    fn reset_on_drop(&self) -> io::Result<()> {
        self.get_ref().0.set_zero_linger()
    }
}

/// Ends a connection the way that was asked for. Errors mean that the client was faster.
pub(crate) async fn end<S>(mut stream: S, how: Break, deadlines: Deadlines)
where
    S: AsyncRead + AsyncWrite + Reset + Unpin,
{
    match how {
        Break::Close => close(stream, deadlines).await,
        Break::Reset => {
            let _gone_already = stream.reset_on_drop();
        }
        Break::Stall => {
            let _still_there = timeout(deadlines.stall, discard(&mut stream, u64::MAX)).await;
        }
    }
}

/// How much of an unread request is taken in before a connection is closed.
const MAX_DISCARDED: u64 = 16 * 1024 * 1024;

/// Closes so that the client can read everything that was written: with unread bytes in its buffer the kernel would
/// reset the connection, and the client would lose an early answer.
pub(crate) async fn close<S>(mut stream: S, deadlines: Deadlines)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shut = timeout(deadlines.idle, stream.shutdown()).await;
    if matches!(shut, Ok(Ok(()))) {
        let grace = Duration::from_secs(2).min(deadlines.idle);
        let _gave_up = timeout(grace, discard(&mut stream, MAX_DISCARDED)).await;
    }
}

/// Reads until the client closes, breaks, or has sent `limit` bytes.
async fn discard<S: AsyncRead + Unpin>(stream: &mut S, limit: u64) {
    let mut buffer = [0; 8 * 1024];
    let mut left = limit;
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        left = left.saturating_sub(count as u64);
        if left == 0 {
            return;
        }
    }
}
