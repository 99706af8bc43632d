//! What AWS does not take for an update of a shadow, or for the name of one.

use serde_json::Value;

use crate::data_plane::{DataPlane, assert_invalid, assert_refused, document};

const SHADOW: &str = "/things/t/shadow";

#[tokio::test]
async fn an_update_of_another_version_is_a_conflict_and_changes_nothing() {
    let mut world = DataPlane::start().await;
    let conflict = (409, "ConflictException", "Version conflict");
    let response = world.post(SHADOW, r#"{"state":{},"version":1}"#).await;
    assert_refused(&response, conflict.0, conflict.1, conflict.2);
    world.post(SHADOW, r#"{"state":{"desired":{"a":1}},"version":0}"#).await;
    for version in [0, 2] {
        let response = world.post(SHADOW, &format!(r#"{{"state":{{"desired":{{"a":2}}}},"version":{version}}}"#)).await;
        assert_eq!(response.status_line(), "HTTP/1.1 409 Conflict");
        assert_refused(&response, conflict.0, conflict.1, conflict.2);
    }
    assert_eq!(document(&world.get(SHADOW).await)["state"]["desired"]["a"], 1);
    assert_eq!(world.post(SHADOW, r#"{"state":{},"version":1}"#).await.status(), 200);
}

#[tokio::test]
async fn a_document_that_is_no_update_is_told_why() {
    let mut world = DataPlane::start().await;
    let long_token = format!(r#"{{"state":{{}},"clientToken":"{}"}}"#, "x".repeat(65));
    for (body, message) in [
        ("", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("[]", "Invalid JSON"),
        ("{}", "Missing required node: state"),
        (r#"{"desired":{}}"#, "Missing required node: state"),
        (r#"{"state":[]}"#, "State node must be an object"),
        (r#"{"state":{"desired":1}}"#, "Desired node must be an object"),
        (r#"{"state":{"reported":[]}}"#, "Reported node must be an object"),
        (r#"{"state":{"delta":{}}}"#, "State contains an invalid node"),
        (r#"{"state":{"desired":{"a":[1,null]}}}"#, "State contains an invalid node"),
        (r#"{"state":{},"version":"1"}"#, "Invalid version"),
        (r#"{"state":{},"version":-1}"#, "Invalid version"),
        (r#"{"state":{},"clientToken":1}"#, "Invalid clientToken"),
        (&long_token, "Invalid clientToken"),
    ] {
        assert_invalid(&world.post(SHADOW, body).await, message);
    }
    let binary = world.post_with_headers(SHADOW, "", b"{\"state\":{\"desired\":{\"a\":\"\xff\"}}}").await;
    let message = "Unsupported documented encoding; supported encoding is UTF-8";
    assert_refused(&binary, 415, "UnsupportedDocumentEncodingException", message);
    assert_eq!(world.get(SHADOW).await.status(), 404);
}

#[tokio::test]
async fn eight_levels_below_a_section_are_taken_and_nine_are_not() {
    let mut world = DataPlane::start().await;
    let nested = |levels: usize| {
        let (open, close) = (r#"{"k":"#.repeat(levels), "}".repeat(levels));
        format!(r#"{{"state":{{"desired":{open}1{close}}}}}"#)
    };
    assert_eq!(world.post(SHADOW, &nested(8)).await.status(), 200);
    assert_invalid(&world.post(SHADOW, &nested(9)).await, "JSON contains too many levels of nesting; maximum is 8");
}

#[tokio::test]
async fn neither_an_update_nor_the_shadow_it_makes_may_have_more_than_8_kib() {
    let mut world = DataPlane::start().await;
    let too_large = "The payload exceeds the maximum size allowed";
    let frame = r#"{"state":{"desired":{"a":""}}}"#.len();
    let update =
        |key: &str, bytes: usize| format!(r#"{{"state":{{"desired":{{"{key}":"{}"}}}}}}"#, "x".repeat(bytes - frame));
    assert_eq!(world.post(SHADOW, &update("a", 8192)).await.status(), 200);
    for body in [update("a", 8193), update("b", 200)] {
        let response = world.post(SHADOW, &body).await;
        assert_refused(&response, 413, "RequestEntityTooLargeException", too_large);
    }
    // Metadata does not count: each of these has four bytes in the state and some 30 in the metadata.
    let leaves: Vec<String> = (0..700).map(|number| format!(r#""{number}":1"#)).collect();
    let many = format!(r#"{{"state":{{"desired":{{{}}}}}}}"#, leaves.join(","));
    assert_eq!(world.post("/things/many/shadow", &many).await.status(), 200);
    assert!(world.get("/things/many/shadow").await.body.len() > 8192);
    assert_eq!(document(&world.get(SHADOW).await)["version"], 1);
}

#[tokio::test]
async fn names_that_nothing_can_have_are_refused() {
    let mut world = DataPlane::start().await;
    let (long_thing, long_name) = ("t".repeat(129), "n".repeat(65));
    for thing in [&long_thing, "a%20b", "a%2Fb", "%C3%A9", "a.b", "%zz"] {
        for target in
            [format!("/things/{thing}/shadow"), format!("/api/things/shadow/ListNamedShadowsForThing/{thing}")]
        {
            assert_invalid(&world.get(&target).await, "Invalid thing name");
        }
    }
    for name in [&long_name, "", "a.b", "a%20b", "%zz"] {
        assert_invalid(&world.get(&format!("{SHADOW}?name={name}")).await, "Invalid shadow name");
    }
    let longest = format!("/things/{}/shadow?name={}", &long_thing[1..], &long_name[1..]);
    assert_eq!(world.post(&longest, r#"{"state":{}}"#).await.status(), 200);
}

#[tokio::test]
async fn a_page_has_1_to_100_names() {
    let mut world = DataPlane::start().await;
    for size in ["0", "101", "", "ten", "-1"] {
        let target = format!("/api/things/shadow/ListNamedShadowsForThing/t?pageSize={size}");
        assert_invalid(&world.get(&target).await, &format!("Invalid pageSize value: {size}"));
    }
    let stale = world.get("/api/things/shadow/ListNamedShadowsForThing/t?nextToken=made-up").await;
    assert_invalid(&stale, "Invalid nextToken");
    let list = document(&world.get("/api/things/shadow/ListNamedShadowsForThing/t?pageSize=1").await);
    assert_eq!(list["results"], Value::Array(vec![]));
}
