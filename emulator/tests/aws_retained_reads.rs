//! Retained messages as they are read over HTTP.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::data_plane::{DataPlane, assert_invalid, assert_not_found, assert_refused, document};

/// `[{"deviceName":"alpha"},{"deviceCnt":"45"}]`
const USER_PROPERTIES: &str = "W3siZGV2aWNlTmFtZSI6ImFscGhhIn0seyJkZXZpY2VDbnQiOiI0NSJ9XQ==";

/// The document without its time, which was a moment ago.
fn timeless(mut document: Value) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let time = document.as_object_mut().unwrap().remove("lastModifiedTime").unwrap().as_u64().unwrap();
    assert!((now - 60_000..=now).contains(&time), "{time}");
    document
}

#[tokio::test]
async fn a_message_is_read_as_it_was_published() {
    let mut world = DataPlane::start().await;
    let headers = format!("x-amz-mqtt5-user-properties: {USER_PROPERTIES}\r\n");
    world.post_with_headers("/topics/%2Fa%2Fb?retain=true&qos=1", &headers, b"\xfb\xff").await;
    let expected = json!({"topic": "/a/b", "payload": "+/8=", "qos": 1, "userProperties": USER_PROPERTIES});
    assert_eq!(timeless(document(&world.get("/retainedMessage/%2Fa%2Fb").await)), expected);

    // An empty list of properties is none.
    world.post_with_headers("/topics/%2Fa%2Fb?retain=true", "x-amz-mqtt5-user-properties: W10=\r\n", b"x").await;
    let expected = json!({"topic": "/a/b", "payload": "eA==", "qos": 0});
    assert_eq!(timeless(document(&world.get("/retainedMessage/%2Fa%2Fb").await)), expected);
}

#[tokio::test]
async fn a_topic_is_one_segment_and_decoded_once() {
    let mut world = DataPlane::start().await;
    world.post("/topics/a%2Fb?retain=true", "x").await;
    world.post("/topics/a%252Fb?retain=true", "y").await;
    assert_eq!(document(&world.get("/retainedMessage/a%2Fb").await)["payload"], "eA==");
    assert_eq!(document(&world.get("/retainedMessage/a%252Fb").await)["payload"], "eQ==");
    assert_not_found(&world.get("/retainedMessage/a/b").await, "Not Found");
    for topic in ["a%2F%23", "+", "%zz", "%C3"] {
        assert_invalid(&world.get(&format!("/retainedMessage/{topic}")).await, "Invalid topic filter");
    }
}

#[tokio::test]
async fn a_topic_that_retains_nothing_is_not_found() {
    let mut world = DataPlane::start().await;
    let not_found = "Retained message not found";
    assert_not_found(&world.get("/retainedMessage/t").await, not_found);
    world.post("/topics/t?retain=true", "x").await;
    assert_eq!(world.get("/retainedMessage/t").await.status(), 200);
    world.post("/topics/t?retain=true", "").await;
    assert_not_found(&world.get("/retainedMessage/t").await, not_found);
}

#[tokio::test]
async fn the_list_says_everything_but_the_payload_and_its_last_token_is_empty() {
    let mut world = DataPlane::start().await;
    assert_eq!(document(&world.get("/retainedMessage").await), json!({"retainedTopics": [], "nextToken": ""}));
    world.post("/topics/b%2Fc?retain=true&qos=1", "four").await;
    world.post("/topics/a?retain=true", "x").await;
    let mut list = document(&world.get("/retainedMessage").await);
    assert_eq!(list["nextToken"], "");
    let topics: Vec<Value> = list["retainedTopics"].as_array_mut().unwrap().drain(..).map(timeless).collect();
    let expected =
        [json!({"topic": "a", "payloadSize": 1, "qos": 0}), json!({"topic": "b/c", "payloadSize": 4, "qos": 1})];
    assert_eq!(topics, expected);
}

#[tokio::test]
async fn the_list_comes_in_pages_of_1_to_200() {
    let mut world = DataPlane::start().await;
    for topic in ["a", "b", "c"] {
        world.post(&format!("/topics/{topic}?retain=true"), "x").await;
    }
    let mut token = String::new();
    for (topic, last) in [("a", false), ("b", false), ("c", true)] {
        let page = document(&world.get(&format!("/retainedMessage?maxResults=1&nextToken={token}")).await);
        assert_eq!(page["retainedTopics"][0]["topic"], topic);
        assert_eq!(page["retainedTopics"].as_array().unwrap().len(), 1);
        token = page["nextToken"].as_str().unwrap().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        assert_eq!(token.is_empty(), last);
    }
    assert_eq!(world.get("/retainedMessage?maxResults=200").await.status(), 200);
    for count in ["0", "201", "", "all"] {
        let response = world.get(&format!("/retainedMessage?maxResults={count}")).await;
        assert_invalid(&response, &format!("Invalid maxResults value: {count}"));
    }
    assert_invalid(&world.get("/retainedMessage?nextToken=x").await, "Invalid nextToken");
}

#[tokio::test]
async fn whoever_may_not_retain_may_still_publish() {
    let mut world = DataPlane::start().await;
    world.emulator.deny_retain(&world.device.fingerprint);
    for body in ["x", ""] {
        let response = world.post("/topics/t?retain=true", body).await;
        assert_eq!(response.status(), 403);
        assert!(response.body.starts_with(r#"{"message":null,"#), "{response:?}");
    }
    assert_eq!(world.post("/topics/t", "x").await.status(), 200);
    assert_eq!(world.post("/topics/t?retain=false", "x").await.status(), 200);
    assert_eq!(world.emulator.retained(), []);
    assert_eq!(world.emulator.ledger().accepted().len(), 2);

    world.emulator.register(&world.device);
    assert_eq!(world.post("/topics/t?retain=true", "x").await.status(), 200);
    world.emulator.throttle_next(1);
    assert_refused(&world.get("/retainedMessage/t").await, 429, "ThrottlingException", "Rate exceeded");
}
