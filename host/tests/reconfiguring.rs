//! A transport that runs gets another configuration. Nothing is sent in the old name after that, nothing that is under way is
//! lost, and nothing stays open that is not needed.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, CertificateError};
use thingpost_host::{ConnectError, LossError, Pool, PoolLimits, Route, Transport, TransportError, WorkloadConfig};
use thingpost_patience::{Clock, patience};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, yield_now};
use tokio_rustls::server::TlsStream;
use wasmtime_wasi_io::streams::StreamError;

use crate::client::{config, config_at, publish, within};
use crate::client_rule::ClientRule;
use crate::peer::Peer;
use crate::pki::{Authority, Issued};
use crate::server::{Do, OK, Script, Server, ServerTls, Signal};

const URL: &str = "https://localhost/topics/t";

/// A workload whose server wants a certificate, and answers when told.
struct Workload {
    authority: Authority,
    anonymous: Route,
    server: Server,
    answer: Signal,
}

impl Workload {
    fn begin() -> Self {
        Self::begin_with(|_| ())
    }

    fn begin_with(change: impl FnOnce(&mut Script)) -> Self {
        let authority = Authority::new("ca");
        let answer = Signal::new();
        let told = answer.clone();
        let mut script = Script::new(&authority).on_request(move |_, _| Do::AnswerWhen(told.clone(), OK));
        script.tls.clients = Some(authority.pem.clone());
        change(&mut script);
        let anonymous = Route::new("localhost", authority.roots());
        Self { server: script.start(), authority, anonymous, answer }
    }

    fn config(&self, device: &Issued) -> WorkloadConfig {
        config("w", vec![self.anonymous.clone().identity(device.identity())], &self.server)
    }

    fn send(&self, requests: &mut JoinSet<()>, transport: &Transport, contents: impl IntoIterator<Item = String>) {
        for content in contents {
            let transport = transport.clone();
            requests.spawn(async move { drop(publish(&transport, URL, content).await.unwrap()) });
        }
    }

    async fn arrived(&self, count: usize) {
        self.server.until(|ledger| ledger.requests() == count).await;
    }

    /// The bodies that came over connections of this device.
    fn sent_by(&self, device: &Issued) -> Vec<String> {
        let connections = self.server.connections().into_iter();
        let of_device = connections.filter(|connection| connection.client == Some(device.der()));
        let mut bodies: Vec<_> = of_device
            .flat_map(|connection| connection.requests)
            .map(|(_, body)| String::from_utf8(body).unwrap())
            .collect();
        bodies.sort();
        bodies
    }
}

fn numbered(name: &str, count: usize) -> Vec<String> {
    (10..10 + count).map(|number| format!("{name} {number}")).collect()
}

#[tokio::test]
async fn a_certificate_replaced_under_32_requests_loses_none_and_is_shown_for_none_after_that() {
    within(async {
        const UNDER_WAY: usize = 32;
        let workload = Workload::begin();
        let (old, new) = (workload.authority.issue("old"), workload.authority.issue("new"));
        let transport = Transport::new(Pool::default(), workload.config(&old));
        // A store that runs has a clone of its own.
        let of_store = transport.clone();
        let mut requests = JoinSet::new();

        workload.send(&mut requests, &of_store, numbered("before", UNDER_WAY));
        workload.arrived(UNDER_WAY).await;
        transport.reconfigure(workload.config(&new));
        workload.send(&mut requests, &of_store, numbered("after", UNDER_WAY));
        workload.arrived(2 * UNDER_WAY).await;
        workload.answer.give(2 * UNDER_WAY);
        while let Some(ended) = requests.join_next().await {
            ended.unwrap();
        }

        assert_eq!(workload.sent_by(&old), numbered("before", UNDER_WAY));
        assert_eq!(workload.sent_by(&new), numbered("after", UNDER_WAY));
        // Each of the old connections is closed when its exchange is over, and none of the new ones.
        workload.server.until(|ledger| ledger.closed() == UNDER_WAY).await;
        assert_eq!(workload.server.open(), UNDER_WAY);
    })
    .await;
}

