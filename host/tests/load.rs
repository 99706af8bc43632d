//! A gateway that opens a connection for each message is out of ports at some hundred messages per second, and a bound
//! that holds for one burst of a hundred says little about an afternoon. Whether a pool keeps its bounds is for the
//! server to say, which counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use thingpost_host::{Pool, PoolLimits, Route, Transport};
use tokio::task::JoinSet;

use crate::client::{config, publish, within};
use crate::pki::Authority;
use crate::server::{Do, OK, Script, Server, Signal};

const URL: &str = "https://localhost/topics/t";

fn transport(pool: &Pool, workload: &str, authority: &Authority, server: &Server) -> Transport {
    Transport::new(pool.clone(), config(workload, vec![Route::new("localhost", authority.roots())], server))
}

/// Sends `messages` messages, `in_flight` of them at any time: each answer is followed by the next message.
fn send(transport: &Transport, in_flight: usize, messages: usize) -> JoinSet<()> {
    let next = Arc::<AtomicUsize>::default();
    let mut senders = JoinSet::new();
    for _ in 0..in_flight {
        let (transport, next) = (transport.clone(), Arc::clone(&next));
        senders.spawn(async move {
            loop {
                let message = next.fetch_add(1, Ordering::Relaxed);
                if message >= messages {
                    return;
                }
                publish(&transport, URL, message.to_string()).await.unwrap();
            }
        });
    }
    senders
}

fn assert_each_came_once(server: &Server, messages: usize) {
    let mut came: Vec<usize> = server.bodies().iter().map(|body| body.parse().unwrap()).collect();
    came.sort_unstable();
    assert!(came.into_iter().eq(0..messages));
}

/// The pool would allow more, so it is by using them again that it gets by with as many as there are senders.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_with_32_in_flight_open_at_most_32_connections() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let pool = Pool::new(PoolLimits::default().connections_per_key(512));
        send(&transport(&pool, "w", &authority, &server), 32, 10_000).join_all().await;
        assert!(server.accepted() <= 32, "{}", server.accepted());
        assert_each_came_once(&server, 10_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_busy_workloads_never_have_more_connections_open_than_the_pool_allows() {
    within(async {
        const BOUND: usize = 6;
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let pool = Pool::new(PoolLimits::default().connections(BOUND));
        let mut workloads = Vec::new();
        for workload in ["a", "b", "c", "d"] {
            workloads.push(send(&transport(&pool, workload, &authority, &server), 8, 50));
        }
        for senders in workloads {
            senders.join_all().await;
        }
        assert_eq!(server.most_open(), BOUND);
        assert_eq!(server.bodies().len(), 4 * 50);
    })
    .await;
}

/// Its own requests that wait are no reason to close what they could use.
#[tokio::test(flavor = "multi_thread")]
async fn one_workload_alone_keeps_its_connections_although_it_could_use_more_than_the_pool_allows() {
    within(async {
        const BOUND: usize = 4;
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let pool = Pool::new(PoolLimits::default().connections(BOUND));
        send(&transport(&pool, "w", &authority, &server), 16, 200).join_all().await;
        assert!(server.accepted() <= BOUND, "{}", server.accepted());
        assert_each_came_once(&server, 200);
    })
    .await;
}

/// Idle connections are kept for 30 s by default, so those that end here ended for another reason.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_burst_no_more_connections_remain_than_may_be_idle() {
    within(async {
        const BURST: usize = 16;
        const KEPT: usize = 3;
        let authority = Authority::new("ca");
        let all_there = Signal::new();
        let answer = all_there.clone();
        let server = Script::new(&authority).on_request(move |_, _| Do::AnswerWhen(answer.clone(), OK)).start();
        let pool = Pool::new(PoolLimits::default().idle_per_key(KEPT));
        let transport = transport(&pool, "w", &authority, &server);
        let burst = send(&transport, BURST, BURST);
        server.until(|ledger| ledger.requests() == BURST).await;
        all_there.give(BURST);
        burst.join_all().await;
        server.until(|ledger| ledger.closed() == BURST - KEPT).await;

        let again = send(&transport, KEPT, KEPT);
        server.until(|ledger| ledger.requests() == BURST + KEPT).await;
        all_there.give(KEPT);
        again.join_all().await;
        assert_eq!((server.accepted(), server.open()), (BURST, KEPT));
    })
    .await;
}
