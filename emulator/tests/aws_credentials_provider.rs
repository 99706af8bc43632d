//! Access keys for certificates: how they are issued, and what they are worth.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use thingpost_emulator::{
    Authority, AwsAction, AwsEmulator, AwsOptions, Break, Connections, Device, DeviceCertificate, Fault,
};

use crate::client::{Client, Connection, Response, request};
use crate::signer::{REGION, SIGNER, Signer, TIME_STAMP, sha256};

const NAME: &str = "a1b2c3-ats.iot.us-east-1.amazonaws.com";
const PROVIDER: &str = "a1b2c3.credentials.iot.us-east-1.amazonaws.com";
const TARGET: &str = "/role-aliases/publisher/credentials";
/// The time stamp of the signer.
const NOW_MS: i64 = 1_440_938_160_000;

struct World {
    authority: Authority,
    device: DeviceCertificate,
    emulator: AwsEmulator,
}

impl World {
    /// At the time of the signer's time stamp, with a role alias whose keys are good for a minute.
    async fn start() -> Self {
        let authority = Authority::new();
        let device = authority.issue_device("thermometer-7");
        let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
        emulator.register(&device);
        emulator.add_role_alias("publisher", Duration::from_secs(60));
        let world = Self { authority, device, emulator };
        world.seconds_later(0);
        world
    }

    fn seconds_later(&self, seconds: i64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        self.emulator.shift_clock_ms(NOW_MS + 500 + seconds * 1000 - now);
    }

    async fn connect(&self, device: &DeviceCertificate) -> Connection {
        let client = Client::with_certificate(&self.authority, PROVIDER, device);
        client.connect(self.emulator.addr_credentials()).await.unwrap()
    }

    async fn get(&self, target: &str, headers: &str) -> Response {
        self.connect(&self.device).await.request("GET", target, headers, b"").await.unwrap()
    }

    async fn issue(&self) -> Key {
        let response = self.get(TARGET, "").await;
        assert_eq!(response.status(), 200, "{response:?}");
        let document: Value = serde_json::from_str(&response.body).unwrap();
        let member = |name: &str| document["credentials"][name].as_str().unwrap().to_owned();
        Key {
            id: member("accessKeyId"),
            secret: member("secretAccessKey"),
            token: member("sessionToken"),
            expiration: member("expiration"),
        }
    }

    async fn publish(&self, key: &Key) -> Response {
        let client = Client::new(&self.authority, NAME);
        let mut connection = client.connect(self.emulator.addr_alpn()).await.unwrap();
        connection.post("/topics/t", &key.headers("x"), b"x").await.unwrap()
    }
}

struct Key {
    id: String,
    secret: String,
    token: String,
    expiration: String,
}

impl Key {
    /// For `POST /topics/t`.
    fn headers(&self, body: &str) -> String {
        let Self { id, secret, token, .. } = self;
        let hash = sha256(body.as_bytes());
        let canonical = format!(
            "POST\n/topics/t\n\nhost:emulator\nx-amz-date:{TIME_STAMP}\nx-amz-security-token:{token}\n\n\
             host;x-amz-date;x-amz-security-token\n{hash}"
        );
        let authorization = Signer { id, secret, region: REGION, ..SIGNER }.authorization(&canonical);
        format!("X-Amz-Date: {TIME_STAMP}\r\nX-Amz-Security-Token: {token}\r\n{authorization}")
    }
}

