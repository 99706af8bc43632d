//! Trouble by chance is the same trouble again with the same seed, and a client that does what it should gets through.

use serde_json::Value;
use thingpost_emulator::{AliyunChaos, AliyunStrike, Chaos, Disposition};

use crate::aliyun_world::{BYTES, World, signed, world, world_with};

const TOPIC: &str = "/topic/pk/device/user/up";

/// Publishes with this token, and says what it was told.
async fn told(world: &World, token: &str) -> u64 {
    let response = world.publish(token, TOPIC, b"x").await;
    serde_json::from_str::<Value>(&response.body).unwrap()["code"].as_u64().unwrap()
}

/// What each of so many attempts to publish was told, by a client that asks for a new token whenever it was refused.
async fn told_with_new_tokens(world: &World, attempts: usize) -> Vec<u64> {
    let mut token = world.token().await;
    let mut codes = Vec::new();
    for _ in 0..attempts {
        let code = told(world, &token).await;
        codes.push(code);
        if code != 0 {
            token = world.token().await;
        }
    }
    codes
}

#[tokio::test]
async fn the_same_seed_is_the_same_trouble() {
    let plan = AliyunChaos { every: 2..=4, ..AliyunChaos::new(42) };
    let (first, second, other) = (world().await, world().await, world().await);
    first.emulator.chaos(plan.clone());
    second.emulator.chaos(plan.clone());
    other.emulator.chaos(AliyunChaos { seed: 43, ..plan });
    let codes = told_with_new_tokens(&first, 40).await;
    assert_eq!(codes, told_with_new_tokens(&second, 40).await);
    assert_ne!(codes, told_with_new_tokens(&other, 40).await);
    assert_eq!(first.emulator.strikes(), second.emulator.strikes());

    let codes_of_strikes: Vec<u64> = codes.iter().copied().filter(|&code| code != 0).collect();
    let expected: Vec<u64> = first
        .emulator
        .strikes()
        .iter()
        .map(|strike| if *strike == AliyunStrike::Revoke { 20003 } else { 20001 })
        .collect();
    assert_eq!(codes_of_strikes, expected);
    assert!(codes.windows(2).all(|pair| pair[0] == 0 || pair[1] == 0), "{codes:?}");
    // Nothing that was struck was taken.
    assert_eq!(first.emulator.ledger().accepted().len(), codes.iter().filter(|&&code| code == 0).count());
}

#[tokio::test]
async fn what_was_refused_for_another_reason_does_not_disturb_the_order() {
    let world = world().await;
    let revoked = world.token().await;
    world.emulator.revoke_tokens();
    world.emulator.chaos(AliyunChaos { every: 3..=3, strikes: vec![AliyunStrike::Revoke], ..AliyunChaos::new(1) });
    let mut token = world.token().await;
    for _ in 0..3 {
        for expected in [0, 0, 20003] {
            assert_eq!(told(&world, &revoked).await, 20003);
            let foreign = world.publish(&token, "/topic/pk/neighbour/user/up", b"x").await;
            assert!(foreign.body.contains("30001"), "{}", foreign.body);
            assert_eq!(told(&world, &token).await, expected);
        }
        // The strike has ended the token, not only the message.
        assert_eq!(told(&world, &token).await, 20003);
        token = world.token().await;
    }
    assert_eq!(world.emulator.strikes(), [AliyunStrike::Revoke; 3]);
}

#[tokio::test]
async fn a_strike_ends_the_tokens_of_the_device_that_it_meets_and_of_no_other() {
    let world = world().await;
    world.emulator.add_device("pk", "neighbour", "other");
    let (one, two) = (world.token().await, world.token().await);
    let other = world.token_of("neighbour", "other").await;
    world.emulator.chaos(AliyunChaos { every: 2..=2, strikes: vec![AliyunStrike::Expire], ..AliyunChaos::new(1) });
    let neighbour = async || world.publish(&other, "/topic/pk/neighbour/user/up", b"x").await.body;
    assert!(neighbour().await.starts_with(r#"{"code":0,"#));
    assert_eq!(told(&world, &one).await, 20001);
    world.emulator.calm();
    assert_eq!(told(&world, &two).await, 20001);
    assert!(neighbour().await.starts_with(r#"{"code":0,"#));
}

#[tokio::test]
async fn a_refusal_leaves_the_token_and_a_refused_authentication_follows_a_revocation() {
    let world = world().await;
    let token = world.token().await;
    world.emulator.chaos(AliyunChaos { every: 1..=1, strikes: vec![AliyunStrike::Refuse(40000)], seed: 1 });
    assert_eq!(told(&world, &token).await, 40000);
    world.emulator.calm();
    assert_eq!(told(&world, &token).await, 0);

    let strikes = vec![AliyunStrike::RevokeAndRefuseAuthentication(20004)];
    world.emulator.chaos(AliyunChaos { every: 1..=1, strikes, seed: 1 });
    assert_eq!(told(&world, &token).await, 20003);
    world.emulator.calm();
    assert_eq!(world.auth(&signed(&[])).await.body, r#"{"code":20004,"message":"update session error"}"#);
    let token = world.token().await;
    assert_eq!(told(&world, &token).await, 0);
}

#[tokio::test]
async fn a_client_that_authenticates_once_and_sends_once_more_loses_and_doubles_nothing() {
    let world = world_with(|options| options.keep_alive = true).await;
    world.emulator.chaos(AliyunChaos::new(2026));
    let mut token = world.token().await;
    let mut connection = world.connect().await;
    for number in 0..300 {
        let payload = format!("{number}");
        for attempt in 0.. {
            assert!(attempt < 2, "{number}");
            let headers = format!("{BYTES}password: {token}\r\n");
            let response = connection.post(TOPIC, &headers, payload.as_bytes()).await.unwrap();
            if response.body.starts_with(r#"{"code":0,"#) {
                break;
            }
            token = world.token().await;
        }
    }
    let payloads: Vec<Vec<u8>> = world.emulator.ledger().accepted().into_iter().map(|entry| entry.payload).collect();
    assert_eq!(payloads, (0..300).map(|number| format!("{number}").into_bytes()).collect::<Vec<_>>());
    let refused = |d: &Disposition| matches!(d, Disposition::Refused { .. });
    let refusals = world.emulator.ledger().entries().iter().filter(|entry| refused(&entry.disposition)).count();
    let strikes = world.emulator.strikes().len();
    assert!(strikes > 10, "{strikes}");
    assert_eq!(refusals, strikes);
    assert_eq!(world.emulator.authentications_of("pk", "device").succeeded, strikes + 1);
}

#[tokio::test]
async fn a_new_token_ends_the_older_one_for_as_long_as_the_day_is_bad() {
    let world = world().await;
    world.emulator.chaos(Chaos { one_token: true, ..Chaos::default() });
    let (older, newer) = (world.token().await, world.token().await);
    assert_eq!((told(&world, &older).await, told(&world, &newer).await), (20003, 0));
    world.emulator.calm();
    let newest = world.token().await;
    assert_eq!((told(&world, &newer).await, told(&world, &newest).await), (0, 0));
}

#[tokio::test]
async fn tokens_end_at_every_so_many_messages() {
    let world = world().await;
    world.emulator.chaos("revoke-every=3".parse::<Chaos>().unwrap());
    let codes = told_with_new_tokens(&world, 9).await;
    assert_eq!(codes, [0, 0, 20003, 0, 0, 20003, 0, 0, 20003]);
    assert_eq!(world.emulator.ledger().accepted().len(), 6);
}
