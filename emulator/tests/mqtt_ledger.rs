//! What the ledger of MQTT says about good connections.

use thingpost_emulator::{
    Authority, Broker, Device, MqttEnd, MqttEntry, MqttFate, MqttRecording, MqttSubscribe, MqttUnsubscribe, PlainMqtt,
};
use thingpost_patience::patience;

use crate::client::Client;
use crate::mqtt_client::{Hello, Mqtt, packet};

const NAME: &str = "broker.test";

async fn start() -> (Broker, PlainMqtt, Client) {
    let broker = Broker::start().await.unwrap();
    let authority = Authority::new();
    let front = PlainMqtt::start(&authority, NAME, broker.socket()).await.unwrap();
    (broker, front, Client::new(&authority, NAME))
}

#[tokio::test]
async fn a_message_is_followed_from_its_sender_to_whoever_hears_it() {
    let (_broker, front, client) = start().await;
    let ledger = front.ledger();
    let mut hears = Mqtt::connect(&client, front.addr(), &Hello::new("hears")).await;
    assert_eq!(hears.subscribe(1, &["up/#", "other"]).await.unwrap(), [1, 1]);
    let mut says = Mqtt::connect(&client, front.addr(), &Hello::new("says").login("user", "hush")).await;
    assert_eq!(says.publish(9, "up/1", b"hello").await.unwrap(), 0);
    assert_eq!(hears.message().await, ("up/1".to_owned(), b"hello".to_vec()));
    says.send_publish(0, 0, "up/2", b"once").await.unwrap();
    assert_eq!(hears.message().await, ("up/2".to_owned(), b"once".to_vec()));
    hears.unsubscribe(2, "other").await;
    says.disconnect().await;
    drop(hears);
    let counts = ledger.wait_for_counts(|counts| counts.ends == 2, patience()).await.unwrap();
    assert_eq!((counts.publishes, counts.forwarded, counts.acknowledged), (2, 2, 1));
    assert_eq!((counts.deliveries, counts.confirmed), (2, 1));

    let connects = ledger.connects();
    assert_eq!(connects.iter().map(|connect| connect.client_id.as_str()).collect::<Vec<_>>(), ["hears", "says"]);
    let says = &connects[1];
    assert_eq!((says.connection, says.level, says.keep_alive, says.clean_start), (2, 4, 60, true));
    assert_eq!((says.user_name.as_deref(), says.has_password, says.connack), (Some("user"), true, Some(0)));
    let one = &ledger.publishes("up/1")[0];
    assert_eq!((one.connection, one.qos, one.packet_id, one.acknowledged), (2, 1, Some(9), true));
    assert_eq!((one.payload.as_slice(), one.fate), (&b"hello"[..], MqttFate::Forwarded));
    assert_eq!(ledger.payloads("up/2"), [b"once"]);
    assert_eq!(ledger.acknowledged().len(), 1);
    let deliveries = ledger.deliveries();
    assert_eq!(deliveries.iter().map(|delivery| delivery.acknowledged).collect::<Vec<_>>(), [true, false]);
    assert!(deliveries.iter().all(|delivery| delivery.connection == 1));

    let entries = ledger.entries();
    assert!(entries.contains(&MqttEntry::Subscribe(MqttSubscribe {
        connection: 1,
        filters: vec![("up/#".to_owned(), 1), ("other".to_owned(), 1)],
        granted: Some(vec![1, 1]),
    })));
    let off = MqttUnsubscribe { connection: 1, filters: vec!["other".to_owned()] };
    assert!(entries.contains(&MqttEntry::Unsubscribe(off)));
    let ends: Vec<_> = entries
        .iter()
        .filter_map(|entry| match entry {
            MqttEntry::End(ended) => Some((ended.connection, ended.end)),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [(2, MqttEnd::ClientDisconnect { reason: 0 }), (1, MqttEnd::ClientClosed)]);
}

#[tokio::test]
async fn the_properties_of_version_5_are_kept_and_aliases_are_resolved() {
    let (_broker, front, client) = start().await;
    let mut mqtt = Mqtt::connect(&client, front.addr(), &Hello::v5("five").persistent()).await;
    let properties = b"\x01\x01\x02\0\0\0\x3c\x03\0\x01c\x08\0\x01r\x09\0\x01d\x26\0\x01k\0\x01v\x23\0\x03";
    let mut body = b"\0\x01t\0\x01".to_vec();
    body.push(properties.len() as u8);
    body.extend(properties);
    body.extend(b"one");
    mqtt.send(&packet(0x32, &body)).await.unwrap();
    mqtt.read().await.unwrap();
    mqtt.send(&packet(0x3a, b"\0\0\0\x02\x03\x23\0\x03two")).await.unwrap();
    mqtt.read().await.unwrap();

    let publishes = front.ledger().publishes("t");
    assert_eq!(publishes.iter().map(|publish| publish.payload.as_slice()).collect::<Vec<_>>(), [b"one", b"two"]);
    let properties = &publishes[0].properties;
    assert_eq!(properties.content_type.as_deref(), Some("c"));
    assert_eq!(properties.response_topic.as_deref(), Some("r"));
    assert_eq!((properties.message_expiry, properties.payload_format), (Some(60), Some(1)));
    assert_eq!(properties.correlation_data.as_deref(), Some(&b"d"[..]));
    assert_eq!(properties.user_properties, [("k".to_owned(), "v".to_owned())]);
    assert!(publishes[1].dup && publishes[1].acknowledged);
    let connect = &front.ledger().connects()[0];
    assert_eq!((connect.level, connect.session_expiry, connect.clean_start), (5, Some(3600), false));
}

#[tokio::test]
async fn a_will_is_in_the_ledger_and_is_delivered_when_its_client_is_lost() {
    let (_broker, front, client) = start().await;
    let mut hears = Mqtt::connect(&client, front.addr(), &Hello::new("hears")).await;
    hears.subscribe(1, &["gone"]).await.unwrap();
    let mortal = Hello { will: Some(("gone", "bye")), ..Hello::new("mortal") };
    drop(Mqtt::connect(&client, front.addr(), &mortal).await);
    assert_eq!(hears.message().await, ("gone".to_owned(), b"bye".to_vec()));
    let will = front.ledger().connects()[1].will.clone().unwrap();
    assert_eq!((will.topic.as_str(), will.payload.as_slice()), ("gone", &b"bye"[..]));
}

#[tokio::test]
async fn a_ledger_keeps_as_much_as_it_is_told() {
    let (_broker, front, client) = start().await;
    let ledger = front.ledger();
    let mut mqtt = Mqtt::connect(&client, front.addr(), &Hello::new("many")).await;
    ledger.set_recording(MqttRecording::WithoutPayloads);
    mqtt.publish(1, "t", b"one").await.unwrap();
    ledger.set_recording(MqttRecording::Counts);
    mqtt.publish(2, "t", b"two").await.unwrap();
    let kept = ledger.publishes("t");
    assert_eq!((kept.len(), kept[0].payload.len(), kept[0].acknowledged), (1, 0, true));
    assert_eq!((ledger.counts().publishes, ledger.counts().acknowledged), (2, 2));
    assert_eq!(ledger.len(), 2);
}

#[tokio::test]
async fn another_connection_with_the_same_client_id_takes_the_place_of_the_first() {
    let (_broker, front, client) = start().await;
    let mut three = Mqtt::connect(&client, front.addr(), &Hello::new("same")).await;
    let mut five = Mqtt::connect(&client, front.addr(), &Hello::v5("same")).await;
    assert!(three.is_closed().await);
    let _last = Mqtt::connect(&client, front.addr(), &Hello::v5("same")).await;
    let disconnect = five.read().await.unwrap();
    assert_eq!((disconnect.first, disconnect.body[0]), (0xe0, 0x8e));
    let entries = front.ledger().wait_until(|entries| ends(entries).len() == 2, patience()).await.unwrap();
    assert_eq!(ends(&entries), [MqttEnd::TakenOver; 2]);
}

#[tokio::test]
async fn what_is_not_mqtt_ends_a_connection() {
    let (_broker, front, client) = start().await;
    for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x10, 0], &[0xff; 20], &[0x30, 0xff, 0xff, 0xff, 0x7f], b"\0"] {
        let mut mqtt = Mqtt::open(&client, front.addr(), 4).await.unwrap();
        mqtt.send(nonsense).await.unwrap();
        assert!(mqtt.is_closed().await, "{nonsense:?}");
    }
    assert!(front.ledger().is_empty());
    let mut unknown = Mqtt::open(&client, front.addr(), 6).await.unwrap();
    unknown.send(&Hello { level: 6, ..Hello::new("future") }.bytes()).await.unwrap();
    assert_eq!(unknown.read().await.unwrap().body, [0, 1]);

    let mut three = Mqtt::connect(&client, front.addr(), &Hello::new("three")).await;
    three.send(&[0x30, 1, 0]).await.unwrap();
    assert!(three.is_closed().await);
    let mut five = Mqtt::connect(&client, front.addr(), &Hello::v5("five")).await;
    five.send(&[0x0f, 0]).await.unwrap();
    assert_eq!(five.read().await.unwrap().body, [0x81]);
    assert!(five.is_closed().await);
    let entries = front.ledger().wait_until(|entries| ends(entries).len() == 2, patience()).await.unwrap();
    assert_eq!(ends(&entries), [MqttEnd::ProtocolError; 2]);
}

#[tokio::test]
async fn a_front_that_needs_certificates_takes_any() {
    let broker = Broker::start().await.unwrap();
    let authority = Authority::new();
    let front = PlainMqtt::start_with_certificates(&authority, NAME, broker.socket()).await.unwrap();
    let mut nobody = Mqtt::open(&Client::new(&authority, NAME), front.addr(), 4).await.unwrap();
    assert!(nobody.is_closed().await);
    let device = Authority::new().issue_device("foreign");
    let client = Client::with_certificate(&authority, NAME, &device);
    Mqtt::connect(&client, front.addr(), &Hello::new("foreign")).await;
    let expected = Device::Certificate { fingerprint: device.fingerprint, common_name: None };
    assert_eq!(front.ledger().connects()[0].device, Some(expected));
    assert_eq!((front.connections().accepted, front.connections().handshakes), (2, 2));
}

fn ends(entries: &[MqttEntry]) -> Vec<MqttEnd> {
    let end = |entry: &MqttEntry| match entry {
        MqttEntry::End(ended) => Some(ended.end),
        _ => None,
    };
    entries.iter().filter_map(end).collect()
}
