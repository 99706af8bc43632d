//! A machine is never quiet for long: what is measured first and what is measured last were measured on two machines.
//! So the contenders take turns, many short ones, each round in another order, and what counts is the ratio within a
//! round.

use std::time::Duration;

use crate::work::{Taken, Work};
use crate::{Failure, processor};

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

/// What one contender did in one turn: the seconds that each message took, and those of them that this process was busy.
#[derive(Clone, Copy)]
struct Turn {
    each: f64,
    busy: Option<f64>,
}

/// Lets the contenders take turns. The first is what the others are compared with.
pub async fn compare(rounds: Rounds, mut contenders: Vec<Contender>) -> Result<Vec<Measured>, Failure> {
    let turns = take_turns(rounds, &mut contenders).await?;
    Ok(ratios(&contenders, &turns, |turn| Some(turn.each)).unwrap_or_default())
}

/// Compares contenders, and tells what share of the time was this process's own: of contenders that do nothing elsewhere, and nothing at all
/// where the system does not tell.
pub(crate) async fn compare_with_processor(
    rounds: Rounds,
    mut contenders: Vec<Contender>,
) -> Result<(Vec<Measured>, Option<Vec<Measured>>), Failure> {
    let turns = take_turns(rounds, &mut contenders).await?;
    let compared = ratios(&contenders, &turns, |turn| Some(turn.each)).unwrap_or_default();
    Ok((compared, ratios(&contenders, &turns, |turn| turn.busy)))
}

/// The turns of each contender, round by round.
async fn take_turns(rounds: Rounds, contenders: &mut [Contender]) -> Result<Vec<Vec<Turn>>, Failure> {
    let mut times_per_turn = Vec::new();
    for contender in &mut *contenders {
        times_per_turn.push(calibrate(&mut contender.work, rounds.turn).await?);
    }
    let mut turns = vec![Vec::new(); contenders.len()];
    for round in 0..rounds.rounds {
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            let before = processor::time();
            let taken = contenders[who].work.run(times_per_turn[who]).await?;
            let busy = processor::time().zip(before).map(|(after, before)| after.saturating_sub(before));
            let busy = busy.map(|total| Taken { total, ..taken }.each());
            turns[who].push(Turn { each: taken.each(), busy });
        }
    }
    Ok(turns)
}

/// Everybody by the same measure, if all turns have it.
fn ratios(
    contenders: &[Contender],
    turns: &[Vec<Turn>],
    measure: impl Fn(&Turn) -> Option<f64>,
) -> Option<Vec<Measured>> {
    let taken: Option<Vec<Vec<f64>>> = turns.iter().map(|turns| turns.iter().map(&measure).collect()).collect();
    let taken = taken?;
    let first = taken.first()?.clone();
    Some(contenders.iter().zip(taken).map(|(one, taken)| measured(one.name.clone(), taken, &first)).collect())
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

    #[cfg(unix)]
    #[tokio::test]
    async fn who_sleeps_takes_time_and_is_not_busy() {
        let sleep = Work::Function(Box::new(|| std::thread::sleep(Duration::from_millis(20))));
        let rounds = Rounds { rounds: 3, turn: Duration::from_millis(20) };
        let (time, busy) = compare_with_processor(rounds, vec![Contender::new("a nap", sleep)]).await.unwrap();
        assert!(busy.as_ref().unwrap()[0].each < time[0].each, "{time:?} {busy:?}");
    }
}
