//! A bad day over HTTPS, as a client sees it and as the ledger has it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use thingpost_emulator::{
    Authority, AwsEmulator, AwsOptions, Break, Chaos, Disposition, Fault, Late, Rate, RetryAfter, Share,
};
use thingpost_patience::patience;
use tokio::net::TcpStream;

use crate::aliyun_world::{self, world_with};
use crate::client::{Client, Connection, Response, post};

const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(60 * 60);

struct World {
    emulator: AwsEmulator,
    client: Client,
    provider: Client,
}

async fn world() -> World {
    let authority = Authority::new();
    let device = authority.issue_device("thermometer-7");
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
    emulator.register(&device);
    let provider = Client::with_certificate(&authority, emulator.credentials_server_name(), &device);
    World { emulator, client: Client::with_certificate(&authority, NAME, &device), provider }
}

async fn world_on(spec: &str) -> World {
    let world = world().await;
    world.emulator.chaos(spec.parse().unwrap());
    world
}

impl World {
    async fn connect(&self) -> io::Result<Connection> {
        self.client.connect(self.emulator.addr_mutual_tls()).await
    }

    async fn publish(&self) -> Response {
        self.connect().await.unwrap().post("/topics/t", "", b"x").await.unwrap()
    }

    /// A connection on which a message was sent.
    async fn sent(&self) -> Connection {
        let mut connection = self.connect().await.unwrap();
        connection.send(&post("/topics/t", "", b"x")).await.unwrap();
        connection
    }

    async fn only_disposition(&self) -> Disposition {
        let mut entries = self.emulator.ledger().wait_for(1, patience()).await.unwrap();
        assert_eq!(entries.len(), 1);
        entries.remove(0).disposition
    }
}

