//! Many messages at once: each has its own outcome, in its own place, and together they cost no more than they must.

use std::time::Duration;

use thingpost_emulator::{AnswerFault, Break, Entry, Fault, HandshakeFault};
use thingpost_host::PoolLimits;
use thingpost_host::runtime::types::{Cause, Delivery, Error, Message, Options, Qos, Receipt};
use thingpost_patience::patience;
use tokio::task::JoinSet;

use crate::fixtures::agreement::{assert_agrees, is_receipt_of};
use crate::fixtures::aliyun::{AliyunCloud, TOPIC, config};
use crate::fixtures::cloud::{Cloud, Kind};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, patterned};

const KINDS: [Kind; 3] = [Kind::Aws, Kind::Aliyun, Kind::AliyunKeepAlive];

const COUNT: usize = 300;

const MAX_IN_FLIGHT: u32 = 8;

fn narrow() -> Options {
    Options { max_in_flight: Some(MAX_IN_FLIGHT), ..options() }
}

/// Each with a payload of its own, of different lengths, with both qualities of service.
fn messages(topic: &str, count: usize) -> Vec<Message> {
    let qos = |index: usize| if index.is_multiple_of(2) { Qos::AtMostOnce } else { Qos::AtLeastOnce };
    (0..count)
        .map(|index| {
            let payload = format!("{index}:{}", "x".repeat(index % 97 * 11));
            Message { qos: qos(index), ..at_least_once(topic, payload) }
        })
        .collect()
}

/// Every message was accepted exactly once, and each receipt is that of its own message.
fn assert_all_delivered(messages: &[Message], outcomes: &[Result<Receipt, Error>], accepted: &[Entry]) {
    assert_eq!((outcomes.len(), accepted.len()), (messages.len(), messages.len()));
    for (message, outcome) in messages.iter().zip(outcomes) {
        let own: Vec<&Entry> = accepted.iter().filter(|entry| entry.payload == message.payload).collect();
        let [entry] = own[..] else { panic!("{} entries for one message", own.len()) };
        let receipt = outcome.as_ref().unwrap();
        assert!(is_receipt_of(receipt, entry), "{receipt:?} is not of {entry:?}");
    }
}

