//! One in ten, one in a thousand: how often something strikes.

use std::fmt;

/// In millionths, so that the same seed draws the same on every machine.
const WHOLE: u32 = 1_000_000;

/// How many of the things that could be struck are struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// None of them.
    pub const NEVER: Self = Self(0);
    /// All of them.
    pub const ALWAYS: Self = Self(WHOLE);

    /// So many of a hundred. What is above 100 is all.
    pub const fn percent(percent: u32) -> Self {
        if percent >= 100 { Self::ALWAYS } else { Self(percent * (WHOLE / 100)) }
    }

    pub(super) const fn millionths(self) -> u32 {
        self.0
    }

    pub(super) fn from_millionths(millionths: u32) -> Self {
        Self(millionths.min(WHOLE))
    }

    pub(super) fn is_never(self) -> bool {
        self == Self::NEVER
    }
}

impl fmt::Display for Share {
    /// `10%`, `0.5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        let rest = format!("{rest:04}");
        write!(f, "{whole}.{}%", rest.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_shows_as_it_is_typed() {
        for (millionths, text) in [(0, "0%"), (5_000, "0.5%"), (100_000, "10%"), (123_400, "12.34%"), (1, "0.0001%")] {
            assert_eq!(Share(millionths).to_string(), text);
        }
        assert_eq!(Share::percent(250), Share::ALWAYS);
    }
}
