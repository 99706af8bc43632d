use std::time::Duration;

use thingpost_host::{ConnectError, ExchangeError, Pool, PoolLimits, Route, Timeouts, Transport, TransportError};
use thingpost_patience::Clock;
use tokio::task::{JoinSet, yield_now};
use wasmtime_wasi_http::Error as WasiError;

use crate::client::{config, post, publish, transport, within};
use crate::pki::Authority;
use crate::server::{Do, OK, Script, Signal};

const URL: &str = "https://localhost/topics/t";
const MOMENT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn many_messages_in_a_row_take_one_connection() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        for message in 0..200 {
            let answer = publish(&transport, URL, message.to_string()).await.unwrap();
            assert_eq!(answer.body(), "ok");
        }
        assert_eq!(server.accepted(), 1);
        assert_eq!(server.bodies().len(), 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_in_a_row_take_one_connection_on_many_threads() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        for message in 0..200 {
            publish(&transport, URL, message.to_string()).await.unwrap();
        }
        assert_eq!(server.accepted(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_does_not_cost_the_connection() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        for _ in 0..20 {
            transport.send(post(URL, "x")).await.unwrap();
        }
        assert_eq!(server.accepted(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_reloaded_identity_does_not_use_the_connections_of_the_old_one() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let pool = Pool::default();
        let device = authority.issue("device");
        // Roots that are loaded twice are two, and would keep the connections apart by themselves.
        let anonymous = Route::new("localhost", authority.roots());
        for _ in 0..3 {
            let route = anonymous.clone().identity(device.identity());
            let transport = Transport::new(pool.clone(), config("w", vec![route], &server));
            publish(&transport, URL, "x").await.unwrap();
        }
        assert_eq!(server.accepted(), 3);
    })
    .await;
}

#[tokio::test]
async fn workloads_and_trust_roots_do_not_share_connections_either() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let pool = Pool::default();
        let roots = authority.roots();
        for (workload, roots) in [("a", roots.clone()), ("a", roots.clone()), ("b", roots), ("a", authority.roots())] {
            let routes = vec![Route::new("localhost", roots)];
            let transport = Transport::new(pool.clone(), config(workload, routes, &server));
            publish(&transport, URL, "x").await.unwrap();
        }
        assert_eq!(server.accepted(), 3);
    })
    .await;
}

/// Waits until it has forgotten everybody.
async fn is_empty(pool: &Pool) {
    while !format!("{pool:?}").contains("keys: 0") {
        yield_now().await;
    }
}

/// The server closes each connection right after the answer, without having said so.
fn forgetful(authority: &Authority) -> Script {
    Script::new(authority).on_request(|_, _| Do::AnswerThenClose(OK, Duration::ZERO))
}

#[tokio::test]
async fn a_connection_that_died_while_idle_costs_no_message() {
    within(async {
        let authority = Authority::new("ca");
        let server = forgetful(&authority).start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        let endings = server.endings();
        for message in 0..20 {
            publish(&transport, URL, message.to_string()).await.unwrap();
            let endings = endings.clone();
            tokio::task::spawn_blocking(move || endings.block_until(message + 1)).await.unwrap();
        }
        assert_eq!(server.accepted(), 20);
        assert_eq!(server.bodies().len(), 20);
    })
    .await;
}

/// While the guest computes, and the runtime has not seen any of them close.
#[tokio::test]
async fn half_of_many_idle_connections_that_died_at_once_cost_no_message_either() {
    within(async {
        const MANY: usize = 16;
        let authority = Authority::new("ca");
        let close = Signal::new();
        let told = close.clone();
        let server = Script::new(&authority)
            .on_request(move |connection, _| match connection % 2 {
                0 => Do::AnswerThenCloseWhen(OK, told.clone()),
                _ => Do::Answer(OK),
            })
            .start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        let burst = async |round: usize| {
            let mut burst = JoinSet::new();
            for message in 0..MANY {
                let transport = transport.clone();
                burst.spawn(async move { publish(&transport, URL, format!("{round} {message}")).await });
            }
            burst.join_all().await.into_iter().for_each(|answer| drop(answer.unwrap()));
        };
        burst(0).await;
        assert_eq!((server.accepted(), server.open()), (MANY, MANY));
        close.give(MANY / 2);
        server.endings().block_until(MANY / 2);
        burst(1).await;
        assert_eq!(server.accepted(), MANY + MANY / 2);
        let mut bodies = server.bodies();
        bodies.sort();
        bodies.dedup();
        assert_eq!((bodies.len(), server.bodies().len()), (2 * MANY, 2 * MANY));
    })
    .await;
}

