//! There is no connection at all, not even to the front.

use std::net::SocketAddr;
use std::sync::Arc;

use thingpost_emulator::{Authority, Break, PlainMqtt};
use thingpost_host::runtime::types::mqtt::{AwsBroker, Broker, MqttAuthentication, MqttConfig, Version};
use thingpost_host::runtime::types::{Cause, Delivery, Error, Retry, Stage, TransportErrorKind};
use thingpost_host::{Route, Transport};
use tokio::net::TcpSocket;

use super::names;
use crate::fixtures::deadline::within;
use crate::fixtures::host::{identity, roots};
use crate::fixtures::mqtt::{CLIENT_ID, Device, ENDPOINT, MqttCloud, config, options, transport};

async fn refused(transport: Transport, config: &MqttConfig) -> Error {
    let error = Device::open(transport, Arc::default(), config, &options()).await.connect().await.unwrap_err();
    assert_eq!((error.stage, error.delivery), (Stage::Connection, Delivery::NotSent), "{error:?}");
    error
}

fn at(endpoint: &str) -> MqttConfig {
    let broker = AwsBroker {
        endpoint: endpoint.to_owned(),
        port: 8883,
        client_id: CLIENT_ID.to_owned(),
        authentication: MqttAuthentication::Certificate,
    };
    MqttConfig { broker: Broker::Aws(broker), ..config(Version::V5, 8883) }
}

#[tokio::test]
async fn a_server_that_the_roots_do_not_sign_is_not_talked_to() {
    within(async {
        let cloud = MqttCloud::start().await;
        let route = Route::new(ENDPOINT, roots(&Authority::new())).mqtt().identity(identity(&cloud.device));
        for port in [8883, 443] {
            let error = refused(cloud.transport(route.clone()), &config(Version::V5, port)).await;
            assert_eq!(error.cause, Cause::Transport(TransportErrorKind::TlsCertificate));
            names(&error, &["certificate", "root"]);
        }
        assert_eq!(cloud.front.ledger().counts().connects, 0);
    })
    .await;
}

#[tokio::test]
async fn a_server_whose_certificate_is_for_another_name_is_not_talked_to() {
    within(async {
        let cloud = MqttCloud::start().await;
        let front = PlainMqtt::start(&cloud.authority, "right.example", cloud.broker.socket()).await.unwrap();
        let route = Route::new("wrong.example", roots(&cloud.authority)).mqtt().identity(identity(&cloud.device));
        let error = refused(transport(route, &[(8883, front.addr())]), &at("wrong.example")).await;
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::TlsCertificate));
        names(&error, &["spelled", "certificate"]);
        assert_eq!(front.ledger().counts().connects, 0);
    })
    .await;
}

#[tokio::test]
async fn a_name_that_aws_does_not_have_breaks_the_handshake() {
    within(async {
        let cloud = MqttCloud::start().await;
        let foreign = "z9y8x7-ats.iot.eu-central-1.amazonaws.com";
        let route = Route::new(foreign, roots(&cloud.authority)).mqtt().identity(identity(&cloud.device));
        let error = refused(cloud.transport(route), &at(foreign)).await;
        assert!(matches!(error.cause, Cause::Transport(_)), "{error:?}");
        assert_eq!(cloud.front.ledger().counts().connects, 0);
    })
    .await;
}

#[tokio::test]
async fn a_host_without_a_route_denies_the_connection() {
    within(async {
        let cloud = MqttCloud::start().await;
        for route in [cloud.route().port(443), Route::new("elsewhere.example", roots(&cloud.authority)).mqtt()] {
            let error = refused(cloud.transport(route), &config(Version::V311, 8883)).await;
            assert_eq!(error.cause, Cause::Transport(TransportErrorKind::Denied));
            names(&error, &["routes of the host"]);
        }
        assert_eq!(cloud.front.connections_mutual_tls().accepted, 0);
    })
    .await;
}

#[tokio::test]
async fn a_route_that_is_for_https_alone_is_none_for_a_broker() {
    within(async {
        let cloud = MqttCloud::start().await;
        let route = Route::new(ENDPOINT, roots(&cloud.authority)).identity(identity(&cloud.device));
        let error = refused(cloud.transport(route), &config(Version::V5, 8883)).await;
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::Denied));
        names(&error, &["routes of the host"]);
        assert_eq!(cloud.front.connections_mutual_tls().accepted, 0);
    })
    .await;
}

#[tokio::test]
async fn what_the_host_denies_is_not_to_be_tried_again_and_a_certificate_may_be_renewed() {
    within(async {
        let cloud = MqttCloud::start().await;
        for (route, failure, retry) in [
            (Route::new("elsewhere.example", roots(&cloud.authority)).mqtt(), TransportErrorKind::Denied, Retry::Never),
            (
                Route::new(ENDPOINT, roots(&Authority::new())).mqtt(),
                TransportErrorKind::TlsCertificate,
                Retry::AfterMs(0),
            ),
        ] {
            let error = refused(cloud.transport(route), &config(Version::V5, 8883)).await;
            assert_eq!((error.cause, error.retry), (Cause::Transport(failure), retry));
        }
    })
    .await;
}

#[tokio::test]
async fn a_port_at_which_nobody_listens_is_named_as_refused() {
    within(async {
        let cloud = MqttCloud::start().await;
        // Taken, so that no other test gets it, and not listened at.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let nowhere = transport(cloud.route(), &[(8883, socket.local_addr().unwrap())]);
        let error = refused(nowhere, &config(Version::V5, 8883)).await;
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::ConnectionRefused));
        assert!(matches!(error.retry, Retry::AfterMs(_)), "{error:?}");
        names(&error, &["firewall", "443"]);
    })
    .await;
}

#[tokio::test]
async fn a_handshake_that_breaks_off_is_to_be_tried_again() {
    within(async {
        let cloud = MqttCloud::start().await;
        for how in [Break::Close, Break::Reset] {
            cloud.front.link().break_at_accept(how, 1);
            let mut device = cloud.open(&config(Version::V5, 8883), &options()).await;
            let error = device.connect().await.unwrap_err();
            assert!(matches!(error.cause, Cause::Transport(_)), "{error:?}");
            assert!(matches!(error.retry, Retry::AfterMs(_)), "{error:?}");
            device.connect().await.unwrap();
        }
    })
    .await;
}