/// Connects until it is as it should be: the port does as it is told when it comes to it.
async fn until_it_listens(address: SocketAddr, listens: bool) {
    let attempts = async {
        while TcpStream::connect(address).await.is_ok() != listens {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(patience(), attempts).await.unwrap();
}

#[tokio::test]
async fn a_gateway_strikes_the_same_requests_with_the_same_seed() {
    async fn statuses(spec: &str) -> Vec<u16> {
        let world = world_on(spec).await;
        let mut connection = world.connect().await.unwrap();
        let mut statuses = Vec::new();
        for _ in 0..60 {
            statuses.push(connection.post("/topics/t", "", b"x").await.unwrap().status());
        }
        // Nothing that was struck was taken, and everything else was.
        let delivered = statuses.iter().filter(|&&status| status == 200).count();
        assert_eq!(world.emulator.ledger().accepted().len(), delivered);
        assert_eq!(world.emulator.ledger().entries().len(), 60);
        statuses
    }
    let first = statuses("503=20%,429=20%,seed=3").await;
    for status in [200, 429, 503] {
        assert!(first.contains(&status), "{first:?}");
    }
    assert_eq!(first, statuses("503=20%,seed=3,429=20%").await);
    assert_ne!(first, statuses("503=20%,429=20%,seed=4").await);
}

#[tokio::test]
async fn a_gateway_shows_a_page_and_says_when_to_come_again() {
    let world = world_on("503=100%,page=40KB,retry-after=7").await;
    let response = world.publish().await;
    assert_eq!(response.status_line(), "HTTP/1.1 503 Service Unavailable");
    assert_eq!(response.header("retry-after"), Some("7"));
    assert_eq!(response.header("content-type"), Some("text/html"));
    assert!(response.body.len() >= 40 * 1024 && response.body.starts_with("<html>"));
    assert!(matches!(world.only_disposition().await, Disposition::Refused { status: 503, .. }));

    let retry_after = Some(RetryAfter::Date(60));
    let statuses = vec![(405, Share::ALWAYS)];
    world.emulator.chaos(Chaos { statuses, retry_after, ..Chaos::default() });
    world.emulator.shift_clock_ms(i64::MIN);
    let response = world.publish().await;
    assert_eq!(response.status(), 405);
    assert_eq!(response.header("retry-after"), Some("Thu, 01 Jan 1970 00:01:00 GMT"));
    assert_eq!(response.header("date"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));

    world.emulator.calm();
    let response = world.publish().await;
    assert_eq!((response.status(), response.header("retry-after")), (200, None));
}

#[tokio::test]
async fn a_bad_day_is_bad_for_every_request_on_every_port() {
    let world = world_on("503=100%").await;
    let mut connection = world.connect().await.unwrap();
    assert_eq!(connection.request("GET", "/things/x/shadow", "", b"").await.unwrap().status(), 503);
    let mut connection = world.provider.connect(world.emulator.addr_credentials()).await.unwrap();
    let target = "/role-aliases/publisher/credentials";
    assert_eq!(connection.request("GET", target, "", b"").await.unwrap().status(), 503);

    let world = aliyun_world::world().await;
    world.emulator.chaos("503=100%".parse::<Chaos>().unwrap());
    assert_eq!(world.auth("{}").await.status(), 503);
    assert_eq!(world.form("/auth/register/device", "").await.status(), 503);
    assert_eq!(world.emulator.authentications(), 0);
}

#[tokio::test]
async fn a_fault_that_was_ordered_strikes_first() {
    let world = world_on("503=100%").await;
    world.emulator.faults().push(Fault::AfterAcceptance(Break::Close), 1);
    assert_eq!(world.sent().await.rest().await.unwrap(), b"");
    assert!(matches!(world.only_disposition().await, Disposition::AcceptedButNotAnswered { .. }));
    assert_eq!(world.publish().await.status(), 503);
}

#[tokio::test]
async fn a_connection_is_reset_before_or_after_the_message_is_taken() {
    let world = world_on("reset-before=100%").await;
    let error = world.sent().await.rest().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(world.only_disposition().await, Disposition::Dropped);

    let world = world_on("reset-after=100%").await;
    let error = world.sent().await.rest().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert!(matches!(world.only_disposition().await, Disposition::AcceptedButNotAnswered { .. }));
}

#[tokio::test]
async fn a_late_answer_is_to_a_message_that_was_taken_in_time() {
    let world = world().await;
    let late_answer = Some(Late { by: FOR_EVER, share: Share::ALWAYS });
    world.emulator.chaos(Chaos { late_answer, ..Chaos::default() });
    let mut connection = world.sent().await;
    assert!(world.only_disposition().await.is_accepted());
    assert!(connection.is_silent().await);

    world.emulator.chaos("late-answer=20ms".parse().unwrap());
    assert_eq!(world.publish().await.status(), 200);
}

#[tokio::test]
async fn an_idle_connection_gets_a_408_that_nobody_has_asked_for() {
    let world = world_on("408-after=50ms").await;
    let mut connection = world.connect().await.unwrap();
    let rest = String::from_utf8(connection.rest().await.unwrap()).unwrap();
    assert_eq!(rest, "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(world.emulator.ledger().entries(), []);
}

#[tokio::test]
async fn nobody_listens_for_as_long_as_asked_and_then_at_the_same_port() {
    let world = world().await;
    let mut old = world.connect().await.unwrap();
    world.emulator.chaos(Chaos { not_listening: FOR_EVER, ..Chaos::default() });
    let ports = [world.emulator.addr_mutual_tls(), world.emulator.addr_alpn(), world.emulator.addr_credentials()];
    for port in ports {
        until_it_listens(port, false).await;
        let error = TcpStream::connect(port).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
    // Those that there are go on.
    assert_eq!(old.post("/topics/t", "", b"x").await.unwrap().status(), 200);
    world.emulator.calm();
    for port in ports {
        until_it_listens(port, true).await;
    }
    assert_eq!(world.publish().await.status(), 200);

    world.emulator.chaos("not-listening=50ms".parse().unwrap());
    until_it_listens(ports[0], true).await;
}

#[tokio::test]
async fn the_first_byte_of_a_handshake_is_late() {
    let world = world().await;
    world.emulator.chaos(Chaos { handshake_delay: FOR_EVER, ..Chaos::default() });
    assert!(tokio::time::timeout(Duration::from_millis(300), world.connect()).await.is_err());
    assert_eq!(world.emulator.connections().mutual_tls.handshakes, 0);
    world.emulator.chaos("handshake-delay=20ms".parse().unwrap());
    assert_eq!(world.publish().await.status(), 200);
}

#[tokio::test]
async fn aws_throttles_what_exceeds_the_quota_of_the_endpoint() {
    let world = world().await;
    let plan = Chaos { quota: Some(Rate::per_hour(3)), retry_after: Some(RetryAfter::Seconds(2)), ..Chaos::default() };
    world.emulator.chaos(plan);
    for expected in [200, 200, 200, 429, 429] {
        let response = world.publish().await;
        assert_eq!(response.status(), expected);
        let is_throttled = expected == 429;
        assert_eq!(response.header("retry-after"), is_throttled.then_some("2"));
        assert_eq!(response.header("x-amzn-ErrorType"), is_throttled.then_some("ThrottlingException:"));
    }
    assert_eq!(world.emulator.ledger().accepted().len(), 3);
}

#[tokio::test]
async fn aliyun_refuses_what_exceeds_the_quota_and_takes_no_bad_message_into_it() {
    let world = world_with(|_| {}).await;
    world.emulator.chaos("quota=2/h".parse::<Chaos>().unwrap());
    let token = world.token().await;
    let foreign = world.publish(&token, "/topic/pk/neighbour/user/up", b"x").await;
    assert!(foreign.body.contains("30001"), "{}", foreign.body);
    for code in [0, 0, 40000, 40000] {
        let response = world.publish(&token, "/topic/pk/device/user/up", b"x").await;
        assert!(response.body.starts_with(&format!(r#"{{"code":{code},"#)), "{}", response.body);
    }
    assert_eq!(world.emulator.ledger().accepted().len(), 2);
}
