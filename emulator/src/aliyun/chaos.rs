//! A long test needs trouble that it did not plan message by message, and yet the same trouble again when it fails. So
//! the trouble is drawn from a seed: when it strikes depends on nothing but how many good messages there were.

use std::ops::RangeInclusive;

use crate::random::SplitMix;

/// Trouble in the midst of good messages, for as long as a test runs.
///
/// It is deterministic: with the same seed, the same good message is struck in the same way. Good are those that the
/// platform would take, with a token that is good; what was struck counts, and what was refused for another reason does
/// not, so the messages that meet a token's end together do not disturb the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliyunChaos {
    /// What everything is drawn from.
    pub seed: u64,
    /// Every how many good messages it strikes: each time another number of this range, at least 1. A message that is
    /// sent again counts again, so a client that authenticates once and sends once more needs 2 at least.
    pub every: RangeInclusive<u32>,
    /// What it does: each time one of these. It does nothing if there is none.
    pub strikes: Vec<AliyunStrike>,
}

impl AliyunChaos {
    /// Revokes or expires the device's tokens at every 2nd to 20th good message.
    pub fn new(seed: u64) -> Self {
        Self { seed, every: 2..=20, strikes: vec![AliyunStrike::Revoke, AliyunStrike::Expire] }
    }
}

/// What happens to a good message that is not to be taken, and to its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliyunStrike {
    /// All tokens of the device are revoked: this message and all that use them are told 20003.
    Revoke,
    /// All tokens of the device expire: this message and all that use them are told 20001.
    Expire,
    /// The message is told this code, and nothing else happens.
    Refuse(u32),
    /// As [`Self::Revoke`], and the next request to `/auth`, of whichever device, is told this code.
    RevokeAndRefuseAuthentication(u32),
}

/// Where chaos has got to.
pub(super) struct TokenChaos {
    plan: AliyunChaos,
    random: SplitMix,
    /// How many good messages there are up to the next strike, with the one that is struck.
    left: u64,
}

impl TokenChaos {
    pub(super) fn new(plan: AliyunChaos) -> Self {
        let mut random = SplitMix(plan.seed);
        let left = random.within(&plan.every);
        Self { plan, random, left }
    }

    /// What happens to one more good message.
    pub(super) fn strike(&mut self) -> Option<AliyunStrike> {
        self.left -= 1;
        if self.left > 0 {
            return None;
        }
        let strike = self.random.one_of(&self.plan.strikes);
        self.left = self.random.within(&self.plan.every);
        strike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(plan: &AliyunChaos, messages: usize) -> Vec<Option<AliyunStrike>> {
        let mut chaos = TokenChaos::new(plan.clone());
        (0..messages).map(|_| chaos.strike()).collect()
    }

    #[test]
    fn the_same_seed_strikes_the_same_messages_and_another_seed_does_not() {
        let first = strikes(&AliyunChaos::new(1), 200);
        assert_eq!(first, strikes(&AliyunChaos::new(1), 200));
        assert_ne!(first, strikes(&AliyunChaos::new(2), 200));
        for strike in [AliyunStrike::Revoke, AliyunStrike::Expire] {
            assert!(first.contains(&Some(strike)), "{first:?}");
        }
    }

    #[test]
    fn between_strikes_there_are_as_many_messages_as_asked() {
        let plan = AliyunChaos { every: 3..=5, ..AliyunChaos::new(7) };
        let struck = strikes(&plan, 1000);
        let places: Vec<usize> = (0..struck.len()).filter(|&index| struck[index].is_some()).collect();
        let gaps: Vec<usize> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for gap in 3..=5 {
            assert!(gaps.contains(&gap), "{gaps:?}");
        }
        assert!(gaps.iter().all(|gap| (3..=5).contains(gap)), "{gaps:?}");
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is tried")]
    fn odd_plans_do_the_least_they_say() {
        let always = AliyunChaos { every: 0..=0, ..AliyunChaos::new(1) };
        assert!(strikes(&always, 10).iter().all(Option::is_some));
        let reversed = AliyunChaos { every: 4..=2, ..AliyunChaos::new(1) };
        assert_eq!(strikes(&reversed, 8).iter().filter(|strike| strike.is_some()).count(), 2);
        let idle = AliyunChaos { strikes: Vec::new(), ..AliyunChaos::new(1) };
        assert!(strikes(&idle, 100).iter().all(Option::is_none));
    }
}
