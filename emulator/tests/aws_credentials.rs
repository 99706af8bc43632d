//! Which port takes which credentials, and what a client sees when they are wrong.

use std::io;

use thingpost_emulator::{Authority, AwsEmulator, AwsOptions, Device, DeviceCertificate, Disposition, Listener};

use crate::client::{Client, Response};

const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";
const HTTP_CA: &str = "x-amzn-http-ca";

struct World {
    authority: Authority,
    device: DeviceCertificate,
    emulator: AwsEmulator,
}

async fn world() -> World {
    let authority = Authority::new();
    let device = authority.issue_device("thermometer-7");
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
    emulator.register(&device);
    World { authority, device, emulator }
}

impl World {
    fn client(&self) -> Client {
        Client::with_certificate(&self.authority, NAME, &self.device)
    }

    async fn publish_mutual_tls(&self, client: Client) -> io::Result<Response> {
        client.connect(self.emulator.addr_mutual_tls()).await?.post("/topics/t", "", b"x").await
    }

    async fn publish_alpn(&self, client: Client) -> io::Result<Response> {
        client.connect(self.emulator.addr_alpn()).await?.post("/topics/t", "", b"x").await
    }
}

#[tokio::test]
async fn on_8443_a_registered_certificate_is_enough_whatever_the_alpn() {
    let world = world().await;
    for alpn in [&[][..], &["http/1.1"], &[HTTP_CA], &["h2", "made-up"]] {
        let response = world.publish_mutual_tls(world.client().alpn(alpn)).await.unwrap();
        assert_eq!(response.status(), 200, "{alpn:?}");
    }
    let entry = &world.emulator.ledger().entries()[0];
    assert_eq!(entry.listener, Listener::AwsMutualTls);
    let expected = Device::Certificate {
        fingerprint: world.device.fingerprint.clone(),
        common_name: Some("thermometer-7".to_owned()),
    };
    assert_eq!(entry.device, Some(expected));
}

#[tokio::test]
async fn on_8443_no_alpn_is_selected() {
    let world = world().await;
    let connection = world.client().alpn(&[HTTP_CA]).connect(world.emulator.addr_mutual_tls()).await.unwrap();
    assert_eq!(connection.stream.get_ref().1.alpn_protocol(), None);
}

#[tokio::test]
async fn on_443_the_alpn_makes_the_certificate_count_and_is_selected() {
    let world = world().await;
    let client = world.client().alpn(&["http/1.1", HTTP_CA]);
    let mut connection = client.connect(world.emulator.addr_alpn()).await.unwrap();
    assert_eq!(connection.stream.get_ref().1.alpn_protocol(), Some(HTTP_CA.as_bytes()));
    assert_eq!(connection.post("/topics/t", "", b"x").await.unwrap().status(), 200);
    assert_eq!(world.emulator.ledger().entries()[0].listener, Listener::AwsAlpn);
}

