//! What is refused for now: the pace follows what the platform takes, and no message is lost for it. The figures in
//! `pace.rs` are from here.

use super::cloud::{Cloud, Fate, Script};
use super::driver::Drive;
use super::{messages, on_aliyun, on_aws};
use crate::exchange::Options;
use crate::random::SplitMix64;

/// Of a hundred requests, so many get each of these answers.
fn now_and_then(answers: &[(u16, u64)], seed: u64) -> Script {
    let mut random = SplitMix64::new(seed);
    let fate = move || {
        let mut lot = random.next() % 100;
        for (status, percent) in answers {
            match lot.checked_sub(*percent) {
                None => return Fate::Answered(*status),
                Some(rest) => lot = rest,
            }
        }
        Fate::Served
    };
    Script::new(std::iter::repeat_with(fate).take(20_000))
}

fn delivered(drive: &Drive) -> usize {
    drive.outcomes().iter().filter(|outcome| outcome.is_ok()).count()
}

#[test]
fn a_server_that_refuses_one_in_five_takes_all_the_others_without_delay() {
    for seed in 0..5 {
        for max_in_flight in [32, 4] {
            let script = now_and_then(&[(503, 10), (429, 10)], seed);
            let options = Options { max_in_flight, ..Options::default() };
            let mut drive = on_aws(Cloud::aws(script), options, messages(2_000));
            drive.finish();
            assert_eq!((delivered(&drive), drive.cloud.total_accepted()), (2_000, 2_000));
            assert!(drive.sent.len() < 2_700, "{} requests", drive.sent.len());
            assert!(
                drive.now_ms < if max_in_flight == 32 { 20_000 } else { 60_000 },
                "{max_in_flight}: {} ms",
                drive.now_ms
            );
        }
    }
}

#[test]
fn batches_of_a_command_come_through_in_a_minute() {
    let mut total_ms = 0;
    for batch in 0..8 {
        let script = now_and_then(&[(503, 10), (429, 10)], 100 + batch);
        let mut drive = on_aws(Cloud::aws(script), Options::default(), messages(256));
        drive.finish();
        assert_eq!(delivered(&drive), 256);
        total_ms += drive.now_ms;
    }
    assert!(total_ms < 60_000, "{total_ms} ms");
}

#[test]
fn against_a_limit_per_second_little_is_sent_in_vain() {
    for (per_second, most_wasted) in [(5, 250), (50, 250), (500, 1_000)] {
        for is_aliyun in [false, true] {
            let count = if per_second == 500 { 3_000 } else { 300 };
            let served = || Script::always(Fate::Served);
            let mut drive = match is_aliyun {
                true => on_aliyun(Cloud::aliyun(served(), served()), Options::default(), None, messages(count)),
                false => on_aws(Cloud::aws(served()), Options::default(), messages(count)),
            };
            drive.cloud.per_second = Some(per_second);
            drive.finish();
            assert_eq!((delivered(&drive), drive.cloud.total_accepted() as usize), (count, count));
            let wasted = drive.publications().len() - count;
            assert!(wasted < most_wasted, "{wasted} at {per_second} in a second");
        }
    }
}
