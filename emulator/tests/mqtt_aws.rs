//! The MQTT endpoint of AWS: who is let in by which port, and what a refused client is told.

use thingpost_emulator::{
    Authority, Authorizer, AwsMqtt, Broker, Device, DeviceCertificate, MqttAuthorizer, MqttEnd, MqttEntry, MqttFate,
};
use thingpost_patience::patience;
use tokio::io::AsyncReadExt;

use crate::client::Client;
use crate::mqtt_client::{DISCONNECT, Hello, Mqtt, PUBACK, Packet};

const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";

struct World {
    _broker: Broker,
    aws: AwsMqtt,
    authority: Authority,
    device: DeviceCertificate,
}

async fn world() -> World {
    let broker = Broker::start().await.unwrap();
    let authority = Authority::new();
    let aws = AwsMqtt::start(&authority, NAME, broker.socket()).await.unwrap();
    let device = authority.issue_device("thermometer-7");
    aws.register(&device);
    World { _broker: broker, aws, authority, device }
}

impl World {
    fn with(&self, device: &DeviceCertificate) -> Client {
        Client::with_certificate(&self.authority, NAME, device)
    }

    fn client(&self) -> Client {
        self.with(&self.device)
    }

    async fn connect(&self, hello: &Hello) -> Mqtt {
        Mqtt::connect(&self.client(), self.aws.addr_mutual_tls(), hello).await
    }

    async fn end(&self) -> MqttEnd {
        let end = |entries: &[MqttEntry]| {
            entries.iter().find_map(|entry| match entry {
                MqttEntry::End(ended) => Some(ended.end),
                _ => None,
            })
        };
        let entries = self.aws.ledger().wait_until(|entries| end(entries).is_some(), patience()).await;
        end(&entries.unwrap()).unwrap()
    }
}

#[tokio::test]
async fn a_registered_certificate_is_let_in_by_both_ports() {
    let world = world().await;
    let mut mqtt = world.connect(&Hello::new("one")).await;
    assert_eq!(mqtt.publish(1, "t", b"x").await.unwrap(), 0);
    let alpn = world.client().alpn(&["x-amzn-mqtt-ca"]);
    let mut mqtt = Mqtt::connect(&alpn, world.aws.addr_alpn(), &Hello::v5("two")).await;
    // It has no subscribers, which is a success of its own.
    assert_eq!(mqtt.publish(1, "t", b"x").await.unwrap(), 0x10);
    // On the other port the ALPN is not looked at.
    let whatever = world.client().alpn(&["http/1.1"]).tls12();
    Mqtt::connect(&whatever, world.aws.addr_mutual_tls(), &Hello::new("three")).await;

    let connects = world.aws.ledger().connects();
    let (fingerprint, common_name) = (world.device.fingerprint.clone(), Some("thermometer-7".to_owned()));
    let device = Some(Device::Certificate { fingerprint, common_name });
    assert!(connects.iter().all(|connect| connect.device == device));
    let alpns: Vec<_> = connects.iter().map(|connect| connect.alpn.as_deref()).collect();
    assert_eq!(alpns, [None, Some("x-amzn-mqtt-ca"), None]);
    assert_eq!(world.aws.connections_mutual_tls().handshakes, 2);
    assert_eq!(world.aws.connections_alpn().handshakes, 1);
}

#[tokio::test]
async fn a_certificate_that_is_not_known_is_closed_on_after_its_handshake() {
    let world = world().await;
    let address = world.aws.addr_mutual_tls();
    let nobody = Client::new(&world.authority, NAME);
    let unknown = world.with(&world.authority.issue_device("unknown"));
    for client in [&nobody, &unknown] {
        let mut mqtt = Mqtt::open(client, address, 4).await.unwrap();
        assert!(mqtt.is_closed().await);
    }
    let mut mqtt = Mqtt::open(&unknown.alpn(&["x-amzn-mqtt-ca"]), world.aws.addr_alpn(), 4).await.unwrap();
    assert!(mqtt.is_closed().await);
    world.aws.deactivate(&world.device.fingerprint);
    let mut mqtt = Mqtt::open(&world.client(), address, 4).await.unwrap();
    assert!(mqtt.is_closed().await);
    world.aws.register(&world.device);
    world.connect(&Hello::new("again")).await;
    assert_eq!(world.aws.ledger().counts().connects, 1);
}

