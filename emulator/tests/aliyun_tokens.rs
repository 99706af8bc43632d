//! The ways in which a token of Aliyun's can end, and who asked for how many.

use std::time::Duration;

use serde_json::Value;
use thingpost_emulator::{AliyunAuthentications, AnswerFault, Break, Device, Fault, TokenForm};

use crate::aliyun_world::{JSON, World, signed, true_time_ms, world, world_with};
use crate::client::post;

const SUCCESS: u64 = 0;
const EXPIRED: u64 = 20001;
const REVOKED: u64 = 20003;

/// What a device is told that publishes with this token.
async fn told(world: &World, device_name: &str, token: &str) -> u64 {
    let response = world.publish(token, &format!("/topic/pk/{device_name}/user/up"), b"x").await;
    serde_json::from_str::<Value>(&response.body).unwrap()["code"].as_u64().unwrap()
}

#[tokio::test]
async fn the_tokens_of_one_device_end_without_those_of_another() {
    let world = world().await;
    world.emulator.add_device("pk", "neighbour", "other");
    let own = [world.token().await, world.token().await];
    let other = world.token_of("neighbour", "other").await;

    world.emulator.expire_tokens_of("pk", "device");
    for token in &own {
        assert_eq!(told(&world, "device", token).await, EXPIRED);
    }
    assert_eq!(told(&world, "neighbour", &other).await, SUCCESS);

    let new = world.token().await;
    assert_eq!(told(&world, "device", &new).await, SUCCESS);
    world.emulator.revoke_tokens_of("pk", "device");
    for token in [&own[0], &own[1], &new] {
        assert_eq!(told(&world, "device", token).await, REVOKED);
    }
    assert_eq!(told(&world, "neighbour", &other).await, SUCCESS);

    world.emulator.revoke_tokens();
    assert_eq!(told(&world, "neighbour", &other).await, REVOKED);
}

#[tokio::test]
async fn the_ledger_knows_whose_a_token_was_after_its_end() {
    let world = world().await;
    let token = world.token().await;
    world.emulator.revoke_tokens();
    assert_eq!(told(&world, "device", &token).await, REVOKED);
    assert_eq!(told(&world, "device", "made-up").await, REVOKED);
    let devices: Vec<_> = world.emulator.ledger().entries().into_iter().map(|entry| entry.device).collect();
    let device = Device::Aliyun { product_key: "pk".to_owned(), device_name: "device".to_owned() };
    assert_eq!(devices, [Some(device), None]);
}

#[tokio::test]
async fn on_request_a_new_token_revokes_the_older_ones_of_its_device() {
    let world = world().await;
    world.emulator.add_device("pk", "neighbour", "other");
    let other = world.token_of("neighbour", "other").await;
    let before = world.token().await;
    world.emulator.keep_only_the_latest_token(true);
    assert_eq!(told(&world, "device", &before).await, SUCCESS);

    let first = world.token().await;
    assert_eq!(told(&world, "device", &before).await, REVOKED);
    assert_eq!(told(&world, "device", &first).await, SUCCESS);
    // A refused authentication ends nothing.
    world.emulator.next_authentication_code(40000);
    world.auth(&signed(&[])).await;
    assert_eq!(told(&world, "device", &first).await, SUCCESS);
    let second = world.token().await;
    assert_eq!(told(&world, "device", &first).await, REVOKED);
    assert_eq!(told(&world, "device", &second).await, SUCCESS);
    assert_eq!(told(&world, "neighbour", &other).await, SUCCESS);

    world.emulator.keep_only_the_latest_token(false);
    world.token().await;
    assert_eq!(told(&world, "device", &second).await, SUCCESS);
}

#[tokio::test]
async fn an_old_token_says_the_lifetime_that_was_asked_for() {
    let world = world_with(|options| options.token_form = TokenForm::ThreeParts).await;
    world.emulator.set_token_lifetime(Duration::from_secs(100));
    let shift = 1_000_000;
    world.emulator.shift_clock_ms(shift);
    let token = world.token().await;
    let middle = token.split('.').nth(1).unwrap();
    let middle: Value = serde_json::from_slice(&decode_base64_url(middle)).unwrap();
    let left = middle["expire"].as_u64().unwrap() - (true_time_ms() + shift as u64);
    assert!((90_000..=100_000).contains(&left), "{left}");
    world.emulator.shift_clock_ms(shift + 101_000);
    assert_eq!(told(&world, "device", &token).await, EXPIRED);
}

fn decode_base64_url(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = text
        .bytes()
        .flat_map(|digit| {
            let value = DIGITS.iter().position(|&known| known == digit).unwrap();
            (0..6).rev().map(move |bit| (value >> bit & 1) as u8)
        })
        .collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | bit)).collect()
}

#[tokio::test]
async fn authentications_are_counted_by_the_device_that_they_name() {
    let world = world().await;
    world.emulator.add_device("pk", "neighbour", "other");
    world.token().await;
    world.token().await;
    world.token_of("neighbour", "other").await;
    let wrong = world.auth(&signed(&[("timestamp", "1")])).await;
    assert!(wrong.body.contains("20000"), "{}", wrong.body);
    world.emulator.next_authentication_code(40000);
    world.auth(&signed(&[])).await;
    world.auth("no json").await;
    world.emulator.faults().push_at_authentication(Fault::BeforeAcceptance(Break::Close), 1);
    let mut dropped = world.connect().await;
    dropped.send(&post("/auth", JSON, signed(&[]).as_bytes())).await.unwrap();
    assert_eq!(dropped.rest().await.unwrap(), b"");

    let count = |name| world.emulator.authentications_of("pk", name);
    assert_eq!(count("device"), AliyunAuthentications { decided: 4, succeeded: 2, most_at_once: 1 });
    assert_eq!(count("neighbour"), AliyunAuthentications { decided: 1, succeeded: 1, most_at_once: 1 });
    assert_eq!(count("nobody"), AliyunAuthentications::default());
    assert_eq!(world.emulator.authentications(), 6);
}

#[tokio::test]
async fn authentications_that_meet_are_told_from_those_that_follow_each_other() {
    let world = world_with(|options| options.keep_alive = true).await;
    world.emulator.add_device("pk", "neighbour", "other");
    let delay = Duration::from_millis(1);
    world.emulator.faults().push_at_authentication(Fault::InAnswer(AnswerFault::SlowBytes { delay }), 5);
    // The next one is sent when the last byte is there, as fast as can be.
    let mut connection = world.connect().await;
    for _ in 0..2 {
        connection.post("/auth", JSON, signed(&[]).as_bytes()).await.unwrap();
    }
    assert_eq!(world.emulator.authentications_of("pk", "device").most_at_once, 1);

    let (one, two, other) = tokio::join!(world.token(), world.token(), world.token_of("neighbour", "other"));
    assert!(one != two && two != other);
    let count = |name| world.emulator.authentications_of("pk", name).most_at_once;
    assert_eq!((count("device"), count("neighbour")), (2, 1));
}
