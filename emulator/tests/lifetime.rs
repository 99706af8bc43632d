//! An emulator leaves nothing behind.

use std::net::SocketAddr;
use std::time::Duration;

use thingpost_emulator::{AliyunEmulator, AliyunOptions, Authority, AwsEmulator, AwsOptions, Break, Fault};
use thingpost_patience::{patience, within};
use tokio::net::TcpStream;

use crate::client::{Client, post};

const NAME: &str = "emulator.test";

/// Aborting happens on the next turns of the runtime.
async fn assert_closes(address: SocketAddr) {
    within(async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn dropping_the_aws_emulator_closes_both_ports_and_every_connection() {
    let authority = Authority::new();
    let device = authority.issue_device("thermometer-7");
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
    emulator.register(&device);
    let addresses = [emulator.addr_mutual_tls(), emulator.addr_alpn()];
    let client = Client::with_certificate(&authority, NAME, &device);
    let mut used = client.connect(addresses[0]).await.unwrap();
    assert_eq!(used.post("/topics/t", "", b"x").await.unwrap().status(), 200);
    emulator.faults().push(Fault::AfterAcceptance(Break::Stall), 1);
    let mut stalled = client.connect(addresses[0]).await.unwrap();
    stalled.send(&post("/topics/t", "", b"x")).await.unwrap();
    let ledger = emulator.ledger();
    ledger.wait_for(2, patience()).await.unwrap();

    drop(emulator);
    for address in addresses {
        assert_closes(address).await;
    }
    for mut connection in [used, stalled] {
        // Cut off, not closed in order: whatever the error is, it comes at once.
        assert!(connection.rest().await.is_err());
    }
    // What was proved stays readable.
    assert_eq!(ledger.accepted().len(), 2);
}

#[tokio::test]
async fn dropping_the_aliyun_emulator_closes_both_ports_and_every_connection() {
    let authority = Authority::new();
    let emulator = AliyunEmulator::start(AliyunOptions::new(&authority, NAME)).await.unwrap();
    let doors = [(emulator.addr(), NAME), (emulator.addr_iot_auth(), "iot-auth.emulator.test")];
    let mut connections = Vec::new();
    for (address, name) in doors {
        connections.push(Client::new(&authority, name).connect(address).await.unwrap());
    }
    drop(emulator);
    for (address, _) in doors {
        assert_closes(address).await;
    }
    for mut connection in connections {
        assert!(connection.rest().await.is_err());
    }
}

#[tokio::test]
async fn a_name_that_no_certificate_can_hold_is_an_error_at_the_start() {
    let authority = Authority::new();
    assert!(AwsEmulator::start(AwsOptions::new(&authority, "größe")).await.is_err());
}

#[tokio::test]
async fn emulators_show_neither_keys_nor_secrets_in_their_debug_output() {
    let authority = Authority::new();
    let emulator = AliyunEmulator::start(AliyunOptions::new(&authority, NAME)).await.unwrap();
    emulator.add_device("pk", "device", "hush");
    emulator.add_product("pk", "hush", true);
    assert!(!format!("{emulator:?} {:?}", AliyunOptions::new(&authority, NAME)).contains("hush"));
}

#[tokio::test]
async fn counted_connections_are_those_of_each_port() {
    let authority = Authority::new();
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
    let client = Client::new(&authority, NAME);
    for _ in 0..2 {
        let mut connection = client.connect(emulator.addr_alpn()).await.unwrap();
        assert_eq!(connection.post("/topics/t", "", b"x").await.unwrap().status(), 403);
    }
    let connections = emulator.connections();
    assert_eq!((connections.alpn.accepted, connections.alpn.handshakes), (2, 2));
    assert_eq!((connections.mutual_tls.accepted, connections.mutual_tls.handshakes), (0, 0));
}