#[tokio::test]
async fn another_name_or_none_is_refused_in_the_handshake() {
    let world = world().await;
    for address in [world.aws.addr_mutual_tls(), world.aws.addr_alpn()] {
        assert!(Mqtt::open(&world.client().without_sni(), address, 4).await.is_err());
        let other = Client::with_certificate(&world.authority, "other.example", &world.device);
        assert!(Mqtt::open(&other, address, 4).await.is_err());
    }
}

#[tokio::test]
async fn the_alpn_decides_who_answers_on_port_443() {
    let world = world().await;
    let address = world.aws.addr_alpn();
    for client in [world.client(), world.client().alpn(&["x-amzn-http-ca"])] {
        let mut mqtt = Mqtt::open(&client, address, 4).await.unwrap();
        mqtt.send(&Hello::new("lost").bytes()).await.unwrap();
        let mut answer = String::new();
        mqtt.stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    let Err(refused) = Mqtt::open(&world.client().alpn(&["mqttv3.1"]), address, 4).await else {
        panic!("an ALPN that nobody knows")
    };
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
    assert!(world.aws.ledger().is_empty());
}

#[tokio::test]
async fn a_custom_authorizer_takes_user_name_token_signature_and_password() {
    let world = world().await;
    let authorizer = Authorizer {
        name: "gatekeeper".to_owned(),
        token_key_name: "MyToken".to_owned(),
        token: "token".to_owned(),
        signature: Some("c2ln+/==".to_owned()),
        is_default: false,
    };
    world.aws.register_authorizer(MqttAuthorizer {
        authorizer,
        user_name: Some("device".to_owned()),
        password: Some(b"secret".to_vec()),
    });
    let client = Client::new(&world.authority, NAME).alpn(&["mqtt"]);
    let address = world.aws.addr_alpn();
    let right = "device?x-amz-customauthorizer-name=gatekeeper\
                 &x-amz-customauthorizer-signature=c2ln%2B%2F%3D%3D&MyToken=token";
    Mqtt::connect(&client, address, &Hello::new("right").login(right, "secret")).await;
    for (hello, expected) in [
        (Hello::new("nobody"), 5),
        (Hello::new("wrong").login(right, "other"), 5),
        (Hello::new("wrong").login(&right.replace("=token", "=other"), "secret"), 5),
        (Hello::v5("wrong").login(&right.replace("gatekeeper", "somebody"), "secret"), 0x87),
    ] {
        let (mut mqtt, code) = Mqtt::try_connect(&client, address, &hello).await.unwrap();
        assert_eq!(code, expected, "{:?}", hello.user_name);
        assert!(mqtt.is_closed().await);
    }
    let connects = world.aws.ledger().connects();
    assert_eq!(connects[0].device, Some(Device::Authorizer { name: "gatekeeper".to_owned() }));
    assert_eq!(connects[0].alpn.as_deref(), Some("mqtt"));
    assert_eq!(connects[1].connack, Some(5));
    let shown = format!("{connects:?}");
    assert!(!shown.contains("c2ln") && !shown.contains("=token") && !shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn a_client_that_may_not_connect_is_told() {
    let world = world().await;
    world.aws.deny_connect("denied");
    let address = world.aws.addr_mutual_tls();
    for (hello, expected) in [(Hello::new("denied"), 5), (Hello::v5("denied"), 0x87)] {
        let (mut mqtt, code) = Mqtt::try_connect(&world.client(), address, &hello).await.unwrap();
        assert_eq!(code, expected);
        assert!(mqtt.is_closed().await);
    }
    world.connect(&Hello::new("allowed")).await;
    world.aws.allow_all("denied");
    world.connect(&Hello::new("denied")).await;
    let old = Hello { level: 3, ..Hello::new("old") };
    assert_eq!(Mqtt::try_connect(&world.client(), address, &old).await.unwrap().1, 1);
}

#[tokio::test]
async fn a_client_that_may_not_publish_is_told_in_version_5_only() {
    let world = world().await;
    world.aws.deny_publish("device", "secret/");
    let mut hears = world.connect(&Hello::new("hears")).await;
    hears.subscribe(1, &["#"]).await.unwrap();

    let mut three = world.connect(&Hello::new("device")).await;
    assert_eq!(three.publish(1, "open/t", b"1").await.unwrap(), 0);
    three.send_publish(1, 2, "secret/t", b"2").await.unwrap();
    assert!(three.is_closed().await);
    assert_eq!(world.end().await, MqttEnd::ServerClosed);

    let mut five = world.connect(&Hello::v5("device")).await;
    let refused = five.publish_bytes(1, 7, "secret/t", b"3");
    let taken = five.publish_bytes(1, 8, "open/t", b"4");
    five.send(&[refused, taken].concat()).await.unwrap();
    let mut pubacks = [five.read().await.unwrap(), five.read().await.unwrap()];
    pubacks.sort_by_key(|puback| puback.body[1]);
    assert!(pubacks.iter().all(|puback| puback.kind() == PUBACK));
    assert_eq!((&pubacks[0].body[..], &pubacks[1].body[..2]), (&[0, 7, 0x87][..], &[0, 8][..]));
    five.send_publish(0, 0, "secret/t", b"5").await.unwrap();
    let disconnect = five.read().await.unwrap();
    assert_eq!((disconnect.kind(), disconnect.body), (DISCONNECT, vec![0x87]));
    assert!(five.is_closed().await);

    assert_eq!(hears.message().await.1, b"1");
    assert_eq!(hears.message().await.1, b"4");
    assert!(hears.is_silent().await);
    let refused = world.aws.ledger().publishes("secret/t");
    assert_eq!(refused.len(), 3);
    assert!(refused.iter().all(|publish| publish.fate == MqttFate::Refused && !publish.acknowledged));
}

#[tokio::test]
async fn a_client_that_may_not_subscribe_is_told() {
    let world = world().await;
    world.aws.deny_subscribe("device", "secret/");
    let mut three = world.connect(&Hello::new("device")).await;
    assert_eq!(three.subscribe(1, &["open/#", "secret/#"]).await.unwrap(), [0x80, 0x80]);
    assert_eq!(three.subscribe(2, &["open/#"]).await.unwrap(), [1]);
    let mut five = world.connect(&Hello::v5("device")).await;
    assert_eq!(five.subscribe(1, &["secret/#"]).await.unwrap(), [0x87]);
    let filters: Vec<String> = (0..9).map(|number| format!("open/{number}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    assert_eq!(five.subscribe(2, &filters[..8]).await.unwrap(), [1; 8]);
    five.send_subscribe(3, &filters).await.unwrap();
    assert_eq!(five.read().await.unwrap(), Packet { first: 0xe0, body: vec![0x97] });
}

#[tokio::test]
async fn what_aws_does_not_take_ends_the_connection() {
    let world = world().await;
    let long = "x".repeat(257);
    let large = vec![b'x'; 128 * 1024 + 1];
    for (qos, topic, payload, reason) in [
        (2, "t", &b"x"[..], 0x9b),
        (1, long.as_str(), b"x", 0x90),
        (1, "1/2/3/4/5/6/7/8/9", b"x", 0x90),
        (1, "t", &large, 0x95),
        (1, "t", &[b'x'; 200_000], 0x95),
    ] {
        let mut three = world.connect(&Hello::new("three")).await;
        three.send_publish(qos, 1, topic, payload).await.unwrap();
        three.is_closed().await;
        let mut five = world.connect(&Hello::v5("five")).await;
        five.send_publish(qos, 1, topic, payload).await.unwrap();
        let disconnect = five.read().await.unwrap();
        assert_eq!((disconnect.kind(), disconnect.body), (DISCONNECT, vec![reason]));
    }
    let mut mqtt = world.connect(&Hello::new("three")).await;
    assert_eq!(mqtt.publish(1, &long[1..], &large[1..]).await.unwrap(), 0);
    assert_eq!(world.aws.ledger().counts().forwarded, 1);
}