#[tokio::test]
async fn hundreds_of_messages_arrive_once_each_with_their_receipts_in_order() {
    within(async {
        for kind in KINDS {
            let cloud = Cloud::start(kind).await;
            let mut publisher = cloud.open(&narrow()).await;
            let messages = messages(cloud.topic(), COUNT);
            let outcomes = publisher.publish_all(&messages).await.unwrap();
            assert_all_delivered(&messages, &outcomes, &cloud.ledger().entries());

            let kept = !matches!(kind, Kind::Aliyun);
            let most = if kept { u64::from(MAX_IN_FLIGHT) } else { COUNT as u64 + 1 };
            assert!((2..=most).contains(&cloud.connections()), "{} connections", cloud.connections());
            if let Cloud::Aliyun(cloud) = &cloud {
                assert_eq!(cloud.emulator.authentications(), 1);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_more_than_the_host_has_connections_waits_for_its_turn() {
    within(async {
        let options = Options { max_in_flight: Some(100), ..options() };
        for kind in KINDS {
            let cloud = Cloud::start(kind).await;
            let mut publisher = cloud.open(&options).await;
            let messages = messages(cloud.topic(), COUNT);
            let outcomes = publisher.publish_all(&messages).await.unwrap();
            assert_all_delivered(&messages, &outcomes, &cloud.ledger().entries());
            let each_once = |outcome: &Result<Receipt, Error>| outcome.as_ref().is_ok_and(|r| r.attempts == 1);
            assert!(outcomes.iter().all(each_once));
            let kept = !matches!(kind, Kind::Aliyun);
            let most = PoolLimits::default().connections_per_key as u64;
            assert!(!kept || cloud.connections() <= most, "{} connections", cloud.connections());
        }
    })
    .await;
}

#[tokio::test]
async fn many_of_the_largest_payloads_arrive_whole() {
    within(async {
        for kind in KINDS {
            let cloud = Cloud::start(kind).await;
            let mut publisher = cloud.open(&options()).await;
            let payload = |index: usize| patterned(131_072 + index).split_off(index);
            let messages: Vec<Message> = (0..48).map(|index| at_least_once(cloud.topic(), payload(index))).collect();
            let outcomes = publisher.publish_all(&messages).await.unwrap();
            assert_all_delivered(&messages, &outcomes, &cloud.ledger().entries());
        }
    })
    .await;
}

#[tokio::test]
async fn no_messages_need_no_connection() {
    within(async {
        for kind in KINDS {
            let cloud = Cloud::start(kind).await;
            let outcomes = cloud.open(&narrow()).await.publish_all(&[]).await.unwrap();
            assert!(outcomes.is_empty());
            assert_eq!(cloud.connections(), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn bad_messages_among_good_ones_fail_alone_and_in_their_places() {
    within(async {
        for kind in KINDS {
            let cloud = Cloud::start(kind).await;
            let mut publisher = cloud.open(&narrow()).await;
            let mut messages = messages(cloud.topic(), 60);
            for index in (0..60).step_by(3) {
                messages[index].topic = "a/+/b".to_owned();
            }
            for index in (1..60).step_by(15) {
                messages[index].payload = vec![0; 131_073];
            }
            let outcomes = publisher.publish_all(&messages).await.unwrap();
            let entries = cloud.ledger().entries();
            for (index, (message, outcome)) in messages.iter().zip(&outcomes).enumerate() {
                assert_agrees(message, outcome, &entries);
                let is_good = index % 3 != 0 && index % 15 != 1;
                match outcome {
                    Ok(_) => assert!(is_good, "{index}"),
                    Err(error) => {
                        assert!(!is_good && error.delivery == Delivery::NotSent, "{index}: {error:?}");
                        let too_large = error.cause == Cause::PayloadTooLarge;
                        assert_eq!(too_large, index % 3 != 0, "{index}: {error:?}");
                    }
                }
            }
            assert_eq!(entries.len(), 36);
        }
    })
    .await;
}

#[tokio::test]
async fn tokens_that_end_in_the_middle_are_replaced_once_for_everybody() {
    within(async {
        for revoked in [false, true] {
            let cloud = AliyunCloud::start().await;
            let mut publisher = cloud.open(config(), &narrow(), None).await;
            let messages = messages(TOPIC, COUNT);
            let ledger = cloud.emulator.ledger();
            let end_of_tokens = async {
                ledger.wait_for(COUNT / 3, patience()).await.unwrap();
                // One hears of it late, when there is a new token already, which is not to be thrown away.
                let delay = Duration::from_millis(1);
                cloud.emulator.faults().push(Fault::InAnswer(AnswerFault::SlowBytes { delay }), 1);
                if revoked { cloud.emulator.revoke_tokens() } else { cloud.emulator.expire_tokens() }
            };
            let (outcomes, ()) = tokio::join!(publisher.publish_all(&messages), end_of_tokens);

            assert_all_delivered(&messages, &outcomes.unwrap(), &ledger.accepted());
            assert_eq!(cloud.emulator.authentications(), 2);
            let refused = cloud.refusals();
            assert!((1..=MAX_IN_FLIGHT as usize).contains(&refused.len()), "{refused:?}");
        }
    })
    .await;
}

/// Faults of every phase, drawn so that each run of the tests meets the same ones.
fn mixed_faults(mut state: u64) -> impl Iterator<Item = Fault> {
    let answer = |status| Fault::Answer { status, headers: vec![], body: vec![] };
    let faults = vec![
        Fault::AtAccept(Break::Close),
        Fault::AtAccept(Break::Reset),
        Fault::InHandshake(HandshakeFault::Close),
        Fault::InHandshake(HandshakeFault::Garbage),
        Fault::BeforeAcceptance(Break::Close),
        Fault::BeforeAcceptance(Break::Reset),
        Fault::AfterAcceptance(Break::Close),
        Fault::AfterAcceptance(Break::Reset),
        Fault::AfterAcceptance(Break::Stall),
        Fault::InAnswer(AnswerFault::Garbage),
        Fault::InAnswer(AnswerFault::HalfHead),
        Fault::InAnswer(AnswerFault::ShortBody),
        Fault::InAnswer(AnswerFault::HalfClose),
        Fault::InAnswer(AnswerFault::LargeBody { megabytes: 1 }),
        Fault::AnswerAfterAcceptance { status: 504, headers: vec![], body: vec![] },
        Fault::CloseWhenIdle,
        answer(429),
        answer(500),
        answer(503),
        answer(403),
    ];
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        faults[(state >> 33) as usize % faults.len()].clone()
    })
}

async fn strike_a_batch(kind: Kind, seed: u64) {
    let options = Options { timeout_ms: Some(10_000), max_in_flight: Some(16), ..options() };
    let cloud = Cloud::start(kind).await;
    let mut publisher = cloud.open(&options).await;
    publisher.publish(&at_least_once(cloud.topic(), b"before")).await.unwrap().unwrap();
    // Between any two, others get through: while nothing does, there is one request in a second.
    for fault in mixed_faults(seed).take(60) {
        cloud.faults().push(Fault::CloseWhenIdle, 2);
        cloud.faults().push(fault, 1);
    }
    let messages = messages(cloud.topic(), COUNT);
    let outcomes = publisher.publish_all(&messages).await.unwrap();
    let entries = cloud.ledger().entries();
    for (message, outcome) in messages.iter().zip(&outcomes) {
        assert_agrees(message, outcome, &entries);
    }
    let delivered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!((COUNT / 2..COUNT).contains(&delivered), "{kind:?}, {seed}: {delivered} delivered");
}

#[tokio::test]
async fn whatever_strikes_a_batch_every_outcome_agrees_with_the_ledger() {
    within(async {
        let mut batches = JoinSet::new();
        for (seed, kind) in KINDS.into_iter().cycle().take(9).enumerate() {
            batches.spawn(strike_a_batch(kind, seed as u64));
        }
        batches.join_all().await;
    })
    .await;
}
