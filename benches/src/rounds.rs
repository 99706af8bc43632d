//! A machine is never quiet for long: what is measured first and what is measured last were measured on two machines.
//! So the contenders take turns, many short ones, each round in another order, and what counts is the ratio within a
//! round.

use std::time::{Duration, Instant};

use crate::work::Work;

/// How thoroughly to measure.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// How many times each contender has its turn.
    pub rounds: usize,
    /// How long a turn takes, roughly.
    pub turn: Duration,
}

/// Something to be measured, and its name.
pub struct Contender {
    name: String,
    work: Work,
}

impl Contender {
    /// Names some work.
    pub fn new(name: impl Into<String>, work: impl Into<Work>) -> Self {
        Self { name: name.into(), work: work.into() }
    }
}

/// How one contender did against the first.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Who.
    pub name: String,
    /// The time that one message, or one call, took: the median of all rounds.
    pub each: Duration,
    /// Its time divided by that of the first contender in the same round: first quartile, median, third quartile.
    pub ratio: [f64; 3],
}

/// Lets the contenders take turns. The first is what the others are compared with.
pub async fn compare(rounds: Rounds, mut contenders: Vec<Contender>) -> Vec<Measured> {
    let mut times_per_turn = Vec::new();
    for contender in &mut contenders {
        times_per_turn.push(calibrate(&mut contender.work, rounds.turn).await);
    }
    let mut taken: Vec<Vec<Duration>> = vec![Vec::new(); contenders.len()];
    for round in 0..rounds.rounds {
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            let each = contenders[who].work.run(times_per_turn[who]).await;
            taken[who].push(each);
        }
    }
    let first = taken.first().cloned().unwrap_or_default();
    contenders.into_iter().zip(taken).map(|(contender, taken)| measured(contender.name, taken, &first)).collect()
}

fn measured(name: String, mut taken: Vec<Duration>, first: &[Duration]) -> Measured {
    let mut ratios: Vec<f64> = taken.iter().zip(first).map(|(one, first)| one.div_duration_f64(*first)).collect();
    ratios.sort_by(f64::total_cmp);
    taken.sort();
    let at = |quarter: usize| quarter * (taken.len() - 1) / 4;
    Measured { name, each: taken[at(2)], ratio: [1, 2, 3].map(|quarter| ratios[at(quarter)]) }
}

/// How many times fill a turn. The first ones also warm up: connections, tokens, branch predictors.
async fn calibrate(work: &mut Work, turn: Duration) -> u32 {
    let mut times = 1;
    loop {
        let begin = Instant::now();
        work.run(times).await;
        let elapsed = begin.elapsed();
        if elapsed * 4 > turn {
            // Nothing that is measured takes less than a nanosecond, so this fits.
            return ((f64::from(times) * turn.div_duration_f64(elapsed)) as u32).max(1);
        }
        times *= 2;
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    fn sleeps(milliseconds: u64) -> Work {
        Work::Function(Box::new(move || sleep(Duration::from_millis(milliseconds))))
    }

    #[tokio::test]
    async fn a_ratio_says_how_much_longer_one_takes_than_the_first() {
        let rounds = Rounds { rounds: 3, turn: Duration::from_millis(20) };
        let contenders = vec![Contender::new("short", sleeps(2)), Contender::new("long", sleeps(10))];
        let measured = compare(rounds, contenders).await;
        assert_eq!(measured[0].ratio, [1.0; 3]);
        // A busy machine makes both longer, and never the ratio nothing.
        assert!(measured[1].ratio[1] > 1.5, "{measured:?}");
        assert!(measured[1].each >= Duration::from_millis(10), "{measured:?}");
    }
}
