//! The broker as a process: started, killed, stopped, paused, and gone with its handle.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use thingpost_emulator::{Authority, Broker, BrokerError, BrokerOptions, MqttCounts, PlainMqtt};
use thingpost_patience::patience;
use tokio::time::sleep;

use crate::client::Client;
use crate::mqtt_client::{CONNACK, Hello, Mqtt, PINGRESP};

const NAME: &str = "broker.test";

struct World {
    broker: Broker,
    front: PlainMqtt,
    client: Client,
}

async fn world() -> World {
    let broker = Broker::start().await.unwrap();
    let authority = Authority::new();
    let front = PlainMqtt::start(&authority, NAME, broker.socket()).await.unwrap();
    World { broker, front, client: Client::new(&authority, NAME) }
}

impl World {
    async fn connect(&self, hello: &Hello) -> Mqtt {
        Mqtt::connect(&self.client, self.front.addr(), hello).await
    }
}

fn process(id: u32) -> PathBuf {
    Path::new("/proc").join(id.to_string())
}

#[tokio::test]
async fn a_dropped_broker_leaves_neither_a_process_nor_a_folder() {
    let broker = Broker::start().await.unwrap();
    let folder = broker.socket().parent().unwrap().to_owned();
    let process = process(broker.process_id().unwrap());
    assert!(folder.exists() && process.exists());
    drop(broker);
    assert!(!folder.exists() && !process.exists());
}

/// Set for a process of its own, which the test below kills.
const IS_TO_BE_KILLED: &str = "THINGPOST_TEST_IS_TO_BE_KILLED";

#[tokio::test]
async fn a_broker_says_who_it_is_and_where_its_folder_is() {
    let broker = Broker::start().await.unwrap();
    assert!(process(broker.process_id().unwrap()).exists() && broker.socket().exists());
    println!("broker {} {}", broker.process_id().unwrap(), broker.socket().display());
    if env::var_os(IS_TO_BE_KILLED).is_some() {
        sleep(patience()).await;
    }
}

