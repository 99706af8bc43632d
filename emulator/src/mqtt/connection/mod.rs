//! A connection has three lives: its handshake, in which it may become anything; its CONNECT, which decides who
//! it is; and the packets after that. Each of them can be broken off, and each leaves its client in another doubt.
//!
//! | Where | What |
//! |---|---|
//! | `session.rs` | what both directions know of a connection |
//! | `to_broker.rs`, `to_client.rs` | packets to the broker, and packets to the client |
//! | `forward.rs` | the loop that both have in common |
//! | `throttle.rs` | bytes on a link that may be slow |

mod forward;
mod session;
mod throttle;
mod to_broker;
mod to_client;

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{sleep, timeout};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use self::session::{Session, Who};
use self::to_broker::ToBroker;
use self::to_client::{Say, ToClient};
use super::access::{ClientSlot, EndpointPort, Greeting, Refusal, Verdict, reason};
use super::entry::{MqttConnect, MqttEnd, MqttEnded, MqttEntry, MqttWill};
use super::link_faults::{Order, Orders};
use super::packet::{self, Connect, Cut, Kind, NotConnect, cut};
use super::tls_proxy::TlsProxy;
use crate::fault::Break;
use crate::ledger::Device;
use crate::platform::Peer;
use crate::serve::{self, Counters, Reset, end};

/// What a box in the middle says that takes every port for plain HTTP.
const GARBAGE: &[u8] = b"HTTP/1.0 502 Bad Gateway\r\n\r\nThis is not MQTT.";

/// What AWS's server for HTTP says to those who speak something else.
const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The first byte of a CONNECT.
const CONNECT: u8 = 0x10;

/// How long Aliyun leaves a connection to a device that registers, as it is documented.
const TIME_TO_REGISTER: Duration = Duration::from_secs(15);

/// How long the broker may take to take in what was written to it before its connection was closed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// One connection, from its first byte to its last.
pub(super) async fn serve(proxy: Arc<TlsProxy>, port: EndpointPort, tcp: TcpStream, counters: Arc<Counters>) {
    let number = proxy.ledger.next_connection();
    let orders = proxy.link.orders();
    // Without it slow bytes would be gathered into fast segments. If it fails the connection is already gone.
    if tcp.set_nodelay(true).is_err() {
        return;
    }
    if let Some(how) = proxy.link.take_at_accept() {
        return end(tcp, how, proxy.deadlines).await;
    }
    if proxy.link.must_see_the_broker_first() && UnixStream::connect(&proxy.broker).await.is_err() {
        return end(tcp, Break::Close, proxy.deadlines).await;
    }
    let delay = proxy.conditions.handshake_delay();
    // Timers count whole milliseconds and round up, also from nothing.
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let Ok(Some(stream)) = timeout(proxy.deadlines.idle, shake_hands(tcp, &proxy, port)).await else {
        return;
    };
    counters.count_handshake();
    let peer = serve::peer(&stream);
    Connection { proxy: &proxy, port, peer, number, orders }.run(stream).await;
}

async fn shake_hands(tcp: TcpStream, proxy: &TlsProxy, port: EndpointPort) -> Option<TlsStream<TcpStream>> {
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), tcp).await.ok()?;
    let config = proxy.access.choose(port, &start.client_hello())?;
    start.into_stream(config).await.ok()
}

struct Connection<'a> {
    proxy: &'a TlsProxy,
    port: EndpointPort,
    peer: Peer,
    number: u64,
    orders: Orders,
}

/// What became of a CONNECT.
enum Introduction {
    Admitted {
        /// Of the CONNECT in the ledger.
        entry: u64,
        who: Who,
        slot: Option<ClientSlot>,
    },
    /// With what the client is told before it goes by itself.
    Told(Vec<u8>),
    /// With what the client is told.
    Refused(Vec<u8>, MqttEnd),
    /// Not in the ledger: there was no CONNECT.
    Nobody(Vec<u8>),
}