/// The end of a certificate as its owner plans it: another one is put in its place under full load, and then the old one is revoked.
#[tokio::test]
async fn a_certificate_revoked_while_32_requests_in_its_name_are_under_way_loses_none_of_them_and_none_after() {
    within(async {
        const UNDER_WAY: usize = 32;
        for version in [&TLS13, &TLS12] {
            let revoked = Arc::<Mutex<Vec<u8>>>::default();
            let list = Arc::clone(&revoked);
            let workload = Workload::begin_with(|script| {
                let is_good = move |client: &CertificateDer<'_>| match client.as_ref() == *list.lock().unwrap() {
                    true => Err(CertificateError::Revoked),
                    false => Ok(()),
                };
                script.tls.verifier = Some(Arc::new(ClientRule(is_good)));
                script.tls.versions = vec![version];
            });
            let (old, new) = (workload.authority.issue("old"), workload.authority.issue("new"));
            let transport = Transport::new(Pool::default(), workload.config(&old));
            let of_store = transport.clone();
            let mut requests = JoinSet::new();
            workload.send(&mut requests, &of_store, numbered("before", UNDER_WAY));
            workload.arrived(UNDER_WAY).await;
            transport.reconfigure(workload.config(&new));
            *revoked.lock().unwrap() = old.der();
            workload.send(&mut requests, &of_store, numbered("amid", UNDER_WAY));
            workload.arrived(2 * UNDER_WAY).await;
            workload.answer.give(2 * UNDER_WAY);
            while let Some(ended) = requests.join_next().await {
                ended.unwrap();
            }
            workload.send(&mut requests, &of_store, numbered("z-after", UNDER_WAY));
            workload.arrived(3 * UNDER_WAY).await;
            workload.answer.give(UNDER_WAY);
            while let Some(ended) = requests.join_next().await {
                ended.unwrap();
            }
            assert_eq!(workload.sent_by(&old), numbered("before", UNDER_WAY));
            assert_eq!(workload.sent_by(&new), [numbered("amid", UNDER_WAY), numbered("z-after", UNDER_WAY)].concat());
            // It was refused from then on, as whoever kept it learns.
            let kept = Transport::new(Pool::default(), workload.config(&old));
            let error = publish(&kept, URL, "x").await.unwrap_err();
            assert!(
                matches!(
                    &error,
                    TransportError::Connect { error: ConnectError::Alert(AlertDescription::CertificateRevoked), .. }
                ),
                "{error:?}"
            );
            assert_eq!(workload.server.bodies().len(), 3 * UNDER_WAY, "each once, and nothing else");
        }
    })
    .await;
}

