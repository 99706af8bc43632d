//! The attacks of a guest that dials, which has connections for itself alone: by the hundred, unread, and never closed.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use rustls::{ServerConnection, StreamOwned};
use thingpost_emulator::{Authority, ClientCertificates};
use thingpost_host::PoolLimits;
use wasmtime::component::ResourceTableError;

use super::alone::is_alone;
use super::stage::Stage;
use crate::fixtures::deadline::within;

const BROKER: &str = "broker.example";
const DESTINATION: &str = "broker.example:8883";

/// Connections that one guest may have dialed here.
const SHARE: usize = 4;

/// A server that talks without end to whoever connects, until the process ends.
fn talkative(authority: &Authority) -> SocketAddr {
    let certificate = authority.issue_server(&[BROKER.to_owned()]).unwrap();
    let tls = certificate.server_config(ClientCertificates::NotAsked, &[]).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let tls = Arc::clone(&tls);
            thread::spawn(move || {
                let mut stream = StreamOwned::new(ServerConnection::new(tls).unwrap(), tcp.unwrap());
                while stream.write_all(&[0xd0; 64 * 1024]).is_ok() {}
            });
        }
    });
    address
}

async fn stage() -> Stage {
    let limits = PoolLimits::default().dialed_per_workload(SHARE);
    let stage = Stage::set_within(limits).await;
    let broker = talkative(stage.authority());
    stage.with_route(BROKER, broker)
}

#[tokio::test]
async fn a_guest_that_dials_in_a_loop_reads_nothing_and_closes_nothing_has_its_share_and_no_more() {
    if !is_alone("dials::a_guest_that_dials_in_a_loop_reads_nothing_and_closes_nothing_has_its_share_and_no_more") {
        return;
    }
    within(async {
        let mut stage = stage().await;
        let mut guest = stage.dialing_guest().await;
        let said = stage.suffer_dialing(&mut guest, "refusals dropped", DESTINATION).await.unwrap();
        assert!(said.starts_with("10000 dialed, most refused, "), "{said}");
        // All that it may have, beside the connection of the good guest; what the server says to it waits in the network.
        stage.until(|stage| stage.connections().dialed == SHARE as u64).await;
        assert_eq!(stage.connections().open, SHARE + 1);
        stage.assert_small();
        drop(guest);
        stage.until(|stage| stage.connections().open == 1 && stage.connections().waiting == 0).await;
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_keeps_even_what_is_refused_ends_at_a_full_table_and_leaves_no_connection() {
    if !is_alone("dials::a_guest_that_keeps_even_what_is_refused_ends_at_a_full_table_and_leaves_no_connection") {
        return;
    }
    within(async {
        let mut stage = stage().await;
        let mut guest = stage.dialing_guest().await;
        let trap = stage.suffer_dialing(&mut guest, "all kept", DESTINATION).await.unwrap_err();
        assert!(matches!(trap.downcast_ref(), Some(ResourceTableError::Full)), "{trap:#}");
        stage.assert_small();
        drop(guest);
        stage.until(|stage| stage.connections().open == 1 && stage.connections().waiting == 0).await;
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}
