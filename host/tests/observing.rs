//! What operators see: the numbers of a pool, what an observer is told.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::poll_immediate;
use http_body_util::BodyExt;
use rustls::version::TLS13;
use thingpost_host::http::StatusCode;
use thingpost_host::{Endpoint, Handshake, Observer, Pool, PoolLimits, Route, Statistics, Transport, TransportError};
use thingpost_patience::patience;
use tokio::io::AsyncReadExt;
use tokio::task::yield_now;

use crate::client::{config, config_at, post, publish, within};
use crate::peer::Peer;
use crate::pki::Authority;
use crate::server::{Do, OK, Script, Server, ServerTls, Signal};

const URL: &str = "https://localhost/topics/t";

/// A transport to this server and nowhere else, and its pool.
fn pooled(limits: PoolLimits, ca: &Authority, server: &Server) -> (Transport, Pool) {
    let pool = Pool::new(limits);
    let route = Route::new("localhost", ca.roots()).mqtt();
    (Transport::new(pool.clone(), config("w", vec![route], server)), pool)
}

/// Waits until the numbers are such.
async fn until(pool: &Pool, is_so: impl Fn(Statistics) -> bool) -> Statistics {
    loop {
        let statistics = pool.statistics();
        if is_so(statistics) {
            return statistics;
        }
        yield_now().await;
    }
}

fn ended(statistics: Statistics) -> u64 {
    statistics.answered + statistics.denied + statistics.not_sent + statistics.unknown + statistics.abandoned
}

#[tokio::test]
async fn each_request_is_counted_once_and_by_what_became_of_it() {
    within(async {
        let ca = Authority::new("ca");
        let script = Script::new(&ca).on_request(|_, request| match request {
            0 => Do::Answer("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"),
            1 => Do::Answer(OK),
            _ => Do::Close,
        });
        let server = script.start();
        let (transport, pool) = pooled(PoolLimits::default(), &ca, &server);
        assert_eq!(pool.statistics(), Statistics::default());

        publish(&transport, URL, "refused by the server, which is an answer").await.unwrap();
        publish(&transport, URL, "delivered").await.unwrap();
        let statistics = pool.statistics();
        assert_eq!((statistics.open, statistics.idle, statistics.waiting), (1, 1, 0));
        let error = publish(&transport, URL, "perhaps").await.unwrap_err();
        assert!(matches!(error, TransportError::Exchange { .. }), "{error:?}");
        publish(&transport, "https://elsewhere.example/", "denied").await.unwrap_err();
        let stranger = Route::new("localhost", Authority::new("stranger").roots());
        let distrustful = Transport::new(pool.clone(), config("other", vec![stranger], &server));
        let error = publish(&distrustful, URL, "not sent").await.unwrap_err();
        assert!(matches!(error, TransportError::Connect { .. }), "{error:?}");

        let statistics = until(&pool, |statistics| statistics.open == 0).await;
        assert_eq!(statistics.requests, 5);
        assert_eq!((statistics.answered, statistics.unknown), (2, 1));
        assert_eq!((statistics.denied, statistics.not_sent, statistics.abandoned), (1, 1, 0));
        assert_eq!((statistics.idle, statistics.dials), (0, 0));
    })
    .await;
}

/// What has left this host, as far as it was not proven to have had no effect.
#[derive(Default)]
struct Departures(Mutex<i32>);

impl Observer for Departures {
    fn written(&self, _: &Endpoint) {
        *self.0.lock().unwrap() += 1;
    }

    fn withdrawn(&self, _: &Endpoint) {
        *self.0.lock().unwrap() -= 1;
    }
}