fn assert_refused(response: &Response, status: u16, error_type: &str, message: &str) {
    assert_eq!(response.status(), status, "{response:?}");
    assert_eq!(response.header("x-amzn-ErrorType"), Some(error_type));
    assert!(response.header("x-amzn-RequestId").is_some());
    assert_eq!(response.body, format!(r#"{{"message":"{message}"}}"#));
}

fn assert_token_refused(response: &Response, message: &str) {
    assert_eq!(response.status(), 403);
    assert_eq!(response.header("x-amzn-ErrorType"), Some("ForbiddenException:"));
    assert!(response.body.starts_with(&format!(r#"{{"message":"{message}","traceId":""#)), "{response:?}");
}

#[tokio::test]
async fn a_key_that_was_issued_signs_until_it_ends() {
    let world = World::start().await;
    let key = world.issue().await;
    assert_eq!(key.expiration, "2015-08-30T12:37:00Z");
    assert!(key.id.starts_with("ASIA") && key.id.len() == 20 && key.secret.len() == 40, "{}", key.id);
    world.seconds_later(59);
    assert_eq!(world.publish(&key).await.status(), 200);
    let entry = &world.emulator.ledger().accepted()[0];
    assert_eq!(entry.device, Some(Device::AccessKey { access_key_id: key.id.clone() }));

    world.seconds_later(60);
    assert_token_refused(&world.publish(&key).await, "The security token included in the request is expired");
    let stolen = Key { token: "wrong".to_owned(), ..key };
    assert_token_refused(&world.publish(&stolen).await, "The security token included in the request is invalid.");
}

#[tokio::test]
async fn every_request_gets_another_key_and_all_of_them_are_good() {
    let world = World::start().await;
    let (first, second) = (world.issue().await, world.issue().await);
    assert!(first.id != second.id && first.secret != second.secret && first.token != second.token);
    for key in [&first, &second] {
        assert_eq!(world.publish(key).await.status(), 200);
    }
    assert_eq!(world.emulator.credentials_issued(), 2);
    let connections = world.emulator.connections();
    assert_eq!(connections.credentials, Connections { accepted: 2, handshakes: 2 });
    assert_eq!(connections.alpn.accepted, 2);
}

#[tokio::test]
async fn keys_that_are_revoked_are_invalid_and_later_ones_are_good() {
    let world = World::start().await;
    let key = world.issue().await;
    world.emulator.revoke_issued_keys();
    assert_token_refused(&world.publish(&key).await, "The security token included in the request is invalid.");
    assert_eq!(world.publish(&world.issue().await).await.status(), 200);
    assert_eq!(world.emulator.credentials_issued(), 2);
}

#[tokio::test]
async fn a_key_may_do_what_its_role_alias_may() {
    let world = World::start().await;
    world.emulator.allow_only_topic_prefix("publisher", "devices/");
    assert_token_refused(&world.publish(&world.issue().await).await, "Forbidden");
    world.emulator.allow_only_topic_prefix("publisher", "t");
    let key = world.issue().await;
    assert_eq!(world.publish(&key).await.status(), 200);
    world.emulator.deny_action("publisher", AwsAction::Publish);
    assert_token_refused(&world.publish(&key).await, "Forbidden");
}

#[tokio::test]
async fn a_certificate_may_be_denied_a_role_and_not_everything_has_an_alias() {
    let world = World::start().await;
    let no_alias = world.get("/role-aliases/other/credentials", "").await;
    assert_refused(&no_alias, 404, "ResourceNotFoundException", "Role alias does not exist");
    world.emulator.deny_action(&world.device.fingerprint, AwsAction::AssumeRoleWithCertificate);
    // The denial says nothing about what there is.
    for target in [TARGET, "/role-aliases/other/credentials"] {
        assert_refused(&world.get(target, "").await, 403, "AccessDeniedException", "Access Denied");
    }
    assert_eq!(world.emulator.credentials_issued(), 0);
}

#[tokio::test]
async fn a_thing_name_must_be_that_of_the_certificate_if_that_has_one() {
    let world = World::start().await;
    let (own, other) = ("x-amzn-iot-thingname: own\r\n", "X-Amzn-Iot-ThingName: other\r\n");
    assert_eq!(world.get(TARGET, other).await.status(), 200);
    world.emulator.attach_thing(&world.device.fingerprint, "own");
    for headers in ["", own] {
        assert_eq!(world.get(TARGET, headers).await.status(), 200);
    }
    let response = world.get(TARGET, other).await;
    assert_refused(&response, 403, "AccessDeniedException", "Invalid thing name passed");
}

#[tokio::test]
async fn nobody_gets_a_key_without_a_certificate_and_an_unknown_one_gets_no_answer() {
    let world = World::start().await;
    let client = Client::new(&world.authority, PROVIDER);
    let mut connection = client.connect(world.emulator.addr_credentials()).await.unwrap();
    let response = connection.request("GET", TARGET, "", b"").await.unwrap();
    assert_refused(&response, 403, "AccessDeniedException", "Access Denied");

    let unknown = world.authority.issue_device("unknown");
    world.emulator.deactivate(&world.device.fingerprint);
    for device in [&unknown, &world.device] {
        let mut connection = world.connect(device).await;
        connection.send(&request("GET", TARGET, "", b"")).await.unwrap();
        assert_eq!(connection.rest().await.unwrap(), b"");
    }
    assert_eq!(world.emulator.credentials_issued(), 0);
    assert_eq!(world.emulator.ledger().entries(), []);
}

#[tokio::test]
async fn the_provider_has_a_name_and_a_certificate_of_its_own() {
    let world = World::start().await;
    assert_eq!(world.emulator.credentials_server_name(), PROVIDER);
    let data_plane = Client::with_certificate(&world.authority, NAME, &world.device);
    assert!(data_plane.connect(world.emulator.addr_credentials()).await.is_err());
    let provider = || Client::with_certificate(&world.authority, PROVIDER, &world.device);
    assert!(provider().connect(world.emulator.addr_mutual_tls()).await.is_err());
    assert!(provider().without_sni().connect(world.emulator.addr_credentials()).await.is_err());
    let connection = provider().alpn(&["h2", "http/1.1"]).connect(world.emulator.addr_credentials()).await.unwrap();
    assert_eq!(connection.stream.get_ref().1.alpn_protocol(), None);

    let authority = Authority::new();
    let elsewhere = AwsEmulator::start(AwsOptions::new(&authority, "localhost")).await.unwrap();
    assert_eq!(elsewhere.credentials_server_name(), "credentials.localhost");
}

#[tokio::test]
async fn the_provider_has_one_path_and_one_method() {
    let world = World::start().await;
    let mut connection = world.connect(&world.device).await;
    let response = connection.post(TARGET, "", b"").await.unwrap();
    assert_refused(&response, 405, "MethodNotAllowedException", "Method Not Allowed");
    let not_found = (404, "ResourceNotFoundException", "Not Found");
    for target in ["/", "/role-aliases/publisher", "/role-aliases//credentials", "/role-aliases/a/b/credentials"] {
        let response = connection.request("GET", target, "", b"").await.unwrap();
        assert_refused(&response, not_found.0, not_found.1, not_found.2);
    }
    // Publishing is for the data plane.
    let response = connection.post("/topics/t", "", b"").await.unwrap();
    assert_refused(&response, not_found.0, not_found.1, not_found.2);
    assert_eq!(world.emulator.ledger().entries(), []);
    connection.send(b"\x16\x03\x01 nonsense\r\n\r\n").await.unwrap();
    assert_refused(&connection.answer().await.unwrap(), 400, "InvalidRequestException", "Bad Request");
}

#[tokio::test]
async fn a_fault_of_authentication_strikes_here_and_leaves_publishing_alone() {
    let world = World::start().await;
    let key = world.issue().await;
    world.emulator.faults().push_at_authentication(Fault::BeforeAcceptance(Break::Close), 1);
    world.emulator.faults().push_at_authentication(Fault::AfterAcceptance(Break::Close), 1);
    assert_eq!(world.publish(&key).await.status(), 200);
    for issued in [1, 2] {
        let mut connection = world.connect(&world.device).await;
        connection.send(&request("GET", TARGET, "", b"")).await.unwrap();
        assert_eq!(connection.rest().await.unwrap(), b"");
        assert_eq!(world.emulator.credentials_issued(), issued);
    }
    let (headers, body) = (vec![], b"busy".to_vec());
    world.emulator.faults().push_at_authentication(Fault::Answer { status: 503, headers, body }, 1);
    assert_eq!(world.get(TARGET, "").await.status(), 503);
    world.emulator.faults().push(Fault::CloseWhenIdle, 1);
    assert_eq!(world.get(TARGET, "").await.status(), 200);
    assert_eq!(world.emulator.faults().pending(), 1);
}

#[tokio::test]
async fn an_alias_is_decoded_and_may_get_another_lifetime() {
    let world = World::start().await;
    world.emulator.add_role_alias("a@b", Duration::from_secs(900));
    let body = world.get("/role-aliases/a%40b/credentials", "").await.body;
    assert!(body.contains("2015-08-30T12:51:00Z"), "{body}");
    world.emulator.add_role_alias("publisher", Duration::from_secs(120));
    assert_eq!(world.issue().await.expiration, "2015-08-30T12:38:00Z");
}
