//! Certificates that register themselves when they are seen for the first time.

use std::time::Duration;

use thingpost_emulator::{Authority, AwsEmulator, AwsOptions, Device, DeviceCertificate, Disposition};

use crate::client::{Client, post, request};

const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";

async fn start() -> (Authority, AwsEmulator) {
    let authority = Authority::new();
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
    (authority, emulator)
}

/// The status of the answer to a message, if there is an answer.
async fn publish(authority: &Authority, emulator: &AwsEmulator, device: &DeviceCertificate) -> Option<u16> {
    let client = Client::with_certificate(authority, NAME, device);
    let mut connection = client.connect(emulator.addr_mutual_tls()).await.unwrap();
    connection.send(&post("/topics/t", "", b"x")).await.unwrap();
    connection.answer().await.ok().map(|response| response.status())
}

#[tokio::test]
async fn the_first_request_gets_no_answer_and_the_second_is_good() {
    let (authority, emulator) = start().await;
    emulator.register_on_first_contact(true);
    for device in [authority.issue_device("new"), Authority::new().issue_device("foreign")] {
        assert_eq!(publish(&authority, &emulator, &device).await, None);
        assert_eq!(publish(&authority, &emulator, &device).await, Some(200));
    }
    let entries = emulator.ledger().entries();
    assert_eq!(entries[0].disposition, Disposition::Dropped);
    assert!(entries[1].disposition.is_accepted());
    assert!(matches!(entries[1].device, Some(Device::Certificate { common_name: None, .. })), "{entries:?}");
    assert_eq!(emulator.ledger().accepted().len(), 2);
}

#[tokio::test]
async fn it_is_off_until_it_is_asked_for_and_can_be_turned_off_again() {
    let (authority, emulator) = start().await;
    let device = authority.issue_device("new");
    assert_eq!(publish(&authority, &emulator, &device).await, None);
    assert_eq!(publish(&authority, &emulator, &device).await, None);
    emulator.register_on_first_contact(true);
    assert_eq!(publish(&authority, &emulator, &device).await, None);
    emulator.register_on_first_contact(false);
    assert_eq!(publish(&authority, &emulator, &device).await, Some(200));
    let other = authority.issue_device("other");
    assert_eq!(publish(&authority, &emulator, &other).await, None);
    assert_eq!(publish(&authority, &emulator, &other).await, None);
}

#[tokio::test]
async fn a_certificate_that_was_deactivated_stays_so() {
    let (authority, emulator) = start().await;
    emulator.register_on_first_contact(true);
    let device = authority.issue_device("known");
    emulator.register(&device);
    assert_eq!(publish(&authority, &emulator, &device).await, Some(200));
    emulator.deactivate(&device.fingerprint);
    for _ in 0..2 {
        assert_eq!(publish(&authority, &emulator, &device).await, None);
    }
}

#[tokio::test]
async fn one_port_is_enough_for_all_of_them() {
    let (authority, emulator) = start().await;
    emulator.register_on_first_contact(true);
    emulator.add_role_alias("publisher", Duration::from_secs(900));
    let device = authority.issue_device("new");
    let client = Client::with_certificate(&authority, emulator.credentials_server_name(), &device);
    let get = request("GET", "/role-aliases/publisher/credentials", "", b"");
    let mut connection = client.connect(emulator.addr_credentials()).await.unwrap();
    connection.send(&get).await.unwrap();
    assert_eq!(connection.rest().await.unwrap(), b"");
    let mut connection = client.connect(emulator.addr_credentials()).await.unwrap();
    connection.send(&get).await.unwrap();
    assert_eq!(connection.answer().await.unwrap().status(), 200);
    assert_eq!(publish(&authority, &emulator, &device).await, Some(200));
}