impl Connection<'_> {
    async fn run(mut self, mut stream: TlsStream<TcpStream>) {
        if self.proxy.link.take_garbage() {
            return self.say_and_close(stream, GARBAGE).await;
        }
        if self.proxy.link.take_silence() {
            return self.hold(stream, None).await;
        }
        match self.proxy.access.greet(self.port, &self.peer) {
            Greeting::Mqtt => {}
            Greeting::Http => {
                let _whatever_it_says = timeout(self.proxy.deadlines.idle, stream.read(&mut [0; 8 * 1024])).await;
                return self.say_and_close(stream, BAD_REQUEST).await;
            }
            Greeting::Nothing => return self.close(stream).await,
        }
        // Before anything is read, as a load balancer does it: without a broker behind it there is nothing to say.
        let Ok(broker) = UnixStream::connect(&self.proxy.broker).await else {
            return self.close(stream).await;
        };
        let mut buffer = Vec::new();
        let first = tokio::select! {
            first = timeout(self.proxy.deadlines.idle, first_packet(&mut stream, &mut buffer)) => first,
            order = self.orders.next() => return self.obey(order, stream, broker).await,
        };
        if first != Ok(true) {
            return self.close(stream).await;
        }
        match self.introduce(&buffer) {
            Introduction::Admitted { entry, who, slot } => {
                let session = Session::new(self.proxy, self.number, who, entry);
                self.relay(stream, broker, buffer, &session, slot).await;
            }
            Introduction::Told(bytes) => self.tell(stream, broker, &bytes).await,
            Introduction::Refused(bytes, end) => {
                self.record_end(end);
                self.say_and_close(stream, &bytes).await;
            }
            Introduction::Nobody(bytes) => self.say_and_close(stream, &bytes).await,
        }
    }

    /// Judges the CONNECT at the beginning of the buffer, and writes it down.
    fn introduce(&self, buffer: &[u8]) -> Introduction {
        let Cut::Whole(packet, _) = cut(buffer) else {
            return Introduction::Nobody(Vec::new());
        };
        let connect = match Connect::read(&packet) {
            Ok(connect) => connect,
            Err(NotConnect::Version) => return Introduction::Nobody(Refusal::Version.connack(false)),
            Err(NotConnect::Malformed) => return Introduction::Nobody(Vec::new()),
        };
        let (device, verdict) = self.proxy.access.judge(self.port, &self.peer, &connect);
        let entry = self.proxy.ledger.record(MqttEntry::Connect(MqttConnect {
            connection: self.number,
            at: Instant::now(),
            client_id: connect.client_id.to_owned(),
            user_name: connect.user_name.map(str::to_owned),
            has_password: connect.password.is_some(),
            level: connect.level,
            clean_start: connect.clean_start,
            keep_alive: connect.keep_alive,
            session_expiry: connect.session_expiry,
            receive_maximum: connect.receive_maximum,
            will: connect.will.as_ref().map(|will| MqttWill {
                topic: will.topic.to_owned(),
                payload: will.payload.to_vec(),
                qos: will.qos,
                retain: will.retain,
            }),
            device: device.clone(),
            alpn: self.peer.alpn.as_ref().map(|alpn| String::from_utf8_lossy(alpn).into_owned()),
            connack: None,
        }));
        let is_version_5 = connect.is_version_5();
        let refused = |code, connack| {
            self.proxy.ledger.answer_connect(entry, code);
            Introduction::Refused(connack, MqttEnd::Refused { code })
        };
        match verdict {
            Verdict::Tell { topic, payload } => match self.refuse_for_now(&connect, device.as_ref()) {
                Some(code) => refused(code, packet::connack(code, is_version_5)),
                None => {
                    self.proxy.ledger.answer_connect(entry, 0);
                    let mut bytes = packet::connack(0, is_version_5);
                    bytes.extend(packet::publish(1, topic, &payload));
                    Introduction::Told(bytes)
                }
            },
            Verdict::Admit => match self.refuse_for_now(&connect, device.as_ref()) {
                Some(code) => refused(code, packet::connack(code, is_version_5)),
                None => {
                    let who =
                        Who { client_id: connect.client_id.to_owned(), is_version_5, keep_alive: connect.keep_alive };
                    let owner = self.proxy.access.owner(device.as_ref(), &who.client_id);
                    let slot = owner.map(|owner| self.proxy.slots.take(owner, self.number));
                    Introduction::Admitted { entry, who, slot }
                }
            },
            Verdict::Refuse(refusal) => refused(refusal.code(is_version_5), refusal.connack(is_version_5)),
            Verdict::Close => Introduction::Refused(Vec::new(), MqttEnd::ServerClosed),
        }
    }

    /// The code for a client that would be admitted on a good day.
    fn refuse_for_now(&self, connect: &Connect<'_>, device: Option<&Device>) -> Option<u8> {
        // At Aliyun a client id says how it is signed, and may be another each time.
        let who = match device {
            Some(Device::Aliyun { product_key, device_name }) => &format!("{device_name}&{product_key}"),
            _ => connect.client_id,
        };
        let by_chance =
            || self.proxy.conditions.refuse_connect(who, connect.is_version_5(), tokio::time::Instant::now());
        self.proxy.link.take_connect_answer().or_else(by_chance)
    }

    /// Passes packets on until one side ends it. The buffer holds the CONNECT, and what came with it.
    async fn relay(
        &mut self,
        stream: TlsStream<TcpStream>,
        broker: UnixStream,
        buffer: Vec<u8>,
        session: &Session<'_>,
        slot: Option<ClientSlot>,
    ) {
        let (mut from_client, mut to_client) = split(stream);
        let (mut from_broker, mut to_broker) = broker.into_split();
        let (say, said) = unbounded_channel();
        let last_word = say.clone();
        let up = ToBroker::new(session, say).run(&mut from_client, &mut to_broker, buffer);
        let down = ToClient::new(session).run(&mut from_broker, &mut to_client, said);
        let lost = async {
            match &slot {
                Some(slot) => slot.is_lost().await,
                None => pending().await,
            }
            let last = if session.is_version_5 { packet::disconnect(reason::SESSION_TAKEN_OVER) } else { Vec::new() };
            let _ends_with_us = last_word.send(Say::Last(last, MqttEnd::TakenOver));
            // For a client that does not read.
            sleep(LAST_WORDS).await;
        };
        let over = tokio::select! {
            // The broker closes the older connection too. The one that has taken its place must be seen first.
            biased;
            () = lost => Ok(MqttEnd::TakenOver),
            order = self.orders.next() => Err(order),
            end = up => Ok(end),
            end = down => Ok(end),
        };
        let stream = from_client.unsplit(to_client);
        let broker = from_broker.reunite(to_broker);
        match (over, broker) {
            (Ok(end), Ok(broker)) if session.is_to_be_reset() => {
                self.record_end(end);
                reset(stream, broker).await;
            }
            (Ok(end), Ok(broker)) => {
                self.record_end(end);
                tokio::join!(let_go(broker), self.close(stream));
            }
            (Err(order), Ok(broker)) => {
                self.record_end(MqttEnd::Fault);
                self.obey(order, stream, broker).await;
            }
            (_, Err(_)) => {}
        }
    }

    /// Does what the test has said.
    async fn obey(&mut self, order: Order, stream: TlsStream<TcpStream>, broker: UnixStream) {
        match order {
            Order::Cut => reset(stream, broker).await,
            Order::HalfOpen => self.hold(stream, Some(broker)).await,
        }
    }

    /// Swallows whatever comes from either side until both are gone, or until the connection is cut. Neither learns
    /// that the other has gone.
    async fn hold(&mut self, stream: TlsStream<TcpStream>, broker: Option<UnixStream>) {
        let (mut client, mut broker) = (Some(stream), broker);
        while client.is_some() || broker.is_some() {
            tokio::select! {
                () = swallow(&mut client) => client = None,
                () = swallow(&mut broker) => broker = None,
                order = self.orders.next() => if order == Order::Cut {
                    if let Some(client) = &client {
                        let _gone_already = client.reset_on_drop();
                    }
                    return;
                },
            }
        }
    }

    /// Says it, and waits for the goodbye of the client. The ledger has no entry for what is said: it is a secret.
    async fn tell(&mut self, mut stream: TlsStream<TcpStream>, broker: UnixStream, bytes: &[u8]) {
        let say_and_listen = async {
            stream.write_all(bytes).await?;
            stream.flush().await?;
            let mut buffer = Vec::new();
            while let 1.. = forward::read(&mut stream, &mut buffer).await? {
                if says_goodbye(&buffer) {
                    return std::io::Result::Ok(MqttEnd::ClientDisconnect { reason: 0 });
                }
            }
            Ok(MqttEnd::ClientClosed)
        };
        let end = tokio::select! {
            end = timeout(TIME_TO_REGISTER, say_and_listen) => end,
            order = self.orders.next() => {
                self.record_end(MqttEnd::Fault);
                return self.obey(order, stream, broker).await;
            }
        };
        self.record_end(match end {
            Ok(end) => end.unwrap_or(MqttEnd::ClientClosed),
            Err(_) => MqttEnd::ServerClosed,
        });
        self.close(stream).await;
    }

    async fn say_and_close(&self, mut stream: TlsStream<TcpStream>, bytes: &[u8]) {
        let say = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        if matches!(timeout(self.proxy.deadlines.idle, say).await, Ok(Ok(()))) {
            self.close(stream).await;
        }
    }

    async fn close(&self, stream: TlsStream<TcpStream>) {
        serve::close(stream, self.proxy.deadlines).await;
    }

    fn record_end(&self, end: MqttEnd) {
        let ended = MqttEnded { connection: self.number, at: Instant::now(), end };
        self.proxy.ledger.record(MqttEntry::End(ended));
    }
}

