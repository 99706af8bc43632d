//! Connections for MQTT: only to what a route names, and as whom it says.

use std::net::{Ipv4Addr, TcpListener};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use rustls::HandshakeKind;
use thingpost_host::{
    AWS_HTTPS_WITH_CERTIFICATE, AWS_MQTT_WITH_AUTHORIZER, AWS_MQTT_WITH_CERTIFICATE, Alpn, ConnectError, Denial, Phase,
    Pool, PoolLimits, Route, RouteTable, Timeouts, Transport, TransportError, WorkloadConfig,
};
use thingpost_patience::{Clock, patience};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::client::{Failures, config, config_at, publish, transport, within};
use crate::peer::Peer;
use crate::pki::Authority;
use crate::server::{Do, Script, Server, ServerTls};

const MOMENT: Duration = Duration::from_millis(100);

/// A server that shakes hands and then says nothing.
fn silent(ca: &Authority, host: &str) -> Script {
    Script { on_handshake: Do::Stall, ..Script::for_host(ca, host) }
}

#[tokio::test]
async fn what_no_route_names_is_not_dialed() {
    within(async {
        let ca = Authority::new("ca");
        let server = silent(&ca, "localhost").start();
        let transport = transport(Route::new("localhost", ca.roots()).mqtt().port(8883), &server);
        for authority in ["localhost:1883", "other.example:8883", "127.0.0.1:8883"] {
            let error = transport.dial(authority, patience()).await.unwrap_err();
            assert!(matches!(error, TransportError::Denied(Denial::NoRoute(_))), "{error:?}");
        }
        for authority in ["localhost", "mqtts://localhost:8883", "localhost:8883@other.example:8883", "localhost:8883/"]
        {
            let error = transport.dial(authority, patience()).await.unwrap_err();
            assert!(matches!(error, TransportError::Denied(Denial::Authority)), "{authority}: {error:?}");
        }
        assert_eq!(server.accepted(), 0);
        transport.dial("LOCALHOST:8883", patience()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_aws_endpoint_is_offered_the_alpn_of_mqtt_on_443_and_that_of_https_for_a_request() {
    within(async {
        let host = "a3k7odshaiipe8-ats.iot.us-west-2.amazonaws.com";
        let ca = Authority::new("ca");
        let server = Script::for_host(&ca, host).start();
        let anonymous = Route::new(host, ca.roots()).mqtt();
        let device = anonymous.clone().identity(ca.device("device"));
        for (route, port, offer) in [
            (&device, 443, vec![AWS_MQTT_WITH_CERTIFICATE]),
            (&anonymous, 443, vec![AWS_MQTT_WITH_AUTHORIZER]),
            (&device, 8883, vec![]),
            (&anonymous, 8883, vec![]),
        ] {
            let before = server.accepted();
            transport(route.clone(), &server).dial(&format!("{host}:{port}"), patience()).await.unwrap();
            assert_eq!(server.connections()[before].alpn, offer, "{port}");
        }
        let transport = transport(device, &server);
        let before = server.accepted();
        transport.dial(&format!("{host}:443"), patience()).await.unwrap();
        publish(&transport, &format!("https://{host}/"), "x").await.unwrap();
        let connections = server.connections();
        assert_eq!(connections[before].alpn, [AWS_MQTT_WITH_CERTIFICATE]);
        assert_eq!(connections[before + 1].alpn, [AWS_HTTPS_WITH_CERTIFICATE]);
    })
    .await;
}

#[tokio::test]
async fn a_custom_domain_has_an_alpn_for_each_of_the_two() {
    within(async {
        let ca = Authority::new("ca");
        let mut script = Script::new(&ca);
        script.tls.alpn = vec![b"one".to_vec(), b"other".to_vec()];
        let server = script.start();
        let offer = |name: &[u8]| Alpn::Offer(vec![name.to_vec()]);
        let route = Route::new("localhost", ca.roots()).alpn(offer(b"one")).mqtt_alpn(offer(b"other"));
        let transport = transport(route, &server);
        let dialed = transport.dial("localhost:443", patience()).await.unwrap();
        assert_eq!(dialed.alpn(), Some(&b"other"[..]));
        publish(&transport, "https://localhost/", "x").await.unwrap();
        let offers: Vec<_> = server.connections().into_iter().map(|connection| connection.alpn).collect();
        assert_eq!(offers, [[b"other".to_vec()], [b"one".to_vec()]]);
    })
    .await;
}

#[tokio::test]
async fn the_identity_of_the_route_is_shown_and_after_a_rotation_the_new_one() {
    within(async {
        let ca = Authority::new("ca");
        let mut script = silent(&ca, "localhost");
        script.tls.clients = Some(ca.pem.clone());
        let server = script.start();
        let (old, new) = (ca.issue("old"), ca.issue("new"));
        let anonymous = Route::new("localhost", ca.roots()).mqtt();
        let pool = Pool::default();
        for device in [&old, &old, &new, &old] {
            let route = anonymous.clone().identity(device.identity());
            let transport = Transport::new(pool.clone(), config("w", vec![route], &server));
            let before = server.accepted();
            let _connection = transport.dial("localhost:8883", patience()).await.unwrap();
            server
                .until(|ledger| ledger.connections.len() > before && ledger.connections[before].client.is_some())
                .await;
            assert!(server.connections()[before].client == Some(device.der()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_device_that_comes_back_resumes_its_session_and_a_renewed_one_does_not() {
    within(async {
        let ca = Authority::new("ca");
        let mut tls = ServerTls::new(&ca, "localhost");
        tls.clients = Some(ca.pem.clone());
        let (report, mut handshakes) = mpsc::unbounded_channel();
        let peer = Peer::start(&tls, move |mut tls| {
            let report = report.clone();
            async move {
                report.send(tls.get_ref().1.handshake_kind()).unwrap();
                tls.write_all(b"x").await.unwrap();
                let _ = tls.read(&mut [0]).await;
            }
        })
        .await;
        let anonymous = Route::new("localhost", ca.roots()).mqtt();
        let (pool, device) = (Pool::default(), ca.issue("device"));
        let transport = |route: Route| Transport::new(pool.clone(), config_at("w", vec![route], peer.address));
        let of_device = transport(anonymous.clone().identity(device.identity()));
        let renewed = transport(anonymous.identity(device.identity()));
        for (transport, expected) in [
            (&of_device, HandshakeKind::Full),
            (&of_device, HandshakeKind::Resumed),
            (&renewed, HandshakeKind::Full),
            (&renewed, HandshakeKind::Resumed),
        ] {
            let (mut input, _output) = transport.dial("localhost:8883", patience()).await.unwrap().into_streams();
            // The ticket comes before it.
            input.blocking_read(1).await.unwrap();
            assert_eq!(handshakes.recv().await.unwrap(), Some(expected));
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_watches_failures_is_told_why_there_is_no_connection() {
    within(async {
        let ca = Authority::new("ca");
        let stranger = silent(&Authority::new("stranger"), "localhost").start();
        let failures = Arc::<Failures>::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let closed = listener.local_addr().unwrap();
        drop(listener);
        let dial = async |transport: Transport| {
            let transport = transport.observer(failures.clone());
            transport.dial("localhost:8883", patience()).await.unwrap_err()
        };
        let route = || Route::new("localhost", ca.roots()).mqtt();

        let untrusted = dial(transport(route(), &stranger)).await;
        assert!(
            matches!(untrusted, TransportError::Connect { error: ConnectError::Certificate(_), .. }),
            "{untrusted:?}"
        );
        let refused = dial(Transport::new(Pool::default(), config_at("w", vec![route()], closed))).await;
        assert!(matches!(refused, TransportError::Connect { error: ConnectError::Unreachable(_), .. }), "{refused:?}");
        let nowhere = Route::new("nowhere.invalid", ca.roots()).mqtt();
        let routes = RouteTable::new(vec![nowhere]).unwrap();
        let config = WorkloadConfig::new("w", routes);
        let unknown =
            Transport::new(Pool::default(), config).dial("nowhere.invalid:8883", patience()).await.unwrap_err();
        assert!(
            matches!(
                unknown,
                TransportError::Connect { error: ConnectError::Dns(_) | ConnectError::DnsTimeout { .. }, .. }
            ),
            "{unknown:?}"
        );
        assert_eq!(failures.told(), [untrusted.to_string(), refused.to_string()]);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up_in_time() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script { on_accept: Do::Stall, ..Script::new(&ca) }.start();
        let transport = transport(Route::new("localhost", ca.roots()).mqtt(), &server);
        let late = transport.dial("localhost:8883", MOMENT).await.unwrap_err();
        assert!(
            matches!(late, TransportError::Connect { error: ConnectError::Timeout { phase: Phase::Tls, .. }, .. }),
            "{late:?}"
        );
        // However long the guest would have waited.
        let bounded = transport.timeouts(Timeouts::default().maximum(MOMENT));
        bounded.dial("localhost:8883", Duration::from_secs(3600)).await.unwrap_err();
    })
    .await;
}

fn is_limit(error: &TransportError) -> bool {
    matches!(error, TransportError::Connect { error: ConnectError::LimitReached { .. }, .. })
}

#[tokio::test]
async fn a_workload_dials_as_many_connections_as_it_may_have_to_all_destinations_together() {
    within(async {
        let ca = Authority::new("ca");
        let server = silent(&ca, "localhost").start();
        let pool = Pool::new(PoolLimits::default().dialed_per_workload(2));
        let route = Route::new("localhost", ca.roots()).mqtt();
        let routes = vec![route.clone(), route.port(1883)];
        let transport = |workload: &str| Transport::new(pool.clone(), config(workload, routes.clone(), &server));
        let (greedy, other) = (transport("greedy"), transport("other"));
        let first = greedy.dial("localhost:8883", patience()).await.unwrap();
        let _second = greedy.dial("localhost:443", patience()).await.unwrap();
        for port in [8883, 443, 1883] {
            let error = greedy.dial(&format!("localhost:{port}"), MOMENT).await.unwrap_err();
            assert!(is_limit(&error), "{error:?}");
        }
        let _others = other.dial("localhost:8883", patience()).await.unwrap();
        drop(first.into_streams());
        let _third = greedy.dial("localhost:1883", patience()).await.unwrap();
    })
    .await;
}

async fn request(transport: &Transport) -> Result<(), TransportError> {
    publish(transport, "https://localhost/", "x").await.map(drop)
}

#[tokio::test]
async fn dialed_connections_count_among_those_of_the_pool_and_idle_ones_give_way_to_them() {
    within(async {
        let ca = Authority::new("ca");
        let server: Server = Script::new(&ca).start();
        let pool = Pool::new(PoolLimits::default().connections(1));
        let route = Route::new("localhost", ca.roots()).mqtt();
        let transport = Transport::new(pool, config("w", vec![route], &server));
        let impatient = transport.clone().timeouts(Timeouts::default().connect(MOMENT));

        request(&transport).await.unwrap();
        let dialed = transport.dial("localhost:8883", patience()).await.unwrap();
        let error = request(&impatient).await.unwrap_err();
        assert!(is_limit(&error), "{error:?}");
        drop(dialed);
        request(&transport).await.unwrap();
        assert_eq!(server.most_open(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_connection_takes_a_turn_where_the_route_has_a_pace() {
    within(async {
        let clock = Clock::stop();
        let ca = Authority::new("ca");
        let server = silent(&ca, "localhost").start();
        let route = Route::new("localhost", ca.roots()).mqtt().max_per_second(NonZeroU32::MIN);
        let transport = transport(route, &server);
        // It goes at once, as far as timers know what that is.
        let (dialed, ()) = tokio::join!(transport.dial("localhost:8883", patience()), clock.pass(MOMENT / 50));
        dialed.unwrap();
        let error = transport.dial("localhost:8883", MOMENT).await.unwrap_err();
        assert!(matches!(error, TransportError::Connect { error: ConnectError::RateLimited { .. }, .. }), "{error:?}");
    })
    .await;
}
