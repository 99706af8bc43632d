//! What a client of MQTT sees of each fault, and what the broker and the ledger know of it.

use std::time::{Duration, Instant};

use thingpost_emulator::{
    Authority, Break, Broker, LinkFaults, LinkSpeed, MqttEnd, MqttEntry, MqttFate, PlainMqtt, PublishMoment,
};
use thingpost_patience::patience;

use tokio::io::AsyncReadExt;

use crate::client::Client;
use crate::mqtt_client::{Hello, Mqtt, PUBACK};

const NAME: &str = "broker.test";

struct World {
    _broker: Broker,
    front: PlainMqtt,
    client: Client,
    link: LinkFaults,
}

async fn world() -> World {
    let broker = Broker::start().await.unwrap();
    let authority = Authority::new();
    let front = PlainMqtt::start(&authority, NAME, broker.socket()).await.unwrap();
    let link = front.link();
    World { _broker: broker, front, client: Client::new(&authority, NAME), link }
}

impl World {
    async fn connect(&self, client_id: &str) -> Mqtt {
        Mqtt::connect(&self.client, self.front.addr(), &Hello::new(client_id)).await
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

#[tokio::test]
async fn a_cut_resets_all_connections_and_new_ones_are_good() {
    let world = world().await;
    let (mut one, mut other) = (world.connect("one").await, world.connect("other").await);
    world.link.cut();
    assert!(!one.is_closed().await && !other.is_closed().await);
    world.connect("new").await;
    assert_eq!(world.end().await, MqttEnd::Fault);
}

#[tokio::test]
async fn a_half_open_connection_swallows_everything_and_is_not_closed() {
    let world = world().await;
    let mut old = world.connect("same").await;
    old.subscribe(1, &["t"]).await.unwrap();
    world.link.half_open();
    // The order is obeyed as soon as the front comes to it.
    world.front.ledger().wait_for_counts(|counts| counts.ends == 1, patience()).await.unwrap();
    old.send_publish(1, 2, "t", b"swallowed").await.unwrap();
    let mut new = world.connect("new").await;
    assert_eq!(new.publish(1, "t", b"not heard").await.unwrap(), 0);
    assert!(old.is_silent().await);
    assert_eq!(world.front.ledger().payloads("t"), [b"not heard"]);
    // The broker takes the old one for alive, until the same client comes back.
    let _back = world.connect("same").await;
    assert!(old.is_silent().await);
    world.link.cut();
    assert!(!old.is_closed().await);
}

#[tokio::test]
async fn a_connection_can_be_silent_from_its_handshake_on() {
    let world = world().await;
    world.link.silence_after_handshake(1);
    let mut mqtt = Mqtt::open(&world.client, world.front.addr(), 4).await.unwrap();
    mqtt.send(&Hello::new("unheard").bytes()).await.unwrap();
    assert!(mqtt.is_silent().await);
    assert!(world.front.ledger().is_empty());
    world.connect("heard").await;
    assert_eq!(world.link.pending(), 0);
}

#[tokio::test]
async fn new_connections_are_refused_for_as_long_as_asked() {
    let world = world().await;
    let mut old = world.connect("old").await;
    world.link.refuse(true);
    assert!(Mqtt::open(&world.client, world.front.addr(), 4).await.is_err());
    assert_eq!(old.publish(1, "t", b"still good").await.unwrap(), 0);
    world.link.refuse(false);
    world.link.break_at_accept(Break::Reset, 1);
    assert!(Mqtt::open(&world.client, world.front.addr(), 4).await.is_err());
    world.connect("new").await;
}

#[tokio::test]
async fn a_swallowed_acknowledgement_leaves_the_message_with_the_broker() {
    let world = world().await;
    world.link.swallow_pubacks(1);
    let mut mqtt = world.connect("doubtful").await;
    mqtt.send_publish(1, 1, "t", b"one").await.unwrap();
    mqtt.send_publish(1, 2, "t", b"two").await.unwrap();
    let puback = mqtt.read().await.unwrap();
    assert_eq!((puback.kind(), puback.body), (PUBACK, vec![0, 2]));
    let acknowledged: Vec<_> = world.front.ledger().publishes("t").iter().map(|publish| publish.acknowledged).collect();
    assert_eq!(acknowledged, [false, true]);
    assert_eq!((world.front.ledger().counts().forwarded, world.link.pending()), (2, 0));
}

#[tokio::test]
async fn a_connect_is_answered_with_the_code_that_was_asked_for() {
    let world = world().await;
    world.link.answer_connects(3, 1);
    let (mut mqtt, code) = Mqtt::try_connect(&world.client, world.front.addr(), &Hello::new("three")).await.unwrap();
    assert_eq!(code, 3);
    assert!(mqtt.is_closed().await);
    assert_eq!(world.end().await, MqttEnd::Refused { code: 3 });
    world.link.answer_connects(0x88, 1);
    let (_, code) = Mqtt::try_connect(&world.client, world.front.addr(), &Hello::v5("five")).await.unwrap();
    assert_eq!(code, 0x88);
    world.connect("three").await;
}

#[tokio::test]
async fn a_connection_that_closes_at_a_message_closes_before_or_after_it() {
    let world = world().await;
    let mut hears = world.connect("hears").await;
    hears.subscribe(1, &["t"]).await.unwrap();
    world.link.close_at_publish(2, PublishMoment::AfterForwarding);
    let mut mqtt = world.connect("says").await;
    assert_eq!(mqtt.publish(1, "t", b"one").await.unwrap(), 0);
    mqtt.send_publish(1, 2, "t", b"two").await.unwrap();
    assert!(mqtt.is_closed().await);
    world.link.close_at_publish(1, PublishMoment::BeforeForwarding);
    let mut mqtt = world.connect("says").await;
    mqtt.send_publish(1, 1, "t", b"three").await.unwrap();
    assert!(mqtt.is_closed().await);
    assert_eq!(hears.message().await.1, b"one");
    assert_eq!(hears.message().await.1, b"two");
    assert!(hears.is_silent().await);
    let publishes: Vec<_> =
        world.front.ledger().publishes("t").iter().map(|publish| (publish.fate, publish.acknowledged)).collect();
    let forwarded = MqttFate::Forwarded;
    assert_eq!(publishes, [(forwarded, true), (forwarded, false), (MqttFate::Dropped, false)]);
    assert_eq!(world.end().await, MqttEnd::Fault);
}

#[tokio::test]
async fn garbage_can_follow_a_handshake() {
    let world = world().await;
    world.link.garbage_after_handshake(1);
    let mut mqtt = Mqtt::open(&world.client, world.front.addr(), 4).await.unwrap();
    assert_eq!(mqtt.stream.read_u8().await.unwrap(), b'H');
}

#[tokio::test]
async fn a_slow_link_delays_both_ways_and_loses_nothing() {
    let world = world().await;
    let mut mqtt = world.connect("slow").await;
    world.link.set_speed(LinkSpeed { bytes_per_second: None, latency: Duration::from_millis(100) });
    let start = Instant::now();
    assert_eq!(mqtt.publish(1, "t", b"there and back").await.unwrap(), 0);
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
    world.link.set_speed(LinkSpeed { bytes_per_second: Some(20_000), latency: Duration::ZERO });
    let start = Instant::now();
    assert_eq!(mqtt.publish(2, "t", &[b'x'; 10_000]).await.unwrap(), 0);
    assert!(start.elapsed() >= Duration::from_millis(450), "{:?}", start.elapsed());
    world.link.heal();
    assert_eq!(mqtt.publish(3, "t", b"fast again").await.unwrap(), 0);
    assert_eq!(world.front.ledger().payloads("t").len(), 3);
}

#[tokio::test]
async fn large_messages_go_both_ways() {
    let world = world().await;
    let mut hears = world.connect("hears").await;
    hears.subscribe(1, &["t"]).await.unwrap();
    let mut says = world.connect("says").await;
    for length in [1, 65_535, 300_000, 2_000_000] {
        let payload: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        says.publish(1, "t", &payload).await.unwrap();
        assert_eq!(hears.message().await.1, payload);
    }
}
