//! What shadows are after updates and deletions.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use thingpost_emulator::AwsEmulator;

use crate::client::Response;
use crate::data_plane::{DataPlane, assert_not_found, document};

const SHADOW: &str = "/things/thermometer-7/shadow";
const LIST: &str = "/api/things/shadow/ListNamedShadowsForThing/thermometer-7";

/// Sets the emulator's clock to about that many seconds after 1970.
fn set_clock(emulator: &AwsEmulator, seconds: i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    // The middle of the second, so that no test is so slow that it meets the next one.
    emulator.shift_clock_ms(seconds * 1000 + 500 - now);
}

/// The document without the times, which only say when the test ran.
fn timeless(response: &Response) -> Value {
    let mut document = document(response);
    let members = document.as_object_mut().unwrap();
    assert!(members.remove("timestamp").unwrap().is_u64());
    members.remove("metadata");
    document
}

#[tokio::test]
async fn an_accepted_update_repeats_what_was_asked_for_with_the_time_and_the_version() {
    let mut world = DataPlane::start().await;
    set_clock(&world.emulator, 1_488_565_881);
    let update = r#"{"state":{"desired":{"led":"on","rgb":[1,2]},"reported":null},"clientToken":"a\"b","version":0}"#;
    let response = world.post(SHADOW, update).await;
    let stamp = r#"{"timestamp":1488565881}"#;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    assert!(response.head.starts_with(head), "{response:?}");
    assert_eq!(response.header("date"), Some("Fri, 03 Mar 2017 18:31:21 GMT"));
    let expected = [
        r#"{"state":{"desired":{"led":"on","rgb":[1,2]},"reported":null},"#,
        &format!(r#""metadata":{{"desired":{{"led":{stamp},"rgb":[{stamp},{stamp}]}}}},"#),
        r#""version":1,"timestamp":1488565881,"clientToken":"a\"b"}"#,
    ];
    assert_eq!(response.body, expected.concat());
}

#[tokio::test]
async fn a_read_has_all_of_the_state_the_difference_and_when_each_leaf_was_written() {
    let mut world = DataPlane::start().await;
    set_clock(&world.emulator, 1000);
    world.post(SHADOW, r#"{"state":{"desired":{"led":"on","fan":{"speed":3,"mode":"auto"}}}}"#).await;
    set_clock(&world.emulator, 2000);
    world.post(SHADOW, r#"{"state":{"reported":{"led":"on","fan":{"speed":2,"mode":"auto"},"up":1}}}"#).await;
    set_clock(&world.emulator, 3000);
    let fan = |at: u64| json!({"speed": {"timestamp": at}, "mode": {"timestamp": at}});
    let expected = json!({
        "state": {
            "desired": {"led": "on", "fan": {"speed": 3, "mode": "auto"}},
            "reported": {"led": "on", "fan": {"speed": 2, "mode": "auto"}, "up": 1},
            "delta": {"fan": {"speed": 3}},
        },
        "metadata": {
            "desired": {"led": {"timestamp": 1000}, "fan": fan(1000)},
            "reported": {"led": {"timestamp": 2000}, "fan": fan(2000), "up": {"timestamp": 2000}},
        },
        "version": 2,
        "timestamp": 3000,
    });
    assert_eq!(document(&world.get(SHADOW).await), expected);
}

#[tokio::test]
async fn updates_are_merged_and_null_takes_away() {
    let mut world = DataPlane::start().await;
    world.post(SHADOW, r#"{"state":{"desired":{"a":{"x":1,"y":2},"b":1,"list":[1,2,3]}}}"#).await;
    world.post(SHADOW, r#"{"state":{"desired":{"a":{"x":null,"z":3},"b":null,"list":[4],"never":null}}}"#).await;
    let state = json!({"desired": {"a": {"y": 2, "z": 3}, "list": [4]}, "delta": {"a": {"y": 2, "z": 3}, "list": [4]}});
    assert_eq!(timeless(&world.get(SHADOW).await), json!({"state": state, "version": 2}));

    world.post(SHADOW, r#"{"state":{"desired":null,"reported":{"a":1}}}"#).await;
    assert_eq!(timeless(&world.get(SHADOW).await), json!({"state": {"reported": {"a": 1}}, "version": 3}));
    world.post(SHADOW, r#"{"state":null}"#).await;
    assert_eq!(timeless(&world.get(SHADOW).await), json!({"state": {}, "version": 4}));
    assert_eq!(timeless(&world.post(SHADOW, r#"{"state":{}}"#).await), json!({"state": {}, "version": 5}));
}

#[tokio::test]
async fn shadows_of_other_names_and_other_things_are_other_shadows() {
    let mut world = DataPlane::start().await;
    let targets = [
        SHADOW.to_owned(),
        format!("{SHADOW}?name=$package"),
        format!("{SHADOW}?name=a%3Ab"),
        "/things/other%3Athing/shadow".to_owned(),
    ];
    for (number, target) in targets.iter().enumerate() {
        let update = format!(r#"{{"state":{{"reported":{{"number":{number}}}}}}}"#);
        assert_eq!(document(&world.post(target, &update).await)["version"], 1);
    }
    for (number, target) in targets.iter().enumerate() {
        assert_eq!(document(&world.get(target).await)["state"], json!({"reported": {"number": number}}));
    }
    assert_eq!(document(&world.get("/things/other:thing/shadow").await)["version"], 1);
}

#[tokio::test]
async fn a_deletion_does_not_reset_the_version() {
    let mut world = DataPlane::start().await;
    let update = r#"{"state":{"desired":{"a":1}}}"#;
    world.post(SHADOW, update).await;
    world.post(SHADOW, update).await;
    assert_eq!(timeless(&world.delete(SHADOW).await), json!({"version": 2}));

    let gone = "No shadow exists with name: 'thermometer-7'";
    assert_not_found(&world.get(SHADOW).await, gone);
    assert_not_found(&world.delete(SHADOW).await, gone);
    let response = world.post(SHADOW, r#"{"state":{"reported":{"b":1}},"version":2}"#).await;
    assert_eq!(timeless(&response), json!({"state": {"reported": {"b": 1}}, "version": 3}));
    assert_eq!(timeless(&world.get(SHADOW).await), json!({"state": {"reported": {"b": 1}}, "version": 3}));
}

#[tokio::test]
async fn what_was_never_there_is_not_found_by_its_name() {
    let mut world = DataPlane::start().await;
    world.post(SHADOW, r#"{"state":{}}"#).await;
    let named = format!("{SHADOW}?name=config");
    for response in [world.get(&named).await, world.delete(&named).await] {
        assert_not_found(&response, "No shadow exists with name: 'thermometer-7~config'");
    }
    assert_not_found(&world.get("/things/other/shadow").await, "No shadow exists with name: 'other'");
}

#[tokio::test]
async fn the_list_has_the_named_shadows_of_one_thing_that_are_there() {
    let mut world = DataPlane::start().await;
    assert_eq!(timeless(&world.get(LIST).await), json!({"results": []}));
    for target in ["", "?name=b", "?name=a", "?name=gone"] {
        world.post(&format!("{SHADOW}{target}"), r#"{"state":{}}"#).await;
    }
    world.post("/things/other/shadow?name=c", r#"{"state":{}}"#).await;
    world.delete(&format!("{SHADOW}?name=gone")).await;
    assert_eq!(timeless(&world.get(LIST).await), json!({"results": ["a", "b"]}));
}

#[tokio::test]
async fn the_list_comes_in_pages_and_the_last_one_has_no_token() {
    let mut world = DataPlane::start().await;
    for number in 0..26 {
        world.post(&format!("{SHADOW}?name=shadow-{number:02}"), r#"{"state":{}}"#).await;
    }
    let first = document(&world.get(LIST).await);
    assert_eq!(first["results"].as_array().unwrap().len(), 25);
    let token = first["nextToken"].as_str().unwrap();
    let escaped = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let last = world.get(&format!("{LIST}?nextToken={escaped}&pageSize=1")).await;
    assert_eq!(timeless(&last), json!({"results": ["shadow-25"]}));

    // A plus that is not escaped is a blank.
    assert_eq!(world.get(&format!("{LIST}?nextToken={token}")).await.status(), 400);
    assert_eq!(document(&world.get(&format!("{LIST}?pageSize=100&nextToken=")).await)["nextToken"], Value::Null);
}
