//! What Aliyun takes with a token, and what it says to everything else.

use std::time::Duration;

use thingpost_emulator::{Device, Disposition, Listener};

use crate::aliyun_world::{BYTES, world, world_with};

const TOPIC: &str = "/topic/pk/device/user/up";

#[tokio::test]
async fn success_has_the_documented_shape_with_an_id_that_no_double_holds() {
    let world = world().await;
    let token = world.token().await;
    let response = world.publish(&token, TOPIC, b"hello").await;
    assert_eq!(response.status_line(), "HTTP/1.1 200 ");
    assert_eq!(response.header("Connection"), Some("close"));
    assert_eq!(response.body, r#"{"code":0,"message":"success","info":{"messageId":1207967842654323713}}"#);
    let next = world.publish(&token, TOPIC, b"hello").await;
    assert!(next.body.contains("1207967842654323714"), "{}", next.body);

    let entry = &world.emulator.ledger().entries()[0];
    assert_eq!(entry.listener, Listener::Aliyun);
    let device = Device::Aliyun { product_key: "pk".to_owned(), device_name: "device".to_owned() };
    assert_eq!(entry.device, Some(device));
    assert_eq!(entry.topic.as_deref(), Some("/pk/device/user/up"));
    assert_eq!(entry.target, TOPIC);
    assert_eq!(entry.qos, None);
    assert_eq!(entry.payload, b"hello");
    assert_eq!(entry.header("password"), Some(token.as_str()));
    assert_eq!(entry.disposition, Disposition::Accepted { id: "1207967842654323713".to_owned() });
    assert_eq!(entry.trace_id.as_deref(), response.header("EagleEye-TraceId"));
    assert!(!format!("{:?}", world.emulator.ledger()).contains(&token));
}

#[tokio::test]
async fn the_answer_announces_and_makes_the_end_of_the_connection() {
    let world = world().await;
    let mut connection = world.connect().await;
    connection.post(TOPIC, BYTES, b"x").await.unwrap();
    assert_eq!(connection.rest().await.unwrap(), b"");
}

#[tokio::test]
async fn with_keep_alive_a_connection_serves_many_requests() {
    let world = world_with(|options| options.keep_alive = true).await;
    let token = world.token().await;
    let mut connection = world.connect().await;
    for _ in 0..3 {
        let headers = format!("{BYTES}Password: {token}\r\n");
        let response = connection.post(TOPIC, &headers, b"x").await.unwrap();
        assert_eq!(response.header("Connection"), Some("keep-alive"));
    }
    let places: Vec<_> = world.emulator.ledger().accepted().iter().map(|e| (e.connection, e.request)).collect();
    assert_eq!(places, [(2, 1), (2, 2), (2, 3)]);
}

#[tokio::test]
async fn each_end_of_a_token_has_its_own_code() {
    let world = world().await;
    let expired = r#"{"code":20001,"info":{"messageId":1207967842654323713},"message":"token is expired"}"#;
    let null = r#"{"code":20002,"message":"token is null"}"#;
    let unknown = r#"{"code":20003,"message":"check token error"}"#;

    assert_eq!(world.post(TOPIC, BYTES, b"x").await.body, null);
    assert_eq!(world.publish("", TOPIC, b"x").await.body, null);
    assert_eq!(world.publish("made-up", TOPIC, b"x").await.body, unknown);

    let old = world.token().await;
    world.emulator.expire_tokens();
    let response = world.publish(&old, TOPIC, b"x").await;
    assert_eq!(response.body, expired);
    assert_eq!(response.header("Content-Length"), Some("84"));

    let new = world.token().await;
    assert!(world.publish(&new, TOPIC, b"x").await.body.starts_with(r#"{"code":0,"#));
    world.emulator.revoke_tokens();
    assert_eq!(world.publish(&new, TOPIC, b"x").await.body, unknown);
    assert_eq!(world.publish(&old, TOPIC, b"x").await.body, unknown);

    let codes: Vec<_> = world
        .emulator
        .ledger()
        .entries()
        .into_iter()
        .map(|entry| match entry.disposition {
            Disposition::Refused { status: 200, code } => code,
            other => format!("{other:?}"),
        })
        .collect();
    let accepted = r#"Accepted { id: "1207967842654323714" }"#;
    assert_eq!(codes, ["20002", "20002", "20003", "20001", accepted, "20003", "20003"]);
}

#[tokio::test]
async fn a_new_token_leaves_the_old_one_good() {
    let world = world().await;
    let (old, new) = (world.token().await, world.token().await);
    for token in [new, old] {
        assert!(world.publish(&token, TOPIC, b"x").await.body.starts_with(r#"{"code":0,"#));
    }
}

#[tokio::test]
async fn a_token_ends_by_the_clock_of_the_emulator() {
    let world = world().await;
    let week = world.token().await;
    world.emulator.set_token_lifetime(Duration::from_secs(60));
    let minute = world.token().await;
    world.emulator.shift_clock_ms(61_000);
    assert!(world.publish(&minute, TOPIC, b"x").await.body.starts_with(r#"{"code":20001,"#));
    assert!(world.publish(&week, TOPIC, b"x").await.body.starts_with(r#"{"code":0,"#));
    world.emulator.shift_clock_ms(7 * 24 * 3_600_000);
    assert!(world.publish(&week, TOPIC, b"x").await.body.starts_with(r#"{"code":20001,"#));
}

#[tokio::test]
async fn wrong_forms_are_told_10001() {
    let world = world().await;
    let token = world.token().await;
    let long = format!("/topic/pk/device/{}", "x".repeat(120));
    for target in [
        "/topic/pk/device/user/up?qos=1",
        "/topic/pk/device/user/up?",
        "/topic/pk/device/1/2/3/4/5/6",
        "/topic/pk/device//x",
        "/topic/pk/device/%2B",
        "/topic/pk/device/%zz",
        "/topic/",
        &long,
    ] {
        let response = world.publish(&token, target, b"x").await;
        assert_eq!(response.body, r#"{"code":10001,"message":"param error"}"#, "{target}");
    }
    for content_type in ["", "Content-Type: application/json\r\n"] {
        let response = world.post(TOPIC, &format!("{content_type}password: {token}\r\n"), b"x").await;
        assert_eq!(response.body, r#"{"code":10001,"message":"param error"}"#, "{content_type}");
    }
    assert_eq!(world.emulator.ledger().entries().len(), 10);
    assert_eq!(world.emulator.ledger().accepted(), []);
}

#[tokio::test]
async fn a_topic_of_another_device_is_told_30001() {
    let world = world().await;
    world.emulator.add_device("pk", "neighbour", "secret");
    let token = world.token().await;
    for target in [
        "/topic/pk/neighbour/user/up",
        "/topic/sys/pk/neighbour/thing/event/property/post",
        "/topic/ota/device/inform/pk/neighbour",
        "/topic/other/device/user/up",
        "/topic/broadcast/pk/all",
    ] {
        let response = world.publish(&token, target, b"x").await;
        assert_eq!(response.body, r#"{"code":30001,"message":"publish message error"}"#, "{target}");
    }
    // It is put down to who sent it, and the thing model of the neighbour has nothing of it.
    let sender = Device::Aliyun { product_key: "pk".to_owned(), device_name: "device".to_owned() };
    assert!(world.emulator.ledger().entries().iter().all(|entry| entry.device.as_ref() == Some(&sender)));
    assert_eq!(world.emulator.thing_model(), []);
    let own = world.publish(&token, "/topic/sys/pk/device/thing/event/property/post", b"x").await;
    assert!(own.body.starts_with(r#"{"code":0,"#));
}

#[tokio::test]
async fn a_payload_of_128_kib_is_taken_and_one_byte_more_is_not() {
    let world = world().await;
    let token = world.token().await;
    assert!(world.publish(&token, TOPIC, &[7; 131_072]).await.body.starts_with(r#"{"code":0,"#));
    let response = world.publish(&token, TOPIC, &[7; 131_073]).await;
    assert_eq!(response.body, r#"{"code":10001,"message":"param error"}"#);
}

#[tokio::test]
async fn a_body_too_large_to_read_is_answered_readably() {
    let world = world().await;
    let response = world.publish("any", TOPIC, &vec![7; 3 * 1024 * 1024]).await;
    assert_eq!(response.status_line(), "HTTP/1.1 413 Request Entity Too Large");
    let entries = world.emulator.ledger().entries();
    assert_eq!(entries[0].disposition, Disposition::Refused { status: 413, code: String::new() });
}

#[tokio::test]
async fn a_code_on_request_comes_once_and_the_message_is_not_taken() {
    let world = world().await;
    let token = world.token().await;
    for (code, message) in [(10000, "common error"), (30001, "publish message error"), (40000, "request too many")] {
        world.emulator.next_code(code);
        let response = world.publish(&token, TOPIC, b"x").await;
        assert_eq!(response.body, format!(r#"{{"code":{code},"message":"{message}"}}"#));
    }
    assert_eq!(world.emulator.ledger().accepted(), []);
    assert!(world.publish(&token, TOPIC, b"x").await.body.starts_with(r#"{"code":0,"#));
}
