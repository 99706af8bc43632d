//! Tokens that are taken away: by a platform that ends them early, by one that accepts none, and by another process that
//! authenticates as the same device. Two exchanges against one platform, on one clock.

use super::cloud::{Cloud, Fate, Script};
use super::driver::Drive;
use super::{SEED, aliyun_platform, messages, on_aliyun, payload};
use crate::aliyun::TimestampPolicy;
use crate::error::Cause;
use crate::exchange::{Exchange, Options};
use crate::outcome::Delivery;

fn cloud() -> Cloud {
    Cloud::aliyun(Script::always(Fate::Served), Script::always(Fate::Served))
}

fn drive(seed: u64, count: usize) -> Drive {
    let platform = aliyun_platform(TimestampPolicy::None);
    Drive::new(cloud(), Exchange::new(platform, Options::default(), None, seed, messages(count)).unwrap())
}

/// Both at once, against the platform of the first, to the millisecond.
fn together(one: &mut Drive, other: &mut Drive) {
    let (mut one_is_done, mut other_is_done) = (false, false);
    for now_ms in 0..120_000 {
        one_is_done |= one.until(now_ms);
        std::mem::swap(&mut one.cloud, &mut other.cloud);
        other_is_done |= other.until(now_ms);
        std::mem::swap(&mut one.cloud, &mut other.cloud);
        if one_is_done && other_is_done {
            return;
        }
    }
    panic!("this does not end");
}

#[test]
fn a_token_that_ends_after_37_messages_costs_one_authentication_and_little_time() {
    let mut drive = drive(SEED, 5_000);
    drive.cloud.token_messages = Some(37);
    drive.finish();
    assert_eq!(drive.cloud.total_accepted(), 5_000);
    assert!(drive.cloud.strikes >= 135 && drive.cloud.issued <= drive.cloud.strikes + 1);
    assert!(drive.now_ms < 60_000, "{}", drive.now_ms);
}

#[test]
fn two_that_end_each_others_token_deliver_everything_and_keep_calm() {
    for count in [50, 100, 500, 2_000] {
        for seed in 0..8 {
            let (mut one, mut other) = (drive(seed, count), drive(1_000 + seed, count));
            together(&mut one, &mut other);
            for drive in [&one, &other] {
                assert!(drive.outcomes().into_iter().all(|outcome| outcome.is_ok()));
            }
            assert!((0..count).all(|number| one.cloud.accepted(&payload(number)) == 2));
            assert!(one.cloud.issued <= 12, "{count}: {} authentications", one.cloud.issued);
        }
    }
}

#[test]
fn two_that_end_each_others_token_authenticate_at_most_twice_for_each_that_the_platform_ends() {
    for seed in 0..8 {
        let (mut one, mut other) = (drive(seed, 2_000), drive(1_000 + seed, 2_000));
        one.cloud.token_messages = Some(195);
        together(&mut one, &mut other);
        for drive in [&one, &other] {
            assert!(drive.outcomes().into_iter().all(|outcome| outcome.is_ok()));
        }
        let (issued, strikes) = (one.cloud.issued, one.cloud.strikes);
        assert!(issued <= 2 * strikes + 2, "{issued} authentications for {strikes} strikes");
    }
}

#[test]
fn a_platform_that_rejects_every_token_it_hands_out_is_asked_ever_more_seldom() {
    for code in [20001, 20002, 20003] {
        let cloud = Cloud::aliyun(Script::always(Fate::Answered(code)), Script::always(Fate::Served));
        let mut drive = on_aliyun(cloud, Options::default(), None, messages(1_000));
        drive.finish();
        let begun: Vec<u64> = drive.authentications().iter().map(|sent| sent.at_ms).collect();
        assert!((6..=9).contains(&begun.len()), "{begun:?}");
        assert!(begun.windows(3).skip(1).all(|three| three[2] - three[1] > three[1] - three[0]), "{begun:?}");
        assert!(drive.publications().len() <= 32 + begun.len(), "{}", drive.publications().len());
        assert!((29_900..=30_200).contains(&drive.now_ms), "{}", drive.now_ms);
        for outcome in drive.outcomes() {
            let error = outcome.unwrap_err();
            let delivery = if error.attempts == 0 { Delivery::NotSent } else { Delivery::Refused };
            assert_eq!((error.cause, error.delivery), (Cause::TokenRejected, delivery));
        }
        assert!(drive.exchange.credential().is_none(), "a rejected token is not kept for the next exchange");
    }
}
