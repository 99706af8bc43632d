//! Hosts with several addresses, of which some are no good, and resolvers that are not the machine's.
//!
//! All addresses of a host share its port, so the bad ones are other addresses of loopback. One that swallows packets
//! is a listener whose queue is full.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, pending};
use thingpost_host::{
    ConnectError, Pool, PoolLimits, Resolver, Resolving, Route, RouteTable, Timeouts, Transport, TransportError,
    WorkloadConfig,
};
use thingpost_patience::Clock;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;

use crate::client::{publish, within};
use crate::pki::Authority;
use crate::server::{Script, Server};

const GOOD: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const THIRD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// Answers these addresses when it may, and counts the questions.
struct Table {
    addresses: Vec<IpAddr>,
    asked: AtomicUsize,
    answers: Arc<Semaphore>,
}

impl Table {
    fn of(addresses: impl IntoIterator<Item = impl Into<IpAddr>>) -> Arc<Self> {
        let addresses = addresses.into_iter().map(Into::into).collect();
        Arc::new(Self { addresses, asked: AtomicUsize::new(0), answers: Arc::new(Semaphore::new(1)) })
    }
}

impl Resolver for Table {
    fn resolve(&self, host: &str) -> Resolving {
        assert_eq!(host, "localhost");
        self.asked.fetch_add(1, Ordering::SeqCst);
        let addresses = self.addresses.iter().map(|&ip| SocketAddr::new(ip, 9)).collect();
        let answers = Arc::clone(&self.answers);
        Box::pin(async move {
            drop(answers.acquire().await);
            Ok(addresses)
        })
    }
}

/// Fails, or does not end.
struct Broken(Option<io::ErrorKind>);

impl Resolver for Broken {
    fn resolve(&self, _: &str) -> Resolving {
        match self.0 {
            Some(kind) => Box::pin(async move { Err(kind.into()) }),
            None => Box::pin(pending()),
        }
    }
}

fn pool(resolver: Arc<dyn Resolver>) -> Pool {
    Pool::with_resolver(PoolLimits::default(), resolver)
}

fn transport(pool: Pool, workload: &str, authority: &Authority, port: u16) -> Transport {
    let routes = RouteTable::new(vec![Route::new("localhost", authority.roots()).port(port)]).unwrap();
    Transport::new(pool, WorkloadConfig::new(workload, routes))
}

/// For requests that are to be answered: on a slow machine much of the test's own time passes until they are.
fn patient() -> Timeouts {
    Timeouts::default().connect(Duration::MAX).first_byte(Duration::MAX)
}

fn url(port: u16) -> String {
    format!("https://localhost:{port}/")
}

fn server() -> (Authority, Server) {
    let authority = Authority::new("ca");
    let server = Script::new(&authority).start();
    (authority, server)
}

/// An address whose SYNs are swallowed as long as this is there.
pub struct Swallower {
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Swallower {
    pub async fn at(address: SocketAddr) -> Self {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(1).unwrap();
        // One more than the queue has places for is the last that connects.
        let queue = vec![TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        Self { _listener: listener, _queue: queue }
    }
}

/// Lets time pass in steps until this is done, and says how much it took.
pub async fn passing<T>(clock: &Clock, step: Duration, work: impl Future<Output = T>) -> (T, Duration) {
    let begun = tokio::time::Instant::now();
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return (done, begun.elapsed()),
            () = real_moment() => clock.pass(step).await,
        }
    }
}

/// Long enough for what only takes work, on most machines; on others more of the test's own time passes.
async fn real_moment() {
    let _ = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(50))).await;
}

#[tokio::test]
async fn addresses_that_refuse_or_swallow_or_say_nothing_do_not_keep_from_the_good_one() {
    within(async {
        let (authority, server) = server();
        let port = server.address.port();
        let _swallower = Swallower::at((OTHER, port).into()).await;
        let mute = TcpListener::bind((THIRD, port)).await.unwrap();
        let closed = Ipv4Addr::new(127, 0, 0, 4);
        for bad in [vec![closed], vec![OTHER], vec![THIRD], vec![THIRD, OTHER, closed, OTHER]] {
            let clock = Clock::stop();
            let pool = pool(Table::of(bad.into_iter().chain([GOOD])));
            let transport = transport(pool, "w", &authority, port).timeouts(patient());
            let url = url(port);
            let (answer, _) = passing(&clock, Duration::from_millis(250), publish(&transport, &url, "x")).await;
            answer.unwrap();
            drop(clock);
            tokio::time::resume();
        }
        assert_eq!(server.bodies(), ["x"; 4]);
        drop(mute);
    })
    .await;
}

#[tokio::test]
async fn of_addresses_that_are_all_silent_each_is_named_and_of_those_that_refuse_too() {
    within(async {
        let authority = Authority::new("ca");
        let one = TcpListener::bind((OTHER, 0)).await.unwrap();
        let port = one.local_addr().unwrap().port();
        drop(one);
        let _swallowers = [Swallower::at((OTHER, port).into()).await, Swallower::at((THIRD, port).into()).await];
        let transport = transport(pool(Table::of([OTHER, THIRD])), "w", &authority, port);
        let clock = Clock::stop();
        let url = url(port);
        let (silent, took) = passing(&clock, Duration::from_secs(1), publish(&transport, &url, "x")).await;
        let silent = silent.unwrap_err();
        assert!(took >= Duration::from_secs(10), "{took:?}");
        let text = silent.to_string();
        let named = [OTHER, THIRD].iter().all(|ip| text.contains(&format!("{ip}:{port}")));
        assert!(named && text.contains("no TCP connection") && text.contains("within 10 s"), "{text}");

        let (four, five) = (Ipv4Addr::new(127, 0, 0, 4), Ipv4Addr::new(127, 0, 0, 5));
        let transport = self::transport(pool(Table::of([four, five, four])), "w", &authority, port);
        let refused = publish(&transport, &url, "x").await.unwrap_err();
        let TransportError::Connect { error: ConnectError::Unreachable(attempts), .. } = &refused else {
            panic!("{refused:?}")
        };
        assert_eq!(attempts.len(), 2, "each once: {refused}");
    })
    .await;
}

