//! What one workload can take from the others that share its pool, when it wants to: places, by asking at many ports and by
//! leaving answers unread. Where places are few, whose turn it is, and what becomes of the connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use thingpost_host::{
    ExchangeError, Pool, PoolLimits, RequestTimeouts, Resolver, Resolving, Route, RouteTable, Timeouts, Transport,
    TransportError, WorkloadConfig,
};
use thingpost_patience::Clock;
use tokio::task::{JoinSet, yield_now};
use wasmtime_wasi_http::Error as WasiError;

use crate::addresses::{Swallower, passing};
use crate::client::{config, post, publish, within};
use crate::pki::Authority;
use crate::server::{Do, OK, Script, Signal};

const URL: &str = "https://localhost/topics/t";

#[tokio::test]
async fn a_workload_has_so_many_connections_to_all_its_ports_together_and_others_have_theirs() {
    within(async {
        const BOUND: usize = 4;
        const PORTS: u16 = 16;
        let authority = Authority::new("ca");
        let answer = Signal::new();
        let told = answer.clone();
        let server = Script::new(&authority).on_request(move |_, _| Do::AnswerWhen(told.clone(), OK)).start();
        let pool = Pool::new(PoolLimits::default().connections_per_workload(BOUND));
        let roots = authority.roots();
        let routes: Vec<_> = (0..PORTS).map(|port| Route::new("localhost", roots.clone()).port(1000 + port)).collect();
        let greedy = Transport::new(pool.clone(), config("greedy", routes, &server));
        let modest = Transport::new(pool, config("modest", vec![Route::new("localhost", roots)], &server));

        let mut flood = JoinSet::new();
        for port in 1000..1000 + PORTS {
            for _ in 0..BOUND {
                let greedy = greedy.clone();
                flood.spawn(async move { publish(&greedy, &format!("https://localhost:{port}/"), "greedy").await });
            }
        }
        server.until(|ledger| ledger.requests() == BOUND).await;
        let request = tokio::spawn(async move { publish(&modest, URL, "modest").await });
        server.until(|ledger| ledger.requests() == BOUND + 1).await;
        assert_eq!(server.bodies().iter().filter(|body| *body == "modest").count(), 1);
        answer.give(BOUND * usize::from(PORTS) + 1);
        request.await.unwrap().unwrap();
        // Each port has its turn: what is idle at the others gives way.
        flood.join_all().await.into_iter().for_each(|answer| drop(answer.unwrap()));
        assert!(server.most_open() <= BOUND + 1, "{}", server.most_open());
    })
    .await;
}

const SILENT: &str = "silent.example";

/// Eight addresses that say nothing for one host, and loopback for the others.
struct Names;

impl Resolver for Names {
    fn resolve(&self, host: &str) -> Resolving {
        let addresses = if host == SILENT { silent_addresses() } else { vec![Ipv4Addr::LOCALHOST] };
        Box::pin(async move { Ok(addresses.into_iter().map(|ip| SocketAddr::new(IpAddr::V4(ip), 9)).collect()) })
    }
}

fn silent_addresses() -> Vec<Ipv4Addr> {
    (101..109).map(|last| Ipv4Addr::new(127, 0, 0, last)).collect()
}

#[tokio::test]
async fn attempts_at_addresses_that_say_nothing_count_among_the_connections_of_their_workload() {
    within(async {
        const BOUND: usize = 4;
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let port = server.address.port();
        let mut swallowers = Vec::new();
        for address in silent_addresses() {
            swallowers.push(Swallower::at((address, port).into()).await);
        }
        let limits =
            PoolLimits::default().connections(2 * BOUND + 1).connections_per_workload(BOUND).dialed_per_workload(BOUND);
        let pool = Pool::with_resolver(limits, Arc::new(Names));
        let transport = |workload: &str, host: &str| {
            let routes = RouteTable::new(vec![Route::new(host, authority.roots()).port(port).mqtt()]).unwrap();
            Transport::new(pool.clone(), WorkloadConfig::new(workload, routes)).timeouts(
                Timeouts::default().connect(Duration::MAX).maximum_connect(Duration::MAX).first_byte(Duration::MAX),
            )
        };
        let (greedy, modest) = (transport("greedy", SILENT), transport("modest", "localhost"));

        let clock = Clock::stop();
        let mut flood = JoinSet::new();
        for _ in 0..BOUND / 2 {
            let (sends, dials) = (greedy.clone(), greedy.clone());
            let url = format!("https://{SILENT}:{port}/");
            flood.spawn(async move { publish(&sends, &url, "greedy").await.map(drop) });
            flood.spawn(async move { dials.dial(&format!("{SILENT}:{port}"), Duration::MAX).await.map(drop) });
        }
        let mut most = 0;
        for _ in 0..40 {
            yield_now().await;
            clock.pass(Duration::from_millis(250)).await;
            most = most.max(pool.statistics().open);
        }
        assert_eq!(most, 2 * BOUND, "as many as it may have, and no more");
        let url = format!("https://localhost:{port}/");
        passing(&clock, Duration::from_millis(250), publish(&modest, &url, "modest")).await.0.unwrap();
        assert!(flood.try_join_next().is_none());
        drop(swallowers);
    })
    .await;
}