/// Whether there is a DISCONNECT among these packets.
fn says_goodbye(mut packets: &[u8]) -> bool {
    while let Cut::Whole(packet, length) = cut(packets) {
        if packet.kind == Kind::Disconnect {
            return true;
        }
        packets = packets.get(length..).unwrap_or_default();
    }
    false
}

/// Reads until there is a whole packet, and says whether there is one.
async fn first_packet(stream: &mut TlsStream<TcpStream>, buffer: &mut Vec<u8>) -> bool {
    /// Three strings and a will: none of them can be longer than 64 KiB, and none is nearly as long.
    const LONGEST: usize = 128 * 1024;

    loop {
        // A client of another protocol has said all it has to say, and would wait for an answer.
        if buffer.first().is_some_and(|&first| first != CONNECT) {
            return false;
        }
        match cut(buffer) {
            Cut::Whole(_, length) if length <= LONGEST => return true,
            Cut::Part(None) => {}
            Cut::Part(Some(length)) if length <= LONGEST => {}
            _ => return false,
        }
        if !matches!(forward::read(stream, buffer).await, Ok(1..)) {
            return false;
        }
    }
}

/// Resets the connection of the client, and lets the broker read everything.
async fn reset(stream: TlsStream<TcpStream>, broker: UnixStream) {
    let _gone_already = stream.reset_on_drop();
    drop(stream);
    let_go(broker).await;
}

/// Closes the connection to the broker so that it reads everything that was written: it would not if it were told of a
/// broken connection first.
async fn let_go(mut broker: UnixStream) {
    let goodbye = async {
        broker.shutdown().await?;
        let mut buffer = vec![0; 16 * 1024];
        while broker.read(&mut buffer).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _gone_already = timeout(LAST_WORDS, goodbye).await;
}

/// Reads to the end. Never ends when there is nothing to read from.
async fn swallow<R: tokio::io::AsyncRead + Unpin>(reader: &mut Option<R>) {
    let Some(reader) = reader else {
        return pending().await;
    };
    let mut buffer = vec![0; 16 * 1024];
    while matches!(reader.read(&mut buffer).await, Ok(1..)) {}
}