#[tokio::test]
async fn an_ipv4_address_that_is_mapped_into_ipv6_needs_no_ipv6() {
    within(async {
        let (authority, server) = server();
        let port = server.address.port();
        let transport = transport(pool(Table::of([GOOD.to_ipv6_mapped()])), "w", &authority, port);
        publish(&transport, &url(port), "x").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_dead_ipv6_is_found_out_once_and_not_by_each_connection() {
    within(async {
        let (authority, server) = server();
        let port = server.address.port();
        let Ok(probe) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else {
            eprintln!("skipped: this machine has no ::1");
            return;
        };
        drop(probe);
        let _swallower = Swallower::at((Ipv6Addr::LOCALHOST, port).into()).await;
        let found: [IpAddr; 2] = [Ipv6Addr::LOCALHOST.into(), GOOD.into()];
        let pool = pool(Table::of(found));
        let clock = Clock::stop();
        let url = url(port);
        let first = transport(pool.clone(), "first", &authority, port).timeouts(patient());
        let (answer, took) = passing(&clock, Duration::from_millis(250), publish(&first, &url, "x")).await;
        answer.unwrap();
        assert!(took >= Duration::from_millis(250), "{took:?}");
        // No time passes any more, so no second address is tried beside the first.
        let second = transport(pool, "second", &authority, port).timeouts(patient());
        publish(&second, &url, "x").await.unwrap();
        assert_eq!(server.accepted(), 2);
    })
    .await;
}

#[tokio::test]
async fn attempts_beside_the_first_one_give_their_places_back() {
    within(async {
        let (authority, server) = server();
        let port = server.address.port();
        let _swallowers = [Swallower::at((OTHER, port).into()).await, Swallower::at((THIRD, port).into()).await];
        for connections in [1, 3] {
            let limits = PoolLimits::default().connections(connections).idle_per_key(0);
            let pool = Pool::with_resolver(limits, Table::of([OTHER, THIRD, GOOD]));
            let clock = Clock::stop();
            let url = url(port);
            for workload in ["a", "b", "c", "d"] {
                let transport = transport(pool.clone(), workload, &authority, port).timeouts(patient());
                passing(&clock, Duration::from_millis(250), publish(&transport, &url, "x")).await.0.unwrap();
            }
            drop(clock);
            tokio::time::resume();
        }
    })
    .await;
}

#[tokio::test]
async fn a_host_without_addresses_and_a_resolver_that_fails_are_told_from_one_that_does_not_answer() {
    within(async {
        let authority = Authority::new("ca");
        for resolver in
            [Table::of(Vec::<IpAddr>::new()) as Arc<dyn Resolver>, Arc::new(Broken(Some(io::ErrorKind::NotFound)))]
        {
            let transport = transport(pool(resolver), "w", &authority, 443);
            let error = publish(&transport, &url(443), "x").await.unwrap_err();
            assert!(matches!(error, TransportError::Connect { error: ConnectError::Dns(_), .. }), "{error:?}");
        }
        let clock = Clock::stop();
        let transport = transport(pool(Arc::new(Broken(None))), "w", &authority, 443);
        let url = url(443);
        let (error, took) = passing(&clock, Duration::from_secs(1), publish(&transport, &url, "x")).await;
        let error = error.unwrap_err();
        assert!(matches!(error, TransportError::Connect { error: ConnectError::DnsTimeout { .. }, .. }), "{error:?}");
        assert!(took >= Duration::from_secs(10), "{took:?}");
    })
    .await;
}

#[tokio::test]
async fn many_requests_that_begin_at_once_ask_once_for_a_name_and_an_address_is_not_asked_about() {
    within(async {
        let (authority, server) = server();
        let port = server.address.port();
        let url = url(port);
        let table = Table::of([GOOD]);
        let answer = Arc::clone(&table.answers).acquire_owned().await.unwrap();
        let pool = pool(Arc::clone(&table) as Arc<dyn Resolver>);
        let transports: Vec<_> =
            ["a", "b", "c"].iter().map(|name| transport(pool.clone(), name, &authority, port)).collect();
        let sending = join_all((0..30).map(|index| publish(&transports[index % 3], &url, "x")));
        let released = async {
            while table.asked.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            // All of them wait by now: this one was begun after them, and they have no other thread.
            drop(answer);
        };
        let (answers, ()) = tokio::join!(sending, released);
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(table.asked.load(Ordering::SeqCst), 1);

        let route = Route::new("127.0.0.1", authority.roots()).port(port);
        let transport = Transport::new(pool, WorkloadConfig::new("w", RouteTable::new(vec![route]).unwrap()));
        let url = format!("https://{}/", server.address);
        let error = publish(&transport, &url, "x").await.unwrap_err();
        assert!(matches!(error, TransportError::Connect { error: ConnectError::Certificate(_), .. }), "{error:?}");
        assert_eq!(table.asked.load(Ordering::SeqCst), 1);
    })
    .await;
}
