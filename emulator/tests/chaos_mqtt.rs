//! A bad day over MQTT, as a client sees it and as the ledger has it.

use std::time::Duration;

use thingpost_emulator::{
    Authority, AwsMqtt, Broker, Chaos, Excess, Late, MqttEnd, MqttEntry, MqttFate, PlainMqtt, Rate, Share,
};
use thingpost_patience::patience;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::mqtt_client::{DISCONNECT, Hello, Mqtt, PUBACK, PUBLISH};

const NAME: &str = "broker.test";

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(60 * 60);

struct World {
    _broker: Broker,
    front: PlainMqtt,
    client: Client,
}

async fn world() -> World {
    let broker = Broker::start().await.unwrap();
    let authority = Authority::new();
    let front = PlainMqtt::start(&authority, NAME, broker.socket()).await.unwrap();
    World { _broker: broker, front, client: Client::new(&authority, NAME) }
}

async fn world_on(spec: &str) -> World {
    let world = world().await;
    world.front.chaos(spec.parse().unwrap());
    world
}

impl World {
    async fn connect(&self, hello: Hello) -> Mqtt {
        Mqtt::connect(&self.client, self.front.addr(), &hello).await
    }

    /// The code of the CONNACK.
    async fn code(&self, hello: Hello) -> u8 {
        Mqtt::try_connect(&self.client, self.front.addr(), &hello).await.unwrap().1
    }

    fn fates(&self) -> Vec<(MqttFate, bool)> {
        self.front.ledger().all_publishes().iter().map(|publish| (publish.fate, publish.acknowledged)).collect()
    }

    async fn end(&self) -> MqttEnd {
        let end = |entries: &[MqttEntry]| {
            entries.iter().find_map(|entry| match entry {
                MqttEntry::End(ended) => Some(ended.end),
                _ => None,
            })
        };
        let entries = self.front.ledger().wait_until(|entries| end(entries).is_some(), patience()).await;
        end(&entries.unwrap()).unwrap()
    }
}

/// What a message is told. That it has no subscribers, as MQTT 5 has it, is no error.
async fn told(mqtt: &mut Mqtt, packet_id: u16, topic: &str) -> u8 {
    let reason = mqtt.publish(packet_id, topic, b"x").await.unwrap();
    if reason == 0x10 { 0 } else { reason }
}

const TAKEN: (MqttFate, bool) = (MqttFate::Forwarded, true);

#[tokio::test]
async fn beyond_the_quota_mqtt_5_is_told_and_3_1_1_is_not() {
    let world = world().await;
    world.front.chaos(Chaos { quota: Some(Rate::per_hour(2)), ..Chaos::default() });
    let mut five = world.connect(Hello::v5("five")).await;
    for (packet_id, reason) in [(1, 0), (2, 0), (3, 0x97), (4, 0x97)] {
        assert_eq!(told(&mut five, packet_id, "t").await, reason);
    }
    // Another connection has a quota of its own.
    let mut three = world.connect(Hello::new("three")).await;
    assert_eq!((told(&mut three, 1, "t").await, told(&mut three, 2, "t").await), (0, 0));
    three.send_publish(1, 3, "t", b"x").await.unwrap();
    assert!(three.is_silent().await);
    world.front.calm();
    assert_eq!(told(&mut three, 4, "t").await, 0);
    let (refused, dropped) = ((MqttFate::Refused, false), (MqttFate::Dropped, false));
    assert_eq!(world.fates(), [TAKEN, TAKEN, refused, refused, TAKEN, TAKEN, dropped, TAKEN]);
    assert_eq!(world.front.ledger().counts().forwarded, 5);
}

#[tokio::test]
async fn a_silent_quota_drops_what_exceeds() {
    let world = world_on("quota=1/h,quota-silent").await;
    let mut five = world.connect(Hello::v5("five")).await;
    assert_eq!(told(&mut five, 1, "t").await, 0);
    five.send_publish(1, 2, "t", b"x").await.unwrap();
    five.send_publish(0, 0, "t", b"x").await.unwrap();
    assert!(five.is_silent().await);
    assert_eq!(world.fates(), [TAKEN, (MqttFate::Dropped, false), (MqttFate::Dropped, false)]);
}

