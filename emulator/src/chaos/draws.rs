//! What strikes by chance has a sequence of its own for each kind of thing, so that a client that connects once more, or
//! another fault that is asked for as well, does not change which request is struck.

use super::share::Share;
use crate::random::SplitMix;

/// The sequences that chance is drawn from.
#[derive(Default)]
pub(super) struct Draws {
    pub(super) requests: Sequence,
    pub(super) answers: Sequence,
    pub(super) connects: Sequence,
    pub(super) connects_of_5: Sequence,
    pub(super) messages: Sequence,
    pub(super) lost_pubacks: Sequence,
    pub(super) late_pubacks: Sequence,
}

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        // Far apart, so that neighbouring seeds do not share sequences.
        let mut seeds = SplitMix(seed);
        let mut next = || Sequence(Some(SplitMix(seeds.next())));
        Self {
            requests: next(),
            answers: next(),
            connects: next(),
            connects_of_5: next(),
            messages: next(),
            lost_pubacks: next(),
            late_pubacks: next(),
        }
    }
}

#[derive(Default)]
pub(super) struct Sequence(Option<SplitMix>);

impl Sequence {
    fn draw(&mut self) -> u32 {
        let drawn = self.0.as_mut().map_or(0, SplitMix::next) % u64::from(Share::ALWAYS.millionths());
        drawn as u32
    }

    pub(super) fn hits(&mut self, share: Share) -> bool {
        // Nothing is drawn for what cannot happen, so the order of the others is theirs alone.
        !share.is_never() && self.draw() < share.millionths()
    }

    /// One of these or none, each as often as its share says.
    pub(super) fn one_of<T>(&mut self, shares: impl IntoIterator<Item = (T, Share)>) -> Option<T> {
        let mut left = self.draw();
        for (choice, share) in shares {
            match left.checked_sub(share.millionths()) {
                None => return Some(choice),
                Some(rest) => left = rest,
            }
        }
        None
    }
}
