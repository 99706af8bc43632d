//! What the thing model reads in messages that were taken, and the rules that they broke unpunished.

use serde_json::{Map, Value, json};
use thingpost_emulator::{
    AliyunChaos, AliyunStrike, AliyunThingKind, AliyunThingPost, AliyunThingValue, AliyunThingViolation, Break, Device,
    Fault,
};

use crate::aliyun_world::{BYTES, World, world};
use crate::client::post;

const PROPERTIES: &str = "/topic/sys/pk/device/thing/event/property/post";
const ALARM: &str = "/topic/sys/pk/device/thing/event/alarm/post";

/// Publishes what is taken, and gives what the thing model reads in it.
async fn read(world: &World, target: &str, payload: &[u8]) -> AliyunThingPost {
    let token = world.token().await;
    let response = world.publish(&token, target, payload).await;
    assert!(response.body.starts_with(r#"{"code":0,"#), "{}", response.body);
    world.emulator.thing_model().pop().unwrap()
}

fn value(identifier: &str, value: Value, time_ms: Option<u64>) -> AliyunThingValue {
    AliyunThingValue { identifier: identifier.to_owned(), value, time_ms }
}

#[tokio::test]
async fn properties_are_read_with_and_without_their_time() {
    let world = world().await;
    let message = json!({
        "id": "4294967295", "version": "1.0", "sys": {"ack": 0},
        "params": {
            "Temperature": {"value": 21.5, "time": 1_733_000_000_000_u64},
            "Power": "on",
            "Position": {"x": 1, "y": 2},
        },
        "method": "thing.event.property.post",
    });
    let post = read(&world, PROPERTIES, message.to_string().as_bytes()).await;
    let entry = &world.emulator.ledger().accepted()[0];
    assert_eq!(
        post,
        AliyunThingPost {
            device: Device::Aliyun { product_key: "pk".to_owned(), device_name: "device".to_owned() },
            message_id: 1_207_967_842_654_323_713,
            kind: AliyunThingKind::Properties,
            values: vec![
                value("Position", json!({"x": 1, "y": 2}), None),
                value("Power", json!("on"), None),
                value("Temperature", json!(21.5), Some(1_733_000_000_000)),
            ],
            id: Some("4294967295".to_owned()),
            version: Some("1.0".to_owned()),
            method: Some("thing.event.property.post".to_owned()),
            ack: Some(false),
            violations: Vec::new(),
        }
    );
    assert_eq!(entry.device.as_ref(), Some(&post.device));
    assert_eq!(entry.payload, message.to_string().into_bytes());
}

#[tokio::test]
async fn an_event_is_read_with_its_values_and_its_time() {
    let world = world().await;
    let message = json!({
        "id": "1", "version": "1.0", "sys": {"ack": 1},
        "params": {"value": {"level": 3, "what": "smoke"}, "time": 7},
        "method": "thing.event.alarm.post",
    });
    let post = read(&world, ALARM, message.to_string().as_bytes()).await;
    assert_eq!((post.kind, post.ack), (AliyunThingKind::Event, Some(true)));
    assert_eq!(post.values, [value("alarm", json!({"level": 3, "what": "smoke"}), Some(7))]);
    assert_eq!(post.violations, []);
}

#[tokio::test]
async fn what_breaks_a_rule_is_taken_and_the_rule_is_noted() {
    use AliyunThingViolation as V;
    let world = world().await;
    let good = json!({"id": "1", "params": {"P": 1}, "method": "thing.event.property.post"});
    let with = |name: &str, value: Value| {
        let mut message = good.clone();
        message[name] = value;
        message
    };
    let without = |name: &str| {
        let mut message = good.clone();
        message.as_object_mut().unwrap().remove(name);
        message
    };
    for (message, violations) in [
        (good.clone(), vec![]),
        (with("id", json!(1_733_000_000_000_u64)), vec![V::BadId]),
        (with("id", json!("4294967296")), vec![V::BadId]),
        (with("id", json!("a1")), vec![V::BadId]),
        (without("id"), vec![V::BadId]),
        (without("method"), vec![V::NoMethod]),
        (with("method", json!("thing.event.alarm.post")), vec![V::WrongMethod]),
        (without("params"), vec![V::BadParams]),
        (with("params", json!([1])), vec![V::BadParams]),
        (json!({}), vec![V::BadId, V::NoMethod, V::BadParams]),
        (json!([]), vec![V::NotJson]),
    ] {
        let post = read(&world, PROPERTIES, message.to_string().as_bytes()).await;
        assert_eq!(post.violations, violations, "{message}");
        assert_eq!(post.id, message.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)));
    }
    for payload in [&b""[..], b"\xff", b"{\"id\":"] {
        let post = read(&world, PROPERTIES, payload).await;
        assert_eq!((post.violations, post.values, post.id), (vec![V::NotJson], vec![], None));
    }
    let event = json!({"id": "1", "params": {"level": 3}, "method": "thing.event.alarm.post"});
    assert_eq!(read(&world, ALARM, event.to_string().as_bytes()).await.violations, [V::BadParams]);
    assert_eq!(world.emulator.thing_model().len(), 15);
    assert_eq!(world.emulator.ledger().accepted().len(), 15);
}

#[tokio::test]
async fn a_message_may_have_200_properties() {
    let world = world().await;
    for (count, violations) in [(200, vec![]), (201, vec![AliyunThingViolation::TooManyProperties])] {
        let params: Map<String, Value> = (0..count).map(|number| (format!("P{number}"), json!(number))).collect();
        let message = json!({"id": "1", "params": params, "method": "thing.event.property.post"});
        let post = read(&world, PROPERTIES, message.to_string().as_bytes()).await;
        assert_eq!((post.values.len(), post.violations), (count, violations));
    }
}

#[tokio::test]
async fn only_what_was_taken_on_its_topics_reaches_the_thing_model() {
    let world = world().await;
    let token = world.token().await;
    let message = br#"{"id":"1","params":{},"method":"thing.event.property.post"}"#;
    for target in ["/topic/pk/device/user/up", "/topic/sys/pk/device/thing/model/up_raw"] {
        assert!(world.publish(&token, target, message).await.body.starts_with(r#"{"code":0,"#));
    }
    world.emulator.next_code(40000);
    world.publish(&token, PROPERTIES, message).await;
    world.publish("made-up", PROPERTIES, message).await;
    let strikes = vec![AliyunStrike::Refuse(30001)];
    world.emulator.chaos(AliyunChaos { every: 1..=1, strikes, ..AliyunChaos::new(1) });
    world.publish(&token, PROPERTIES, message).await;
    world.emulator.calm();
    assert_eq!(world.emulator.thing_model(), []);

    // An answer that is lost takes nothing back.
    world.emulator.faults().push(Fault::AfterAcceptance(Break::Close), 1);
    let mut connection = world.connect().await;
    let headers = format!("{BYTES}password: {token}\r\n");
    connection.send(&post(PROPERTIES, &headers, message)).await.unwrap();
    assert_eq!(connection.rest().await.unwrap(), b"");
    assert_eq!(world.emulator.thing_model().len(), 1);
}
