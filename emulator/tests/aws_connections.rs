//! What HTTP tells about MQTT clients, and how it ends their connections.

use serde_json::{Value, json};
use thingpost_emulator::{ConnectedClient, Device, Disconnection, Subscription};

use crate::data_plane::{DataPlane, assert_invalid, assert_not_found, document};

const NOT_FOUND: &str = "Client not found";
const HALF_AN_HOUR_MS: i64 = 30 * 60 * 1000;

/// A client with a session that outlives its connection by a day.
fn persistent() -> ConnectedClient {
    let subscription = |filter: &str, qos| Subscription { topic_filter: filter.to_owned(), qos };
    ConnectedClient {
        thing_name: Some("thermometer-7".to_owned()),
        keep_alive_seconds: 30,
        clean_session: false,
        session_expiry_seconds: 24 * 60 * 60,
        subscriptions: vec![subscription("b/#", 1), subscription("a/+", 0)],
        ..ConnectedClient::new("dev/1")
    }
}

async fn start() -> DataPlane {
    let world = DataPlane::start().await;
    world.emulator.add_client(persistent());
    world.emulator.add_client(ConnectedClient::new("clean"));
    world
}

/// The document without the time of that name, which is there.
fn without(mut document: Value, time: &str) -> Value {
    assert!(document.as_object_mut().unwrap().remove(time).unwrap().as_u64().unwrap() > 1_700_000_000_000);
    document
}

#[tokio::test]
async fn a_client_on_line_is_described_with_its_socket_only_if_asked() {
    let mut world = start().await;
    let mut expected = json!({
        "clientId": "dev/1",
        "connected": true,
        "thingName": "thermometer-7",
        "cleanSession": false,
        "keepAliveDuration": 30,
        "sessionExpiry": 86400,
    });
    for query in ["", "?includeSocketInformation=false"] {
        let client = document(&world.get(&format!("/connections/dev%2F1{query}")).await);
        assert_eq!(without(client, "connectedSince"), expected);
    }
    for (name, value) in [("sourceIp", json!("192.0.2.7")), ("sourcePort", json!(49152))] {
        expected[name] = value;
    }
    for (name, value) in [("targetIp", json!("198.51.100.1")), ("targetPort", json!(8883))] {
        expected[name] = value;
    }
    let client = document(&world.get("/connections/dev%2F1?includeSocketInformation=true").await);
    assert_eq!(without(client, "connectedSince"), expected);

    let expected = json!({
        "clientId": "clean", "connected": true, "cleanSession": true, "keepAliveDuration": 1200, "sessionExpiry": 0,
    });
    assert_eq!(without(document(&world.get("/connections/clean").await), "connectedSince"), expected);
    let odd = world.get("/connections/clean?includeSocketInformation=1").await;
    assert_invalid(&odd, "includeSocketInformation must be true or false");
}

#[tokio::test]
async fn a_client_that_was_disconnected_is_remembered_for_half_an_hour() {
    let mut world = start().await;
    let response = world.delete("/connections/clean").await;
    assert_eq!((response.status(), response.body.as_str()), (200, ""));
    assert_eq!(response.header("content-length"), Some("0"));
    let client = document(&world.get("/connections/clean?includeSocketInformation=true").await);
    let expected = json!({
        "clientId": "clean",
        "connected": false,
        "cleanSession": true,
        "keepAliveDuration": 1200,
        "sessionExpiry": 0,
        "disconnectReason": "API_INITIATED_DISCONNECT",
    });
    assert_eq!(without(client, "disconnectedSince"), expected);
    assert_not_found(&world.delete("/connections/clean").await, NOT_FOUND);
    world.emulator.shift_clock_ms(HALF_AN_HOUR_MS + 1000);
    assert_not_found(&world.get("/connections/clean").await, NOT_FOUND);
}

#[tokio::test]
async fn a_session_outlives_its_connection_unless_it_is_removed() {
    let mut world = start().await;
    world.emulator.lose_client("dev/1");
    world.emulator.shift_clock_ms(HALF_AN_HOUR_MS + 1000);
    let client = document(&world.get("/connections/dev%2F1").await);
    assert_eq!((&client["connected"], &client["disconnectReason"]), (&json!(false), &json!("CONNECTION_LOST")));
    assert_eq!(client["disconnectedSince"], Value::Null);
    assert_eq!(world.get("/connections/dev%2F1/subscriptions").await.status(), 200);
    world.emulator.shift_clock_ms(48 * HALF_AN_HOUR_MS + 1000);
    assert_not_found(&world.get("/connections/dev%2F1").await, NOT_FOUND);
    assert_not_found(&world.get("/connections/dev%2F1/subscriptions").await, NOT_FOUND);

    world.emulator.add_client(persistent());
    assert_eq!(world.delete("/connections/dev%2F1?cleanSession=true").await.status(), 200);
    assert_not_found(&world.get("/connections/dev%2F1/subscriptions").await, NOT_FOUND);
    // It connects again.
    world.emulator.add_client(persistent());
    assert_eq!(document(&world.get("/connections/dev%2F1").await)["connected"], true);
}

