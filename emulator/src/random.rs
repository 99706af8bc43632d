//! Trouble by chance has to be the same trouble again when a test fails, on whatever machine and in whatever year. A
//! generator of a library may change with its version; this one cannot.

use std::ops::RangeInclusive;

/// Steele, Lea and Flood's generator: enough for a schedule, in three lines that will draw the same for ever.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of the range, or its start if the range is empty, but at least 1.
    pub(crate) fn within(&mut self, range: &RangeInclusive<u32>) -> u64 {
        let start = u64::from(*range.start()).max(1);
        let choices = (u64::from(*range.end()) + 1).saturating_sub(start).max(1);
        start + self.next() % choices
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let count = u64::try_from(choices.len()).ok().filter(|&count| count > 0)?;
        let index = usize::try_from(self.next() % count).ok()?;
        choices.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_numbers_are_drawn() {
        let mut random = SplitMix(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }
}
