//! A wrong clock, where every message carries a signature that ages.

use std::sync::Arc;

use super::cloud::{Cloud, Fate, Script};
use super::driver::Drive;
use super::{SEED, aliyun_platform, messages, signing_platform};
use crate::aliyun::TimestampPolicy;
use crate::error::{Cause, Error};
use crate::exchange::{Exchange, Options};
use crate::platform::Platform;

/// A signer by a clock that is ahead by so much.
fn by_a_clock(ahead_ms: i64, script: Script) -> Drive {
    let cloud = Cloud::aws(script).with_clock();
    let exchange = Exchange::new(signing_platform(), Options::default(), None, SEED, messages(40)).unwrap();
    let mut drive = Drive::new(cloud, exchange);
    drive.ahead_ms = ahead_ms;
    drive.finish();
    drive
}

fn first_error(drive: &Drive) -> Error {
    drive.outcomes().remove(0).unwrap_err()
}

fn explained(drive: &Drive) -> String {
    let (context, outcome) = drive.exchange.outcomes().next().unwrap();
    drive.exchange.platform().explain(&outcome.unwrap_err(), context)
}

#[test]
fn a_signature_that_is_refused_for_its_time_is_made_anew_by_the_platforms_clock() {
    for ahead_ms in [40 * 60_000, -40 * 60_000, -53 * 365 * 24 * 60 * 60_000] {
        let drive = by_a_clock(ahead_ms, Script::always(Fate::Served));
        assert_eq!(drive.cloud.total_accepted(), 40, "{ahead_ms}");
        let again = drive.sent.len() - 40;
        assert_eq!(again, 32, "those that were under way; the others are signed right the first time");
    }
    let drive = by_a_clock(4 * 60_000, Script::always(Fate::Served));
    assert_eq!(drive.sent.len(), 40, "AWS does not mind");
}

#[test]
fn whoever_is_refused_with_the_right_clock_is_told_so_and_not_asked_again() {
    let drive = by_a_clock(40 * 60_000, Script::always(Fate::Answered(403)));
    assert_eq!(drive.sent.len(), 72);
    let error = first_error(&drive);
    assert_eq!((error.cause, error.attempts), (Cause::Forbidden, 2));
    assert_eq!(error.detail.as_deref(), Some("signed by the platform's clock, as the clock is 40 minutes ahead"));
    let explanation = explained(&drive);
    assert!(!explanation.contains("set the clock") && explanation.contains("the IAM policy"), "{explanation}");

    let drive = by_a_clock(0, Script::always(Fate::Answered(403)));
    assert_eq!((drive.sent.len(), first_error(&drive).detail), (40, None));
}

/// Another exchange after this one, by a clock that is ahead by so much then.
fn after(drive: &Drive, platform: Arc<dyn Platform>, ahead_ms: i64) -> Drive {
    let exchange = Exchange::new(platform, Options::default(), None, SEED, messages(40)).unwrap();
    let exchange = exchange.with_clock_ahead_ms(drive.exchange.clock_ahead_ms());
    let mut next = Drive::new(drive.cloud.clone(), exchange);
    next.ahead_ms = ahead_ms;
    next.finish();
    next
}

#[test]
fn the_next_exchange_signs_by_the_platforms_clock_from_the_beginning() {
    let wrong_ms = 40 * 60_000;
    let first = by_a_clock(wrong_ms, Script::always(Fate::Served));
    let second = after(&first, signing_platform(), wrong_ms);
    assert_eq!((second.sent.len(), second.cloud.total_accepted()), (40, 80));
    // The clock was set meanwhile: that is learned like anything else, and kept.
    let third = after(&second, signing_platform(), 0);
    assert_eq!((third.sent.len(), third.cloud.total_accepted()), (72, 120));
    let fourth = after(&third, signing_platform(), 0);
    assert_eq!((fourth.sent.len(), fourth.cloud.total_accepted()), (40, 160));
}

#[test]
fn a_corrected_timestamp_is_right_from_the_beginning_in_the_next_exchange() {
    let platform = || aliyun_platform(TimestampPolicy::Corrected);
    let wrong_ms = 40 * 60_000;
    let exchange = Exchange::new(platform(), Options::default(), None, SEED, messages(40)).unwrap();
    let mut first =
        Drive::new(Cloud::aliyun(Script::always(Fate::Served), Script::always(Fate::Served)).with_clock(), exchange);
    first.ahead_ms = wrong_ms;
    first.finish();
    let second = after(&first, platform(), wrong_ms);
    assert_eq!((first.authentications().len(), second.authentications().len()), (2, 1));
    let third = after(&second, platform(), 0);
    assert_eq!((third.authentications().len(), third.cloud.total_accepted()), (2, 120));
}