#[tokio::test]
async fn an_observer_knows_what_has_left_the_host() {
    within(async {
        let ca = Authority::new("ca");
        let begun = Signal::new();
        let answer = begun.clone();
        let server = Script::new(&ca).on_request(move |_, _| Do::AnswerWhen(answer.clone(), OK)).start();
        let mut strict = Script::new(&ca);
        strict.tls.clients = Some(ca.pem.clone());
        strict.tls.versions = vec![&TLS13];
        let strict = strict.start();
        let departures = Arc::<Departures>::default();
        let left = || *departures.0.lock().unwrap();
        let observed = |roots: &Authority, server: &Server| {
            let route = Route::new("localhost", roots.roots());
            Transport::new(Pool::default(), config("w", vec![route], server)).observer(departures.clone())
        };
        publish(&observed(&Authority::new("stranger"), &server), URL, "distrusted").await.unwrap_err();
        assert_eq!(left(), 0, "no connection");
        let error = publish(&observed(&ca, &strict), URL, "without a certificate").await.unwrap_err();
        assert!(matches!(error, TransportError::Connect { .. }), "{error}");
        assert_eq!(left(), 0, "it was written, and refused unread");
        let transport = observed(&ca, &server);
        let mut under_way = pin!(transport.send(post(URL, "x")));
        while left() == 0 {
            assert!(poll_immediate(under_way.as_mut()).await.is_none());
            yield_now().await;
        }
        begun.give(1);
        under_way.await.unwrap();
        assert_eq!(left(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_given_up_under_way_is_counted_as_abandoned_and_waits_no_longer() {
    within(async {
        let ca = Authority::new("ca");
        let signal = Signal::new();
        let answer = signal.clone();
        let server = Script::new(&ca).on_request(move |_, _| Do::AnswerWhen(answer.clone(), OK)).start();
        let (transport, pool) = pooled(PoolLimits::default().connections(1), &ca, &server);
        {
            let mut first = pin!(transport.send(post(URL, "first")));
            assert!(poll_immediate(first.as_mut()).await.is_none());
            let mut second = pin!(transport.send(post(URL, "second")));
            assert!(poll_immediate(second.as_mut()).await.is_none());
            let statistics = pool.statistics();
            assert_eq!((statistics.requests, statistics.open, statistics.waiting), (2, 1, 1));
            assert_eq!(ended(statistics), 0);
        }
        let statistics = until(&pool, |statistics| statistics.open == 0).await;
        assert_eq!((statistics.waiting, statistics.abandoned, ended(statistics)), (0, 2, 2));
        signal.give(1);
        publish(&transport, URL, "third").await.unwrap();
        assert_eq!(pool.statistics().answered, 1);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_answer_and_a_broken_one() {
    within(async {
        let ca = Authority::new("ca");
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
        let server = Script::new(&ca).on_request(move |_, _| Do::AnswerThenClose(half, Duration::ZERO)).start();
        let (transport, pool) = pooled(PoolLimits::default(), &ca, &server);
        let answer = transport.send(post(URL, "x")).await.unwrap();
        answer.into_body().collect().await.unwrap_err();
        let statistics = pool.statistics();
        assert_eq!((statistics.answered, statistics.unknown, statistics.broken_answers), (1, 0, 1));
    })
    .await;
}

#[tokio::test]
async fn dialed_connections_are_counted_by_whether_they_came_about_and_whether_they_broke() {
    within(async {
        let ca = Authority::new("ca");
        // Without a goodbye.
        let peer = Peer::start(&ServerTls::new(&ca, "localhost"), async |tls| drop(tls)).await;
        let pool = Pool::default();
        let route = Route::new("localhost", ca.roots()).mqtt();
        let transport = Transport::new(pool.clone(), config_at("w", vec![route], peer.address));
        let mut connection = transport.dial("localhost:8883", patience()).await.unwrap();
        assert_eq!(pool.statistics().open, 1);
        connection.read(&mut [0]).await.unwrap_err();
        drop(connection);
        transport.dial("elsewhere.example:8883", patience()).await.unwrap_err();
        assert!(poll_immediate(pin!(transport.dial("localhost:8883", patience()))).await.is_none());
        let statistics = until(&pool, |statistics| statistics.open == 0).await;
        assert_eq!((statistics.dials, statistics.dialed, statistics.lost), (3, 1, 1));
        assert_eq!((statistics.failed_dials, statistics.abandoned_dials, statistics.requests), (1, 1, 0));
    })
    .await;
}

#[derive(Default)]
struct Diary(Mutex<Vec<String>>);

impl Observer for Diary {
    fn connected(&self, to: &Endpoint, handshake: Handshake) {
        let how = match handshake {
            Handshake::Resumed => "resumed",
            _ => "anew",
        };
        self.0.lock().unwrap().push(format!("{to} {how}"));
    }

    fn answered(&self, to: &Endpoint, status: StatusCode) {
        self.0.lock().unwrap().push(format!("{to} {status}"));
    }

    fn failed(&self, error: &TransportError) {
        self.0.lock().unwrap().push(error.error_type().to_owned());
    }
}

#[tokio::test]
async fn an_observer_is_told_of_answers_and_failures_in_their_order() {
    within(async {
        let ca = Authority::new("ca");
        let script = Script::new(&ca).on_request(|_, request| match request {
            0 => Do::Answer(OK),
            _ => Do::Close,
        });
        let server = script.start();
        let diary = Arc::<Diary>::default();
        let (transport, _) = pooled(PoolLimits::default(), &ca, &server);
        let transport = transport.observer(diary.clone());
        publish(&transport, URL, "x").await.unwrap();
        publish(&transport, URL, "x").await.unwrap_err();
        transport.send(post("http://localhost/", "x")).await.unwrap_err();
        assert_eq!(
            *diary.0.lock().unwrap(),
            ["localhost:443 anew", "localhost:443 200 OK", "closed_without_answer", "denied_scheme"]
        );
    })
    .await;
}

#[tokio::test]
async fn handshakes_are_counted_by_their_kind_and_bytes_with_all_that_tls_adds() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).on_request(|_, _| Do::AnswerThenClose(OK, Duration::ZERO)).start();
        let (transport, pool) = pooled(PoolLimits::default(), &ca, &server);
        let diary = Arc::<Diary>::default();
        let transport = transport.observer(diary.clone());
        let content = vec![b'x'; 100_000];
        publish(&transport, URL, content).await.unwrap();
        let first = until(&pool, |statistics| statistics.open == 0).await;
        assert_eq!((first.full_handshakes, first.resumed_handshakes), (1, 0));
        assert!((100_000..110_000).contains(&first.bytes_sent), "{first:?}");
        // A certificate at least, and tickets.
        assert!((500..10_000).contains(&first.bytes_received), "{first:?}");
        publish(&transport, URL, "x").await.unwrap();
        let second = until(&pool, |statistics| statistics.open == 0).await;
        assert_eq!((second.full_handshakes, second.resumed_handshakes), (1, 1));
        assert!(second.bytes_sent > first.bytes_sent && second.bytes_received > first.bytes_received, "{second:?}");
        let told = diary.0.lock().unwrap().clone();
        assert_eq!(told[0], "localhost:443 anew");
        assert_eq!(told[2], "localhost:443 resumed");

        // Neither is one that fails.
        let stranger = Route::new("localhost", Authority::new("stranger").roots());
        publish(&Transport::new(pool.clone(), config("other", vec![stranger], &server)), URL, "x").await.unwrap_err();
        let third = pool.statistics();
        assert_eq!((third.full_handshakes, third.resumed_handshakes), (1, 1));
        assert!(third.bytes_sent > second.bytes_sent, "its bytes went over the network all the same: {third:?}");
    })
    .await;
}
