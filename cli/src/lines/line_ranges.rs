//! Which lines, in few words: there may be a hundred thousand of them, mostly in a row.

use std::fmt;

/// How many runs of them are shown.
const SHOWN: usize = 8;

/// Numbers of lines.
#[derive(Default)]
pub struct LineRanges {
    /// First and last of each run.
    runs: Vec<(u64, u64)>,
}

impl LineRanges {
    pub fn add(&mut self, number: u64) {
        match self.runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => self.runs.push((number, number)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

impl fmt::Display for LineRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_one = matches!(self.runs[..], [(first, last)] if first == last);
        f.write_str(if is_one { "line" } else { "lines" })?;
        for (index, (first, last)) in self.runs.iter().take(SHOWN).enumerate() {
            f.write_str(if index == 0 { " " } else { ", " })?;
            match first == last {
                true => write!(f, "{first}")?,
                false => write!(f, "{first}-{last}")?,
            }
        }
        match self.runs.len().checked_sub(SHOWN) {
            Some(hidden @ 1..) => write!(f, " and {hidden} more such runs"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(numbers: impl IntoIterator<Item = u64>) -> String {
        let mut shown = LineRanges::default();
        numbers.into_iter().for_each(|number| shown.add(number));
        shown.to_string()
    }

    #[test]
    fn runs_are_shown_by_their_ends_and_not_all_of_them() {
        assert_eq!(shown([7]), "line 7");
        assert_eq!(shown([5, 6, 7, 9]), "lines 5-7, 9");
        assert_eq!(shown(1..=100_000), "lines 1-100000");
        assert_eq!(shown((0..20).step_by(2)), "lines 0, 2, 4, 6, 8, 10, 12, 14 and 2 more such runs");
    }
}