/// Otherwise a message that is sent again four times meets four connections that are about to close.
#[tokio::test]
async fn after_a_kept_connection_gave_no_answer_the_others_are_not_tried() {
    within(async {
        let authority = Authority::new("ca");
        let answer = Signal::new();
        let told = answer.clone();
        let first_only = move |_, request| match request {
            0 => Do::AnswerWhen(told.clone(), OK),
            _ => Do::Close,
        };
        let server = Script::new(&authority).on_request(first_only).start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        let mut burst = JoinSet::new();
        for _ in 0..4 {
            let transport = transport.clone();
            burst.spawn(async move { publish(&transport, URL, "x").await });
        }
        server.until(|ledger| ledger.requests() == 4).await;
        answer.give(4);
        burst.join_all().await.into_iter().for_each(|answer| drop(answer.unwrap()));
        assert_eq!(server.accepted(), 4);
        publish(&transport, URL, "lost").await.unwrap_err();
        answer.give(1);
        publish(&transport, URL, "sent again").await.unwrap();
        assert_eq!(server.accepted(), 5);
    })
    .await;
}

/// Blocking the thread is what a guest does that computes: the runtime has not seen the socket close.
#[tokio::test]
async fn nor_does_one_that_died_while_the_guest_was_computing() {
    within(async {
        let authority = Authority::new("ca");
        let server = forgetful(&authority).start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        let endings = server.endings();
        for message in 0..20 {
            publish(&transport, URL, message.to_string()).await.unwrap();
            endings.block_until(message + 1);
        }
        assert_eq!(server.accepted(), 20);
        assert_eq!(server.bodies().len(), 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_that_died_while_the_guest_was_computing_on_one_of_many_threads() {
    within(async {
        let authority = Authority::new("ca");
        let server = forgetful(&authority).start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        let endings = server.endings();
        let guest = tokio::spawn(async move {
            for message in 0..20 {
                publish(&transport, URL, message.to_string()).await.unwrap();
                endings.block_until(message + 1);
            }
        });
        guest.await.unwrap();
        assert_eq!(server.bodies().len(), 20);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_may_have_been_read_is_not_sent_again() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority)
            .on_request(|_, request| if request == 0 { Do::Answer(OK) } else { Do::Close })
            .start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        publish(&transport, URL, "first").await.unwrap();
        let error = publish(&transport, URL, "second").await.unwrap_err();
        assert!(matches!(&error, TransportError::Exchange { error: ExchangeError::Closed(_), .. }), "{error:?}");
        assert!(matches!(error.to_wasi(), WasiError::ConnectionTerminated));
        tokio::time::sleep(MOMENT).await;
        assert_eq!(server.accepted(), 1);
        assert_eq!(server.bodies(), ["first", "second"]);
    })
    .await;
}

/// Whatever the timing: what was reported delivered is there, what was reported not sent is not, and nothing is there
/// twice.
#[tokio::test(flavor = "multi_thread")]
async fn closing_at_any_moment_loses_nothing_unnoticed_and_doubles_nothing() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority)
            .on_request(|connection, _| {
                let pause = Duration::from_micros(connection as u64 * 7 % 400);
                Do::AnswerThenClose(OK, pause)
            })
            .start();
        let transport = transport(Route::new("localhost", authority.roots()), &server);
        let mut delivered = Vec::new();
        let mut unknown = 0;
        for message in 0..400 {
            match publish(&transport, URL, message.to_string()).await {
                Ok(_) => delivered.push(message.to_string()),
                Err(TransportError::Exchange { .. }) => unknown += 1,
                Err(TransportError::Connect { error: ConnectError::Closed(_), .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        let mut bodies = server.bodies();
        bodies.sort();
        let count = bodies.len();
        bodies.dedup();
        assert_eq!(bodies.len(), count, "doubled");
        assert!(delivered.iter().all(|message| bodies.binary_search(message).is_ok()));
        assert!(count <= delivered.len() + unknown);
    })
    .await;
}

#[tokio::test]
async fn a_burst_opens_no_more_connections_than_allowed_and_keeps_them() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).on_request(|_, _| Do::AnswerAfter(Duration::from_millis(2), OK)).start();
        let limits = PoolLimits::default().connections_per_key(4);
        let routes = vec![Route::new("localhost", authority.roots())];
        let transport = Transport::new(Pool::new(limits), config("w", routes, &server));
        for _ in 0..2 {
            let mut burst = JoinSet::new();
            for message in 0..100 {
                let transport = transport.clone();
                burst.spawn(async move { publish(&transport, URL, message.to_string()).await });
            }
            for answer in burst.join_all().await {
                answer.unwrap();
            }
        }
        assert_eq!(server.accepted(), 4);
        assert_eq!(server.bodies().len(), 200);
    })
    .await;
}

