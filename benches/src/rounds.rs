//! A machine is never quiet for long: what is measured first and what is measured last were measured on two machines.
//! So the contenders take turns, many short ones, each round in another order, and what counts is the ratio within a
//! round.

use std::time::Duration;

use crate::Failure;
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
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Who.
    pub name: String,
    /// The seconds that one message, or one call, took: the median of all rounds.
    pub each: f64,
    /// Its time divided by that of the first contender in the same round: first quartile, median, third quartile.
    pub ratio: [f64; 3],
}

/// Lets the contenders take turns. The first is what the others are compared with.
pub async fn compare(rounds: Rounds, mut contenders: Vec<Contender>) -> Result<Vec<Measured>, Failure> {
    let mut times_per_turn = Vec::new();
    for contender in &mut contenders {
        times_per_turn.push(calibrate(&mut contender.work, rounds.turn).await?);
    }
    let mut taken: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for round in 0..rounds.rounds {
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            let each = contenders[who].work.run(times_per_turn[who]).await?.each();
            taken[who].push(each);
        }
    }
    let first = taken.first().cloned().unwrap_or_default();
    Ok(contenders.into_iter().zip(taken).map(|(contender, taken)| measured(contender.name, taken, &first)).collect())
}

fn measured(name: String, mut taken: Vec<f64>, first: &[f64]) -> Measured {
    let mut ratios: Vec<f64> = taken.iter().zip(first).map(|(one, first)| one / first).collect();
    ratios.sort_by(f64::total_cmp);
    taken.sort_by(f64::total_cmp);
    let at = |quarter: usize| quarter * (taken.len() - 1) / 4;
    Measured { name, each: taken[at(2)], ratio: [1, 2, 3].map(|quarter| ratios[at(quarter)]) }
}

/// How many times fill a turn, once connections, tokens and caches are there.
async fn calibrate(work: &mut Work, turn: Duration) -> Result<u32, Failure> {
    work.run(1).await?;
    let mut times = 1;
    loop {
        let total = work.run(times).await?.total;
        if total * 4 > turn {
            // Nothing that is measured takes less than a nanosecond, so this fits.
            return Ok(((f64::from(times) * turn.div_duration_f64(total)) as u32).max(1));
        }
        times *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_that_of_one_round_and_not_that_of_the_medians() {
        // The machine was ten times slower in the last two rounds.
        let first = [1.0, 1.0, 1.0, 10.0, 10.0];
        let second = measured("second".to_owned(), vec![2.0, 2.1, 2.2, 23.0, 24.0], &first);
        assert_eq!((second.each, second.ratio), (2.2, [2.1, 2.2, 2.3]));
    }

    #[tokio::test]
    async fn a_turn_is_filled_by_the_time_that_the_work_says_it_took() {
        let sleep = Work::Function(Box::new(|| std::thread::sleep(Duration::from_millis(2))));
        let rounds = Rounds { rounds: 3, turn: Duration::from_millis(20) };
        let measured = compare(rounds, vec![Contender::new("a nap", sleep)]).await.unwrap();
        assert_eq!(measured[0].ratio, [1.0; 3]);
        assert!(measured[0].each >= 0.002, "{measured:?}");
    }
}
