//! A timer of the host, made again only when the one that is there would come too late.

use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::Pollable;

/// At most one timer. Of a thousand messages each has a deadline of its own, and none of them strikes, most of the time:
/// the timer of the first serves them all.
#[derive(Default)]
pub struct Alarm(Option<(u64, Pollable)>);

impl Alarm {
    /// A timer that rings no later than this. Early is possible.
    pub fn set(&mut self, at_ns: Option<u64>) -> Option<&Pollable> {
        let at_ns = at_ns?;
        let (_, timer) = match self.0.take() {
            Some((earlier, timer)) if earlier <= at_ns => self.0.insert((earlier, timer)),
            _ => self.0.insert((at_ns, monotonic_clock::subscribe_instant(at_ns))),
        };
        Some(timer)
    }

    /// It rang.
    pub fn clear(&mut self) {
        self.0 = None;
    }
}