#[tokio::test]
async fn a_quota_can_end_the_connection() {
    let world = world().await;
    let plan = Chaos { quota: Some(Rate::per_hour(1)), excess: Excess::Disconnect, ..Chaos::default() };
    world.front.chaos(plan);
    let mut five = world.connect(Hello::v5("five")).await;
    assert_eq!(told(&mut five, 1, "t").await, 0);
    five.send_publish(1, 2, "t", b"x").await.unwrap();
    let disconnect = five.read().await.unwrap();
    assert_eq!((disconnect.kind(), disconnect.body[0]), (DISCONNECT, 0x97));
    assert!(five.is_closed().await);
    assert_eq!(world.end().await, MqttEnd::ServerDisconnect { reason: 0x97 });
    let mut three = world.connect(Hello::new("three")).await;
    assert_eq!(told(&mut three, 1, "t").await, 0);
    three.send_publish(1, 2, "t", b"x").await.unwrap();
    assert!(three.is_closed().await);
    assert_eq!(world.front.ledger().counts().forwarded, 2);
}

#[tokio::test]
async fn messages_are_refused_for_now_by_chance_and_the_same_with_the_same_seed() {
    async fn reasons(spec: &str) -> Vec<u8> {
        let world = world_on(spec).await;
        let mut mqtt = world.connect(Hello::v5("five")).await;
        let mut reasons = Vec::new();
        for packet_id in 1..=60 {
            reasons.push(told(&mut mqtt, packet_id, "t").await);
        }
        let taken = reasons.iter().filter(|&&reason| reason == 0).count();
        assert_eq!(world.front.ledger().counts().forwarded, taken as u64);
        reasons
    }
    let first = reasons("puback=0x97:20%,puback=0x80:20%,seed=1").await;
    for reason in [0, 0x80, 0x97] {
        assert!(first.contains(&reason), "{first:?}");
    }
    assert_eq!(first, reasons("puback=0x97:20%,puback=0x80:20%,seed=1").await);
    assert_ne!(first, reasons("puback=0x97:20%,puback=0x80:20%,seed=2").await);
}

#[tokio::test]
async fn a_late_acknowledgement_is_of_a_message_that_was_taken_in_time() {
    let world = world().await;
    let late_puback = Some(Late { by: FOR_EVER, share: Share::ALWAYS });
    world.front.chaos(Chaos { late_puback, ..Chaos::default() });
    let mut hears = world.connect(Hello::new("hears")).await;
    hears.subscribe(1, &["t"]).await.unwrap();
    let mut says = world.connect(Hello::new("says")).await;
    says.send_publish(1, 1, "t", b"late").await.unwrap();
    assert_eq!(hears.message().await.1, b"late");
    assert!(says.is_silent().await);
    assert_eq!(world.fates(), [(MqttFate::Forwarded, false)]);

    world.front.chaos("late-puback=30ms".parse().unwrap());
    let mut says = world.connect(Hello::v5("others")).await;
    for packet_id in [1, 2] {
        says.send_publish(1, packet_id, "t", b"a little late").await.unwrap();
    }
    for packet_id in [1, 2] {
        let puback = says.read().await.unwrap();
        assert_eq!((puback.kind(), &puback.body[..2]), (PUBACK, &[0, packet_id][..]));
    }
    assert_eq!(world.fates()[1..], [TAKEN, TAKEN]);
}

#[tokio::test]
async fn a_lost_acknowledgement_never_comes() {
    let world = world_on("lost-puback=100%").await;
    let mut mqtt = world.connect(Hello::new("says")).await;
    mqtt.subscribe(1, &["t"]).await.unwrap();
    mqtt.send_publish(1, 2, "t", b"x").await.unwrap();
    // The message comes back, and nothing else.
    assert_eq!(mqtt.read().await.unwrap().kind(), PUBLISH);
    assert!(mqtt.is_silent().await);
    assert_eq!(world.fates(), [(MqttFate::Forwarded, false)]);
}

#[tokio::test]
async fn a_connection_is_reset_before_or_after_the_broker_has_the_message() {
    let world = world().await;
    let mut hears = world.connect(Hello::new("hears")).await;
    hears.subscribe(1, &["t"]).await.unwrap();
    for (spec, payload, fate) in [
        ("reset-before=100%", b"not taken", MqttFate::Dropped),
        ("reset-after=100%", b"was taken", MqttFate::Forwarded),
    ] {
        world.front.chaos(spec.parse().unwrap());
        let mut mqtt = world.connect(Hello::v5("says")).await;
        mqtt.send_publish(1, 1, "t", payload).await.unwrap();
        assert!(!mqtt.is_closed().await, "reset, and not closed in order");
        assert_eq!(world.fates().pop(), Some((fate, false)));
    }
    assert_eq!(hears.message().await.1, b"was taken");
    assert_eq!(world.end().await, MqttEnd::Fault);
}

