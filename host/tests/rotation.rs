//! A device certificate is replaced while messages are on their way. Closing the old connections at once would turn
//! those messages into *unknown*; using them for one more message would send it in the name of a certificate that may
//! just have been revoked.

use std::time::Duration;

use thingpost_host::{Pool, PoolLimits, Route, Transport};
use tokio::task::JoinSet;

use crate::client::{config, publish, within};
use crate::pki::{Authority, Issued};
use crate::server::{Do, OK, Script, Server, Signal};

const URL: &str = "https://localhost/topics/t";

/// A workload whose server answers when told.
struct Rotation {
    authority: Authority,
    /// One for all identities: roots that are loaded twice are two, and would keep the connections apart by themselves.
    anonymous: Route,
    server: Server,
    answer: Signal,
    pool: Pool,
}

impl Rotation {
    fn begin(limits: PoolLimits) -> Self {
        let authority = Authority::new("ca");
        let answer = Signal::new();
        let told = answer.clone();
        let mut script = Script::new(&authority).on_request(move |_, _| Do::AnswerWhen(told.clone(), OK));
        script.tls.clients = Some(authority.pem.clone());
        let anonymous = Route::new("localhost", authority.roots());
        Self { server: script.start(), authority, anonymous, answer, pool: Pool::new(limits) }
    }

    fn transport(&self, device: &Issued) -> Transport {
        let route = self.anonymous.clone().identity(device.identity());
        Transport::new(self.pool.clone(), config("w", vec![route], &self.server))
    }

    /// Brings so many requests to the server, all at once.
    async fn send(&self, transport: &Transport, count: usize, content: &'static str) -> JoinSet<()> {
        let before = self.server.bodies().len();
        let mut requests = JoinSet::new();
        for _ in 0..count {
            let transport = transport.clone();
            requests.spawn(async move { drop(publish(&transport, URL, content).await.unwrap()) });
        }
        self.server.until(|ledger| ledger.requests() == before + count).await;
        requests
    }

    /// Has so many of these requests answered.
    async fn answer(&self, requests: &mut JoinSet<()>, count: usize) {
        self.answer.give(count);
        for _ in 0..count {
            requests.join_next().await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn after_a_rotation_requests_under_way_end_and_none_begins_under_the_old_identity() {
    within(async {
        const UNDER_WAY: usize = 4;
        const IDLE: usize = 3;
        let rotation = Rotation::begin(PoolLimits::default());
        let (old, new) = (rotation.authority.issue("old"), rotation.authority.issue("new"));

        let mut before = rotation.send(&rotation.transport(&old), UNDER_WAY + IDLE, "before").await;
        rotation.answer(&mut before, IDLE).await;
        let renewed = rotation.transport(&new);
        let mut after = rotation.send(&renewed, IDLE, "after").await;
        rotation.answer(&mut before, UNDER_WAY).await;
        rotation.answer(&mut after, IDLE).await;
        // Now every connection of the old identity is idle.
        let mut after = rotation.send(&renewed, UNDER_WAY + IDLE, "after").await;
        rotation.answer(&mut after, UNDER_WAY + IDLE).await;

        let connections = rotation.server.connections();
        assert_eq!(connections.len(), 2 * (UNDER_WAY + IDLE));
        for connection in connections {
            let shown = connection.client.unwrap();
            for (_, body) in connection.requests {
                let meant = if body == b"before" { &old } else { &new };
                assert!(shown == meant.der(), "{}", String::from_utf8_lossy(&body));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_old_identity_left_idle_is_closed_while_its_last_request_is_still_under_way() {
    within(async {
        const IDLE: usize = 5;
        let limits = PoolLimits::default().idle_timeout(Duration::from_millis(100));
        let rotation = Rotation::begin(limits);
        let device = rotation.authority.issue("device");

        let mut before = rotation.send(&rotation.transport(&device), IDLE + 1, "before").await;
        rotation.answer(&mut before, IDLE).await;
        let renewed = rotation.transport(&device);
        let mut after = rotation.send(&renewed, 1, "after").await;
        rotation.server.until(|ledger| ledger.closed() == IDLE).await;
        assert_eq!(rotation.server.open(), 2);

        rotation.answer(&mut before, 1).await;
        rotation.answer(&mut after, 1).await;
        rotation.server.until(|ledger| ledger.open() == 0).await;
        assert_eq!(rotation.server.bodies().len(), IDLE + 2);
    })
    .await;
}