#[tokio::test]
async fn idle_connections_of_the_old_identity_are_closed_at_once_and_those_of_the_same_way_are_kept() {
    within(async {
        let workload = Workload::begin();
        let (old, new) = (workload.authority.issue("old"), workload.authority.issue("new"));
        let transport = Transport::new(Pool::default(), workload.config(&old));
        workload.answer.give(100);
        publish(&transport, URL, "a").await.unwrap();
        transport.reconfigure(workload.config(&new));
        workload.server.until(|ledger| ledger.closed() == 1).await;

        // Another route more; to this server all is as it was.
        let same = workload.anonymous.clone().identity(new.identity());
        let elsewhere = Route::new("elsewhere.example", workload.authority.roots());
        transport.reconfigure(config("w", vec![same.clone()], &workload.server));
        publish(&transport, URL, "b").await.unwrap();
        transport.reconfigure(config("w", vec![same, elsewhere], &workload.server));
        publish(&transport, URL, "c").await.unwrap();
        assert_eq!(workload.server.accepted(), 2);
        assert_eq!(workload.sent_by(&new), ["b", "c"]);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_waits_for_its_turn_goes_in_the_new_name_and_does_not_wait_for_the_old_ones() {
    within(async {
        let workload = Workload::begin();
        let (old, new) = (workload.authority.issue("old"), workload.authority.issue("new"));
        let pool = Pool::new(PoolLimits::default().connections_per_key(1));
        let transport = Transport::new(pool, workload.config(&old));
        let mut requests = JoinSet::new();
        workload.send(&mut requests, &transport, ["under way".to_owned()]);
        workload.arrived(1).await;
        workload.send(&mut requests, &transport, ["waiting".to_owned()]);
        for _ in 0..10 {
            yield_now().await;
        }
        transport.reconfigure(workload.config(&new));
        workload.arrived(2).await;
        workload.answer.give(2);
        while let Some(ended) = requests.join_next().await {
            ended.unwrap();
        }
        assert_eq!(workload.sent_by(&old), ["under way"]);
        assert_eq!(workload.sent_by(&new), ["waiting"]);
    })
    .await;
}

#[tokio::test]
async fn a_destination_without_a_route_any_more_is_denied_to_those_who_wait_too() {
    within(async {
        let workload = Workload::begin();
        let pool = Pool::new(PoolLimits::default().connections_per_key(1));
        let transport = Transport::new(pool, workload.config(&workload.authority.issue("device")));
        let mut requests = JoinSet::new();
        workload.send(&mut requests, &transport, ["under way".to_owned()]);
        workload.arrived(1).await;
        let reconfigure = async {
            yield_now().await;
            transport.reconfigure(config("w", Vec::new(), &workload.server));
        };
        let (refused, ()) = tokio::join!(publish(&transport, URL, "waiting"), reconfigure);
        assert!(matches!(refused, Err(TransportError::Denied(_))), "{refused:?}");
        workload.answer.give(1);
        requests.join_next().await.unwrap().unwrap();
        assert_eq!(workload.server.bodies(), ["under way"]);
    })
    .await;
}

/// The certificate of a client, and the connection to it.
type Accepted = (Vec<u8>, TlsStream<TcpStream>);

/// A server that tells of each connection whose it is, and hands it out.
async fn dialed_peer(ca: &Authority) -> (Peer, mpsc::UnboundedReceiver<Accepted>) {
    let tls = ServerTls { clients: Some(ca.pem.clone()), ..ServerTls::new(ca, "localhost") };
    let (report, connections) = mpsc::unbounded_channel();
    let peer = Peer::start(&tls, move |tls| {
        let report = report.clone();
        async move {
            let client = tls.get_ref().1.peer_certificates().unwrap()[0].to_vec();
            let _ = report.send((client, tls));
        }
    })
    .await;
    (peer, connections)
}

#[tokio::test]
async fn dialed_connections_stay_until_they_are_to_be_closed_and_then_only_the_outdated_ones_end() {
    within(async {
        let ca = Authority::new("ca");
        let (peer, mut connections) = dialed_peer(&ca).await;
        let anonymous = Route::new("localhost", ca.roots()).mqtt();
        let (old, new) = (ca.issue("old"), ca.issue("new"));
        let of = |device: &Issued| config_at("w", vec![anonymous.clone().identity(device.identity())], peer.address);
        let transport = Transport::new(Pool::default(), of(&old));
        let dial = || transport.dial("localhost:8883", patience());

        let (mut input, output) = dial().await.unwrap().into_streams();
        let (shown, mut server) = connections.recv().await.unwrap();
        assert!(shown == old.der());
        let mut native = dial().await.unwrap();
        let (_, mut server_of_native) = connections.recv().await.unwrap();

        transport.reconfigure(of(&new));
        let mut renewed = dial().await.unwrap();
        let (shown, mut server_of_renewed) = connections.recv().await.unwrap();
        assert!(shown == new.der());
        // They are as they were.
        server.write_all(b"one").await.unwrap();
        assert_eq!(&input.blocking_read(3).await.unwrap()[..], b"one");

        server.write_all(b"two").await.unwrap();
        server.flush().await.unwrap();
        input.ready().await;
        transport.close_outdated();
        // What came before the end is read first.
        assert_eq!(&input.blocking_read(3).await.unwrap()[..], b"two");
        let StreamError::LastOperationFailed(end) = input.blocking_read(1).await.unwrap_err() else {
            panic!("an error")
        };
        let end = TransportError::from_stream(&end).unwrap();
        assert!(matches!(end, TransportError::Lost { error: LossError::Outdated, .. }), "{end:?}");
        let end = native.read(&mut [0]).await.unwrap_err();
        let end = end.get_ref().unwrap().downcast_ref::<TransportError>().unwrap();
        assert!(matches!(end, TransportError::Lost { error: LossError::Outdated, .. }), "{end:?}");

        // The server hears the goodbye of TLS, and not a reset.
        drop((input, output, native));
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        drop(server);
        let _ = server_of_native.shutdown().await;
        server_of_renewed.write_all(b"x").await.unwrap();
        assert_eq!(renewed.read(&mut [0]).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_dial_that_is_under_way_begins_anew_with_the_new_identity() {
    within(async {
        let workload = Workload::begin();
        let silent = Script { on_accept: Do::Stall, ..Script::new(&workload.authority) }.start();
        let (old, new) = (workload.authority.issue("old"), workload.authority.issue("new"));
        let of = |device: &Issued, server: &Server| {
            config("w", vec![workload.anonymous.clone().mqtt().identity(device.identity())], server)
        };
        let transport = Transport::new(Pool::default(), of(&old, &silent));
        let reconfigure = async {
            silent.until(|ledger| ledger.connections.len() == 1).await;
            transport.reconfigure(of(&new, &workload.server));
        };
        let (dialed, ()) = tokio::join!(transport.dial("localhost:8883", patience()), reconfigure);
        let _dialed = dialed.unwrap();
        workload.server.until(|ledger| ledger.connections.first().is_some_and(|it| it.client.is_some())).await;
        assert!(workload.server.connections()[0].client == Some(new.der()));
    })
    .await;
}

#[tokio::test]
async fn the_pace_of_a_route_goes_on() {
    within(async {
        let clock = Clock::stop();
        let workload = Workload::begin();
        workload.answer.give(2);
        let device = workload.authority.issue("device");
        let of = || {
            let route = workload.anonymous.clone().max_per_second(NonZeroU32::MIN).identity(device.identity());
            config("w", vec![route], &workload.server)
        };
        let transport = Transport::new(Pool::default(), of());
        let (sent, ()) = tokio::join!(publish(&transport, URL, "first"), clock.pass(Duration::from_millis(2)));
        sent.unwrap();
        transport.reconfigure(of());
        let mut requests = JoinSet::new();
        workload.send(&mut requests, &transport, ["second".to_owned()]);
        for _ in 0..100 {
            yield_now().await;
        }
        assert_eq!(workload.server.accepted(), 1, "its turn is a second after that of the first");
        clock.pass(Duration::from_secs(1)).await;
        requests.join_next().await.unwrap().unwrap();
        assert_eq!(workload.server.bodies(), ["first", "second"]);
    })
    .await;
}
