//! The attacks on connections: on those of others, and on what arrives over a guest's own.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use thingpost_host::{GuestLimits, PoolLimits, Timeouts};
use wasmtime::Trap;

use super::alone::is_alone;
use super::listener::{Listener, is_whole};
use super::stage::Stage;
use crate::fixtures::deadline::within;

const OTHER: &str = "other.example";

/// On several threads the connection goes on while the guest's store is being dropped.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_message_of_a_guest_never_arrives_as_a_whole_one() {
    if !is_alone("connections::half_a_message_of_a_guest_never_arrives_as_a_whole_one") {
        return;
    }
    within(async {
        let stage = Stage::set().await;
        let mut listener = Listener::start(stage.authority(), OTHER);
        let mut stage = stage.with_route(OTHER, listener.address);
        for _ in 0..5 {
            for end in ["trap", "leave it", "drop it", "finish it"] {
                let mut guest = stage.guest().await;
                let order = format!("half a message: {end}");
                match stage.suffer_with(&mut guest, &order, &format!("{OTHER}:8443")).await {
                    Ok(said) => assert_eq!((end != "trap", said.as_str()), (true, "done"), "{end}"),
                    Err(trap) => {
                        assert_eq!(trap.downcast_ref(), Some(&Trap::UnreachableCodeReached), "{end}: {trap:#}")
                    }
                }
                // What a guest does with its message itself arrives while it lives; the rest is done when it is gone.
                let alive = matches!(end, "drop it" | "finish it").then_some(guest);
                let heard = listener.heard().await;
                assert_eq!(is_whole(&heard), end == "finish it", "{end}: {}", String::from_utf8_lossy(&heard));
                drop(alive);
            }
        }
        stage.assert_small();
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_whose_connections_never_come_about_leaves_the_others_theirs() {
    if !is_alone("connections::a_guest_whose_connections_never_come_about_leaves_the_others_theirs") {
        return;
    }
    within(async {
        let share = 4;
        let limits = PoolLimits::default().connections(share + 2).connections_per_workload(share);
        // The system connects, and the handshake of TLS is never answered.
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stage = Stage::set_within(limits).await.with_route(OTHER, silent.local_addr().unwrap());
        let endless = Timeouts::default().maximum(Duration::MAX).maximum_connect(Duration::MAX);
        let mut stage = stage.timeouts(endless);
        let mut guest = stage.guest().await;
        assert_eq!(stage.suffer_with(&mut guest, "sockets", OTHER).await.unwrap(), "ConnectionLimitReached");
        assert!(stage.connections().open <= share + 1);
        // It has all that it may have, and wants more; the good guest has its one.
        stage.until(|stage| stage.connections().open == share + 1 && stage.connections().waiting > 0).await;
        drop(guest);
        stage.until(|stage| stage.connections().open == 1 && stage.connections().waiting == 0).await;
        stage.assert_small();
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_a_guest_does_not_read_loses_its_connection_when_its_time_is_over() {
    if !is_alone("connections::an_answer_that_a_guest_does_not_read_loses_its_connection_when_its_time_is_over") {
        return;
    }
    within(async {
        // The guest asks for centuries. How long the rest takes is the machine's matter.
        let timeouts = Timeouts::default().connect(Duration::MAX).first_byte(Duration::MAX);
        let mut stage = Stage::set().await.timeouts(timeouts.maximum(Duration::from_millis(300)));
        let mut guest = stage.guest().await;
        assert_eq!(stage.suffer_from(&mut guest, "unread answers").await.unwrap(), "ConnectionLimitReached");
        let most = GuestLimits::default().requests_in_flight;
        // That of the good guest is left. Half of the requests had to wait for the connections of the others.
        stage.until(|stage| stage.of_the_guest().len() == most && stage.connections().open == 1).await;
        assert!(stage.accepted() > most as u64, "an answer that is not over has its connection for itself");
        stage.assert_small();
        drop(guest);
    })
    .await;
}
