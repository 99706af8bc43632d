//! A pace that held for one connection and not for the route would let as many requests through as there are
//! connections.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use thingpost_host::{Pool, Route, Timeouts, Transport};
use thingpost_patience::Clock;
use tokio::task::{JoinSet, yield_now};

use crate::client::{config, publish, within};
use crate::pki::Authority;
use crate::server::{Script, Server};

const URL: &str = "https://localhost/topics/t";

fn transport(per_second: u32, authority: &Authority, server: &Server) -> Transport {
    let route = Route::new("localhost", authority.roots()).max_per_second(NonZeroU32::new(per_second).unwrap());
    Transport::new(Pool::default(), config("w", vec![route], server))
}

#[tokio::test]
async fn requests_at_once_go_one_after_the_other_at_the_pace_of_their_route() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let transport = transport(50, &authority, &server);
        let begin = Instant::now();
        let mut senders = JoinSet::new();
        for message in 0..11 {
            let transport = transport.clone();
            senders.spawn(async move { publish(&transport, URL, message.to_string()).await.unwrap() });
        }
        senders.join_all().await;
        // The first goes at once, and each of the others an interval after the one before.
        assert!(begin.elapsed() >= Duration::from_millis(10 * 20), "{:?}", begin.elapsed());
        assert_eq!(server.bodies().len(), 11);
    })
    .await;
}

#[tokio::test]
async fn requests_that_would_wait_too_long_are_not_sent() {
    within(async {
        let clock = Clock::stop();
        let authority = Authority::new("ca");
        let server = Script::new(&authority).start();
        let timeouts = Timeouts::default().connect(Duration::from_millis(2_500));
        let transport = transport(1, &authority, &server).timeouts(timeouts);
        let mut senders = JoinSet::new();
        for message in 0..100 {
            let transport = transport.clone();
            senders.spawn(async move { publish(&transport, URL, message.to_string()).await });
        }
        // The first goes at once, as far as timers know what that is.
        yield_now().await;
        clock.pass(Duration::from_millis(2)).await;
        for turn in 1..=2 {
            server.until(|ledger| ledger.requests() == turn).await;
            clock.pass(Duration::from_secs(1)).await;
        }
        let (sent, failed): (Vec<_>, Vec<_>) = senders.join_all().await.into_iter().partition(Result::is_ok);
        let errors: Vec<_> = failed.into_iter().filter_map(Result::err).collect();
        // Three of a hundred have a turn within two seconds and a half.
        assert_eq!(errors.len(), 97);
        assert!(errors.iter().all(|error| error.to_string().contains("no turn within 2.5 s")), "{errors:?}");
        assert_eq!(server.bodies().len(), sent.len());
    })
    .await;
}