#[tokio::test]
async fn a_broker_does_not_outlive_a_process_that_is_killed() {
    let mut somebody = Command::new(env::current_exe().unwrap())
        .args(["--exact", "mqtt_broker::a_broker_says_who_it_is_and_where_its_folder_is", "--nocapture"])
        .env(IS_TO_BE_KILLED, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(somebody.stdout.take().unwrap()).lines().map_while(Result::ok);
    // The harness does not end its own line first.
    let told = lines.into_iter().find_map(|line| Some(line.split_once("broker ")?.1.to_owned())).unwrap();
    let (id, socket) = told.split_once(' ').unwrap();
    let process = process(id.parse().unwrap());
    let folder = Path::new(socket).parent().unwrap();
    assert!(process.exists() && folder.exists());
    somebody.kill().unwrap();
    somebody.wait().unwrap();
    let start = Instant::now();
    while process.exists() || folder.exists() {
        assert!(start.elapsed() < patience(), "{told}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_broker_can_be_killed_stopped_and_started_again() {
    let mut broker = Broker::start().await.unwrap();
    let first = broker.process_id().unwrap();
    broker.start_again().await.unwrap();
    assert_eq!(broker.process_id(), Some(first));
    broker.kill().await.unwrap();
    broker.kill().await.unwrap();
    assert!(!process(first).exists());
    assert_eq!(broker.process_id(), None);
    assert!(matches!(broker.pause().await, Err(BrokerError::NotRunning)));
    broker.start_again().await.unwrap();
    broker.restart().await.unwrap();
    broker.pause().await.unwrap();
    broker.stop().await.unwrap();
    assert!(broker.log().contains("terminating"), "{}", broker.log());
}

#[tokio::test]
async fn two_brokers_do_not_know_each_other() {
    let (one, other) = (Broker::start().await.unwrap(), Broker::start().await.unwrap());
    assert_ne!(one.socket(), other.socket());
    let authority = Authority::new();
    let client = Client::new(&authority, NAME);
    let fronts = [
        PlainMqtt::start(&authority, NAME, one.socket()).await.unwrap(),
        PlainMqtt::start(&authority, NAME, other.socket()).await.unwrap(),
    ];
    let mut same = Mqtt::connect(&client, fronts[0].addr(), &Hello::new("same")).await;
    let _other = Mqtt::connect(&client, fronts[1].addr(), &Hello::new("same")).await;
    assert_eq!(same.publish(1, "t", b"still here").await.unwrap(), 0);
}

#[tokio::test]
async fn sessions_and_queued_messages_survive_a_kill() {
    let mut world = world().await;
    let subscriber = Hello::new("subscriber").persistent();
    let mut listening = world.connect(&subscriber).await;
    assert_eq!(listening.subscribe(1, &["up"]).await.unwrap(), [1]);
    listening.disconnect().await;
    let mut publisher = world.connect(&Hello::new("publisher")).await;
    for number in 1..=3 {
        publisher.publish(number, "up", format!("number {number}").as_bytes()).await.unwrap();
    }
    // Saving follows the acknowledgement, and how closely is up to the machine.
    let saved = world.broker.socket().with_file_name("mosquitto.db");
    let start = Instant::now();
    let is_last = |bytes: &[u8]| bytes == b"number 3";
    while !std::fs::read(&saved).unwrap_or_default().windows(8).any(is_last) {
        assert!(start.elapsed() < patience(), "{}", world.broker.log());
        sleep(Duration::from_millis(5)).await;
    }
    world.broker.kill().await.unwrap();
    assert!(publisher.is_closed().await);

    world.broker.start_again().await.unwrap();
    let mut listening = world.connect(&subscriber).await;
    for number in 1..=3 {
        assert_eq!(listening.message().await, ("up".to_owned(), format!("number {number}").into_bytes()));
    }
}

#[tokio::test]
async fn a_connection_to_a_broker_that_is_gone_is_closed_after_its_handshake_or_before_it() {
    let mut world = world().await;
    world.broker.stop().await.unwrap();
    let mut mqtt = Mqtt::open(&world.client, world.front.addr(), 4).await.unwrap();
    assert!(mqtt.is_closed().await);
    world.front.link().refuse_without_broker(true);
    assert!(Mqtt::open(&world.client, world.front.addr(), 4).await.is_err());
    world.broker.start_again().await.unwrap();
    world.connect(&Hello::new("back")).await;
    assert_eq!(world.front.ledger().counts(), MqttCounts { connects: 1, admitted: 1, ..Default::default() });
}

#[tokio::test]
async fn a_paused_broker_is_silent_and_speaks_again() {
    let world = world().await;
    let mut mqtt = world.connect(&Hello::new("patient")).await;
    world.broker.pause().await.unwrap();
    mqtt.send(&[0xc0, 0]).await.unwrap();
    let mut new = Mqtt::open(&world.client, world.front.addr(), 4).await.unwrap();
    new.send(&Hello::new("new").bytes()).await.unwrap();
    assert!(mqtt.is_silent().await && new.is_silent().await);
    world.broker.resume().unwrap();
    assert_eq!(mqtt.read().await.unwrap().kind(), PINGRESP);
    assert_eq!(new.read().await.unwrap().kind(), CONNACK);
    world.broker.pause().await.unwrap();
    world.broker.resume().unwrap();
}

#[tokio::test]
async fn a_client_of_version_5_is_told_the_limits_of_aws() {
    let broker = Broker::start_with(BrokerOptions::like_aws()).await.unwrap();
    let authority = Authority::new();
    let front = PlainMqtt::start(&authority, NAME, broker.socket()).await.unwrap();
    let mut mqtt = Mqtt::open(&Client::new(&authority, NAME), front.addr(), 5).await.unwrap();
    mqtt.send(&Hello::v5("curious").bytes()).await.unwrap();
    let properties = mqtt.read().await.unwrap().body[3..].to_vec();
    let has = |property: &[u8]| properties.windows(property.len()).any(|window| window == property);
    assert!(has(&[0x21, 0, 100]), "receive maximum: {properties:?}");
    assert!(has(&[0x27, 0, 2, 0x48, 0]), "maximum packet size: {properties:?}");
    assert!(has(&[0x24, 1]), "maximum QoS: {properties:?}");
    assert!(has(&[0x22, 0, 8]), "topic alias maximum: {properties:?}");
}

#[tokio::test]
async fn thousands_of_messages_wait_for_a_client_that_is_away() {
    let world = {
        let broker = Broker::start_with(BrokerOptions::fast()).await.unwrap();
        let authority = Authority::new();
        let front = PlainMqtt::start(&authority, NAME, broker.socket()).await.unwrap();
        World { broker, front, client: Client::new(&authority, NAME) }
    };
    let subscriber = Hello::new("subscriber").persistent();
    let mut listening = world.connect(&subscriber).await;
    listening.subscribe(1, &["up"]).await.unwrap();
    listening.disconnect().await;
    let mut publisher = world.connect(&Hello::new("publisher")).await;
    let many: Vec<u8> =
        (1..=3000_u16).flat_map(|number| publisher.publish_bytes(1, number, "up", &number.to_be_bytes())).collect();
    publisher.send(&many).await.unwrap();
    world.front.ledger().wait_for_counts(|counts| counts.acknowledged == 3000, patience()).await.unwrap();
    let mut listening = world.connect(&subscriber).await;
    for number in 1..=3000_u16 {
        assert_eq!(listening.message().await.1, number.to_be_bytes());
    }
    world.front.ledger().wait_for_counts(|counts| counts.confirmed == 3000, patience()).await.unwrap();
}

#[tokio::test]
async fn a_broker_that_has_ended_is_told_from_one_that_runs() {
    let mut broker = Broker::start().await.unwrap();
    assert!(!broker.has_ended());
    let id = broker.process_id().unwrap().to_string();
    assert!(Command::new("kill").args(["-s", "KILL", &id]).status().unwrap().success());
    let start = Instant::now();
    while !broker.has_ended() {
        assert!(start.elapsed() < patience(), "{}", broker.log());
        sleep(Duration::from_millis(5)).await;
    }
}