/// The server gives one answer at a time, so that what comes next is the order of the pool.
#[tokio::test]
async fn a_full_pool_hands_a_connection_on_to_the_next_request_of_its_key() {
    within(async {
        const EACH: usize = 12;
        const SOCKETS: usize = 2;
        let authority = Authority::new("ca");
        let answer = Signal::new();
        let told = answer.clone();
        let server = Script::new(&authority).on_request(move |_, _| Do::AnswerWhen(told.clone(), OK)).start();
        let pool = Pool::new(PoolLimits::default().connections(SOCKETS));
        let mut requests = JoinSet::new();
        for workload in ["one", "other"] {
            let routes = vec![Route::new("localhost", authority.roots())];
            let transport = Transport::new(pool.clone(), config(workload, routes, &server));
            for _ in 0..EACH {
                let transport = transport.clone();
                requests.spawn(async move { publish(&transport, URL, workload).await });
            }
        }
        for arrived in SOCKETS..2 * EACH {
            server.until(|ledger| ledger.requests() == arrived).await;
            answer.give(1);
        }
        answer.give(SOCKETS);
        requests.join_all().await.into_iter().for_each(|answer| drop(answer.unwrap()));
        // Two to begin with, one when the other workload gets its share, and one when the first is done.
        assert!(server.accepted() <= SOCKETS + 3, "{} connections for {} requests", server.accepted(), 2 * EACH);
        assert_eq!(server.most_open(), SOCKETS);
        assert_eq!(server.bodies().len(), 2 * EACH);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_gives_up_waiting_keeps_no_connection_from_those_behind_it() {
    within(async {
        let authority = Authority::new("ca");
        let answer = Signal::new();
        let told = answer.clone();
        let server = Script::new(&authority).on_request(move |_, _| Do::AnswerWhen(told.clone(), OK)).start();
        let pool = Pool::new(PoolLimits::default().connections(1));
        let [one, other] = ["one", "other"].map(|workload| {
            let routes = vec![Route::new("localhost", authority.roots())];
            Transport::new(pool.clone(), config(workload, routes, &server))
        });
        let send = |transport: &Transport| {
            let transport = transport.clone();
            tokio::spawn(async move { publish(&transport, URL, "x").await })
        };
        let busy = send(&one);
        server.until(|ledger| ledger.requests() == 1).await;
        let given_up = [send(&other), send(&other)];
        yield_now().await;
        let patient = send(&other);
        yield_now().await;
        for waiting in given_up {
            waiting.abort();
            assert!(waiting.await.unwrap_err().is_cancelled());
        }
        answer.give(2);
        busy.await.unwrap().unwrap();
        patient.await.unwrap().unwrap();
        assert_eq!(server.bodies().len(), 2);
    })
    .await;
}

const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
const CHUNK: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n";
const PAUSE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_answer_that_nobody_reads_frees_its_place_when_its_time_is_over() {
    // Not all at once: the process would have stood still, and nothing could have been read.
    an_unread_answer_frees_its_place(PAUSE / 50).await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_frees_its_place_where_the_process_is_always_late() {
    an_unread_answer_frees_its_place(PAUSE).await;
}

/// While the clock passes in such steps.
async fn an_unread_answer_frees_its_place(step: Duration) {
    within(async {
        let authority = Authority::new("ca");
        let clock = Clock::stop();
        for head in [HALF, CHUNK, OK] {
            let server = Script::new(&authority)
                .on_request(
                    move |connection, _| if connection == 0 { Do::AnswerThenStall(head) } else { Do::Answer(OK) },
                )
                .start();
            let pool = Pool::new(PoolLimits::default().connections(1));
            let routes = vec![Route::new("localhost", authority.roots())];
            let transport = Transport::new(pool, config("w", routes, &server));
            let timeouts = RequestTimeouts { between_bytes: Some(PAUSE), ..RequestTimeouts::default() };
            let unread = transport.send_within(post(URL, "x"), timeouts).await.unwrap();
            let next = {
                // However much of the clock passes while the server is on its way.
                let patient = Timeouts::default().connect(Duration::MAX).first_byte(Duration::MAX);
                let transport = transport.clone().timeouts(patient);
                tokio::spawn(async move { transport.send(post(URL, "y")).await.map(drop) })
            };
            while !next.is_finished() {
                clock.pass(step).await;
                yield_now().await;
            }
            next.await.unwrap().unwrap();
            assert_eq!(server.accepted(), 2);

            // What had come is there, and only an answer that had come whole is one.
            let read = unread.into_body().collect().await;
            if head == OK {
                assert_eq!(read.unwrap().to_bytes(), "ok");
                continue;
            }
            let error = read.unwrap_err();
            let TransportError::Exchange { error: ExchangeError::Unread { after: PAUSE }, .. } = &error else {
                panic!("{error:?}")
            };
            assert!(error.to_string().contains("did not read on for 5 s"), "{error}");
            assert!(matches!(error.to_wasi(), WasiError::ConnectionReadTimeout));
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_read_now_and_then_keeps_its_connection() {
    within(async {
        let authority = Authority::new("ca");
        let clock = Clock::stop();
        let more = Signal::new();
        let told = more.clone();
        let server = Script::new(&authority)
            .on_request(move |_, request| match request {
                0 => Do::AnswerInPieces(
                    &["HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\no", "n", "e", "t", "w", "o"],
                    told.clone(),
                ),
                _ => Do::Answer(OK),
            })
            .start();
        let pool = Pool::new(PoolLimits::default().connections(1));
        let routes = vec![Route::new("localhost", authority.roots())];
        let transport = Transport::new(pool, config("w", routes, &server));
        let timeouts = RequestTimeouts { between_bytes: Some(PAUSE), ..RequestTimeouts::default() };
        more.give(1);
        let mut body = transport.send_within(post(URL, "x"), timeouts).await.unwrap().into_body();
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            read.extend_from_slice(&frame.unwrap().into_data().unwrap());
            for _ in 0..40 {
                clock.pass(PAUSE / 50).await;
                yield_now().await;
            }
            more.give(1);
        }
        assert_eq!(read, b"onetwo");
        publish(&transport, URL, "y").await.unwrap();
        assert_eq!(server.accepted(), 1);
    })
    .await;
}