#[tokio::test]
async fn on_443_without_the_alpn_a_certificate_is_not_asked_for_and_everything_is_forbidden() {
    let world = world().await;
    for client in [world.client(), world.client().alpn(&["http/1.1"]), Client::new(&world.authority, NAME)] {
        let response = world.publish_alpn(client).await.unwrap();
        assert_eq!(response.status_line(), "HTTP/1.1 403 Forbidden");
        assert_eq!(response.header("x-amzn-ErrorType"), Some("ForbiddenException:"));
        assert_eq!(response.header("content-length"), Some("91"));
        assert!(response.body.starts_with(r#"{"message":"Missing Authentication Token","traceId":""#));
    }
    let entries = world.emulator.ledger().entries();
    assert_eq!(entries.len(), 3);
    for entry in entries {
        assert_eq!(entry.device, None);
        let code = "ForbiddenException".to_owned();
        assert_eq!(entry.disposition, Disposition::Refused { status: 403, code });
    }
}

#[tokio::test]
async fn a_certificate_that_is_absent_unknown_foreign_or_inactive_gets_no_byte_of_an_answer() {
    let world = world().await;
    let unknown = world.authority.issue_device("unknown");
    let foreign = Authority::new().issue_device("foreign");
    let inactive = world.authority.issue_device("inactive");
    world.emulator.register(&inactive);
    world.emulator.deactivate(&inactive.fingerprint);

    let clients = || {
        let with = |device| Client::with_certificate(&world.authority, NAME, device);
        [Client::new(&world.authority, NAME), with(&unknown), with(&foreign), with(&inactive)]
    };
    for client in clients() {
        let mut connection = client.connect(world.emulator.addr_mutual_tls()).await.unwrap();
        connection.send(&crate::client::post("/topics/t", "", b"x")).await.unwrap();
        assert_eq!(connection.rest().await.unwrap(), b"");
    }
    for client in clients() {
        let client = client.alpn(&[HTTP_CA]);
        let mut connection = client.connect(world.emulator.addr_alpn()).await.unwrap();
        connection.send(&crate::client::post("/topics/t", "", b"x")).await.unwrap();
        assert_eq!(connection.rest().await.unwrap(), b"");
    }
    let entries = world.emulator.ledger().entries();
    assert_eq!(entries.len(), 8);
    assert!(entries.iter().all(|entry| entry.disposition == Disposition::Dropped));
    let fingerprint = foreign.fingerprint.clone();
    assert_eq!(entries[2].device, Some(Device::Certificate { fingerprint, common_name: None }));
}

#[tokio::test]
async fn a_foreign_certificate_that_is_registered_is_as_good_as_any() {
    let world = world().await;
    let foreign = Authority::new().issue_device("foreign");
    world.emulator.register(&foreign);
    let client = Client::with_certificate(&world.authority, NAME, &foreign);
    assert_eq!(world.publish_mutual_tls(client).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_certificate_cannot_be_shown_without_its_key() {
    let world = world().await;
    let thief = DeviceCertificate {
        private_key_pem: world.authority.issue_device("thief").private_key_pem,
        ..world.device.clone()
    };
    let client = Client::with_certificate(&world.authority, NAME, &thief);
    assert!(world.publish_mutual_tls(client).await.is_err());
    assert_eq!(world.emulator.connections().mutual_tls.handshakes, 0);
    assert_eq!(world.emulator.ledger().entries(), []);
}

#[tokio::test]
async fn deactivation_ends_a_connection_that_was_good_at_its_next_request() {
    let world = world().await;
    let mut connection = world.client().connect(world.emulator.addr_mutual_tls()).await.unwrap();
    assert_eq!(connection.post("/topics/t", "", b"x").await.unwrap().status(), 200);
    world.emulator.deactivate(&world.device.fingerprint);
    connection.send(&crate::client::post("/topics/t", "", b"x")).await.unwrap();
    assert_eq!(connection.rest().await.unwrap(), b"");
    assert_eq!(world.emulator.ledger().accepted().len(), 1);
}

#[tokio::test]
async fn a_client_without_the_right_sni_does_not_get_through_the_handshake() {
    let world = world().await;
    for address in [world.emulator.addr_mutual_tls(), world.emulator.addr_alpn()] {
        assert!(world.client().without_sni().connect(address).await.is_err());
        let other = Client::with_certificate(&world.authority, "other.amazonaws.com", &world.device);
        assert!(other.connect(address).await.is_err());
    }
    let connections = world.emulator.connections();
    assert_eq!((connections.mutual_tls.accepted, connections.mutual_tls.handshakes), (2, 0));
    assert_eq!((connections.alpn.accepted, connections.alpn.handshakes), (2, 0));
}

#[tokio::test]
async fn a_client_that_trusts_another_authority_does_not_get_through_the_handshake() {
    let world = world().await;
    let client = Client::with_certificate(&Authority::new(), NAME, &world.device);
    assert!(client.connect(world.emulator.addr_mutual_tls()).await.is_err());
}

#[tokio::test]
async fn tls_1_2_is_as_good_as_tls_1_3() {
    let world = world().await;
    assert_eq!(world.publish_mutual_tls(world.client().tls12()).await.unwrap().status(), 200);
    assert_eq!(world.publish_alpn(world.client().alpn(&[HTTP_CA]).tls12()).await.unwrap().status(), 200);
    assert_eq!(world.publish_alpn(world.client().tls12()).await.unwrap().status(), 403);

    let unknown = world.authority.issue_device("unknown");
    let client = Client::with_certificate(&world.authority, NAME, &unknown).tls12();
    let error = world.publish_mutual_tls(client).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(world.emulator.ledger().accepted().len(), 2);
}