#[tokio::test]
async fn at_the_host_limit_idle_connections_give_way() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let pool = Pool::new(PoolLimits::default().connections(1));
        let transports = ["a", "b", "c"].map(|workload| {
            let routes = vec![Route::new("localhost", authority.roots())];
            Transport::new(pool.clone(), config(workload, routes, &server))
        });
        for _ in 0..5 {
            let mut burst = JoinSet::new();
            for transport in transports.clone() {
                burst.spawn(async move { publish(&transport, URL, "x").await });
            }
            for answer in burst.join_all().await {
                answer.unwrap();
            }
        }
        assert_eq!(server.bodies().len(), 15);
    })
    .await;
}

#[tokio::test]
async fn no_free_connection_in_time_is_the_limit_and_not_a_timeout() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).on_request(|_, _| Do::Stall).start();
        for limits in [PoolLimits::default().connections_per_key(1), PoolLimits::default().connections(1)] {
            let routes = vec![Route::new("localhost", authority.roots())];
            let transport = Transport::new(Pool::new(limits), config("w", routes, &server));
            let impatient = transport.clone().timeouts(Timeouts::default().connect(MOMENT));
            let before = server.bodies().len();
            let busy = tokio::spawn(async move { publish(&transport, URL, "x").await });
            server.until(|ledger| ledger.requests() > before).await;
            let error = publish(&impatient, URL, "x").await.unwrap_err();
            assert!(matches!(error.to_wasi(), WasiError::ConnectionLimitReached), "{error:?}");
            busy.abort();
        }
    })
    .await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_time() {
    within(async {
        let clock = Clock::stop();
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let pool = Pool::new(PoolLimits::default().idle_timeout(MOMENT));
        let routes = vec![Route::new("localhost", authority.roots())];
        let transport = Transport::new(pool.clone(), config("w", routes, &server));
        publish(&transport, URL, "x").await.unwrap();
        publish(&transport, URL, "x").await.unwrap();
        assert_eq!(server.accepted(), 1);
        assert!(format!("{pool:?}").contains("keys: 1"));
        clock.pass(MOMENT * 3).await;
        is_empty(&pool).await;
        publish(&transport, URL, "x").await.unwrap();
        assert_eq!(server.accepted(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_request_frees_its_place_and_its_connection_is_not_used_again() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority)
            .on_request(|connection, _| if connection == 0 { Do::Stall } else { Do::Answer(OK) })
            .start();
        let pool = Pool::new(PoolLimits::default().connections(1));
        let routes = vec![Route::new("localhost", authority.roots())];
        let transport = Transport::new(pool, config("w", routes, &server));
        tokio::select! {
            answer = publish(&transport, URL, "first") => panic!("{answer:?}"),
            () = server.until(|ledger| ledger.requests() == 1) => {}
        }
        publish(&transport, URL, "second").await.unwrap();
        assert_eq!(server.accepted(), 2);
    })
    .await;
}

/// Ending TLS politely would wait for a peer that takes nothing any more.
#[tokio::test]
async fn a_peer_that_stops_reading_does_not_keep_its_place() {
    within(async {
        let authority = Authority::new("ca");
        let mut script = Script::new(&authority);
        script.on_handshake = Do::Stall;
        let server = script.start();
        let pool = Pool::new(PoolLimits::default().connections(1));
        let routes = vec![Route::new("localhost", authority.roots())];
        let transport =
            Transport::new(pool, config("w", routes, &server)).timeouts(Timeouts::default().first_byte(MOMENT));
        for _ in 0..2 {
            let content = vec![b'x'; 16 * 1024 * 1024];
            let error = publish(&transport, URL, content).await.unwrap_err();
            assert!(
                matches!(&error, TransportError::Exchange { error: ExchangeError::NoAnswer { .. }, .. }),
                "{error:?}"
            );
        }
        assert_eq!(server.accepted(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_destination_that_never_answered_is_forgotten_too() {
    within(async {
        let authority = Authority::new("ca");
        let mut script = Script::new(&authority);
        script.on_accept = Do::Close;
        let server = script.start();
        let pool = Pool::new(PoolLimits::default().idle_timeout(MOMENT));
        let routes = vec![Route::new("localhost", authority.roots())];
        let transport = Transport::new(pool.clone(), config("w", routes, &server));
        publish(&transport, URL, "x").await.unwrap_err();
        is_empty(&pool).await;
    })
    .await;
}

/// The sweeper lives in the runtime of its first user.
#[test]
fn a_pool_outlives_the_runtime_that_it_was_first_used_in() {
    let authority = Authority::new("ca");
    let server = Script::new(&authority).start();
    let pool = Pool::new(PoolLimits::default().idle_timeout(MOMENT));
    let routes = vec![Route::new("localhost", authority.roots())];
    let transport = Transport::new(pool.clone(), config("w", routes, &server));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime().block_on(within(publish(&transport, URL, "x"))).unwrap();
    runtime().block_on(within(async {
        publish(&transport, URL, "x").await.unwrap();
        is_empty(&pool).await;
    }));
}