#[tokio::test]
async fn a_disconnection_is_written_down_as_it_was_asked_for() {
    let mut world = start().await;
    world.delete("/connections/dev%2F1?cleanSession=false&preventWillMessage=true").await;
    world.delete("/connections/clean?cleanSession=true").await;
    world.delete("/connections/unknown").await;
    let sender = Device::Certificate {
        fingerprint: world.device.fingerprint.clone(),
        common_name: Some("thermometer-7".to_owned()),
    };
    let disconnection = |id: &str, clean_session, prevent_will_message| Disconnection {
        client_id: id.to_owned(),
        clean_session,
        prevent_will_message,
        sender: sender.clone(),
    };
    let expected = [disconnection("dev/1", false, true), disconnection("clean", true, false)];
    assert_eq!(world.emulator.disconnections(), expected);
    let odd = world.delete("/connections/clean?cleanSession=maybe").await;
    assert_invalid(&odd, "cleanSession must be true or false");
}

#[tokio::test]
async fn subscriptions_come_in_pages_and_the_last_token_is_null() {
    let mut world = start().await;
    let expected = json!({
        "subscriptions": [{"topicFilter": "a/+", "qos": 0}, {"topicFilter": "b/#", "qos": 1}],
        "nextToken": null,
    });
    let target = "/connections/dev%2F1/subscriptions";
    assert_eq!(document(&world.get(target).await), expected);
    let first = document(&world.get(&format!("{target}?maxResults=1")).await);
    assert_eq!(first["subscriptions"], json!([{"topicFilter": "a/+", "qos": 0}]));
    let token = first["nextToken"].as_str().unwrap().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let last = document(&world.get(&format!("{target}?maxResults=1&nextToken={token}")).await);
    assert_eq!(last, json!({"subscriptions": [{"topicFilter": "b/#", "qos": 1}], "nextToken": null}));

    let filters = (0..21).map(|number| Subscription { topic_filter: format!("{number:02}"), qos: 0 }).collect();
    world.emulator.add_client(ConnectedClient { subscriptions: filters, ..ConnectedClient::new("many") });
    let page = document(&world.get("/connections/many/subscriptions").await);
    assert_eq!(page["subscriptions"].as_array().unwrap().len(), 20);
    assert_eq!(world.get("/connections/many/subscriptions?maxResults=200").await.status(), 200);
    for count in ["0", "201", "x"] {
        let response = world.get(&format!("/connections/many/subscriptions?maxResults={count}")).await;
        assert_invalid(&response, &format!("Invalid maxResults value: {count}"));
    }
    let clean = document(&world.get("/connections/clean/subscriptions").await);
    assert_eq!(clean, json!({"subscriptions": [], "nextToken": null}));
}

#[tokio::test]
async fn a_client_that_was_never_there_is_not_found() {
    let mut world = start().await;
    for target in ["/connections/unknown", "/connections/unknown/subscriptions"] {
        assert_not_found(&world.get(target).await, NOT_FOUND);
    }
    assert_not_found(&world.delete("/connections/unknown").await, NOT_FOUND);
}

#[tokio::test]
async fn client_ids_have_128_characters_and_no_dollar_in_front() {
    let mut world = start().await;
    let id = "é".repeat(128);
    world.emulator.add_client(ConnectedClient::new(&id));
    let escaped = "%C3%A9".repeat(128);
    assert_eq!(document(&world.get(&format!("/connections/{escaped}")).await)["clientId"], id.as_str());
    for bad in [&format!("{escaped}x"), "$a", "%24a", "%zz"] {
        for target in ["", "/subscriptions"] {
            let response = world.get(&format!("/connections/{bad}{target}")).await;
            assert_invalid(&response, "Invalid client ID");
        }
        assert_invalid(&world.delete(&format!("/connections/{bad}")).await, "Invalid client ID");
        let message = world.post(&format!("/connections/{bad}/messages?topic=t"), "").await;
        assert_invalid(&message, "Invalid client ID");
    }
    assert_not_found(&world.get("/connections/%2E%2E").await, "Not Found");
    assert_not_found(&world.get("/connections/a/b").await, "Not Found");
}