#[tokio::test]
async fn a_client_that_is_silent_for_longer_than_the_cap_is_cut() {
    let world = world_on("keep-alive-cap=200ms").await;
    let mut three = world.connect(Hello { keep_alive: 60, ..Hello::new("three") }).await;
    assert!(three.is_closed().await);
    assert_eq!(world.end().await, MqttEnd::ServerClosed);

    let mut five = Mqtt::open(&world.client, world.front.addr(), 5).await.unwrap();
    five.send(&Hello { keep_alive: 0, ..Hello::v5("five") }.bytes()).await.unwrap();
    let connack = five.read().await.unwrap();
    assert!(connack.body.windows(3).any(|bytes| bytes == [0x13, 0, 1]), "{connack:?}");
    let disconnect = five.read().await.unwrap();
    assert_eq!((disconnect.kind(), disconnect.body[0]), (DISCONNECT, 0x8d));
    assert!(five.is_closed().await);
}

#[tokio::test]
async fn a_client_within_the_cap_is_told_nothing_of_it() {
    let world = world_on("keep-alive-cap=1200").await;
    for (keep_alive, is_capped) in [(1200, false), (1201, true)] {
        let mut mqtt = Mqtt::open(&world.client, world.front.addr(), 5).await.unwrap();
        mqtt.send(&Hello { keep_alive, ..Hello::v5("five") }.bytes()).await.unwrap();
        let connack = mqtt.read().await.unwrap();
        let names_cap = connack.body.windows(3).any(|bytes| bytes == [0x13, 4, 0xb0]);
        assert_eq!((connack.body[1], names_cap), (0, is_capped), "{connack:?}");
        // What comes behind the CONNACK is not disturbed by it.
        assert_eq!(told(&mut mqtt, 1, "t").await, 0);
    }
}

#[tokio::test]
async fn a_connect_is_refused_for_now_with_the_code_of_its_version() {
    let world = world_on("connack=3:100%,connack=0x88:100%").await;
    assert_eq!((world.code(Hello::new("three")).await, world.code(Hello::v5("five")).await), (3, 0x88));
    assert_eq!(world.end().await, MqttEnd::Refused { code: 3 });
    world.front.chaos("connack=0x89:100%".parse().unwrap());
    assert_eq!((world.code(Hello::new("three")).await, world.code(Hello::v5("five")).await), (0, 0x89));
}

#[tokio::test]
async fn a_client_that_connects_too_often_is_refused_and_others_are_not() {
    let world = world_on("connects=2/h").await;
    let mut codes = Vec::new();
    for hello in [Hello::new("a"), Hello::new("a"), Hello::new("a"), Hello::v5("a"), Hello::v5("b")] {
        codes.push(world.code(hello).await);
    }
    assert_eq!(codes, [0, 0, 3, 0x9f, 0]);
}

#[tokio::test]
async fn nobody_listens_for_mqtt_either() {
    let world = world().await;
    let mut old = world.connect(Hello::new("old")).await;
    world.front.chaos(Chaos { not_listening: FOR_EVER, ..Chaos::default() });
    let address = world.front.addr();
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    tokio::time::timeout(patience(), refused).await.unwrap();
    assert_eq!(old.publish(1, "t", b"still good").await.unwrap(), 0);
    world.front.calm();
    let back = async { while TcpStream::connect(address).await.is_err() {} };
    tokio::time::timeout(patience(), back).await.unwrap();
    world.connect(Hello::new("new")).await;
}

#[tokio::test]
async fn a_handshake_is_late_over_mqtt_too() {
    let world = world().await;
    world.front.chaos(Chaos { handshake_delay: FOR_EVER, ..Chaos::default() });
    let attempt = Mqtt::open(&world.client, world.front.addr(), 4);
    assert!(tokio::time::timeout(Duration::from_millis(300), attempt).await.is_err());
    assert_eq!(world.front.connections().handshakes, 0);
    world.front.chaos("handshake-delay=20ms".parse().unwrap());
    world.connect(Hello::new("late")).await;
}

#[tokio::test]
async fn what_the_cloud_does_not_allow_is_not_struck_by_chance() {
    let broker = Broker::start().await.unwrap();
    let authority = Authority::new();
    let device = authority.issue_device("thermometer-7");
    let name = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";
    let front = AwsMqtt::start(&authority, name, broker.socket()).await.unwrap();
    front.register(&device);
    front.deny_publish("five", "denied");
    front.chaos("puback=0x97:100%".parse().unwrap());
    let client = Client::with_certificate(&authority, name, &device);
    let mut mqtt = Mqtt::connect(&client, front.addr_mutual_tls(), &Hello::v5("five")).await;
    assert_eq!(told(&mut mqtt, 1, "denied").await, 0x87);
    assert_eq!(told(&mut mqtt, 2, "allowed").await, 0x97);
    front.calm();
    assert_eq!(told(&mut mqtt, 3, "allowed").await, 0);
}
