//! Time as a parameter. A sandbox may have no clock, a test wants none, and the clock of an edge box is often wrong:
//! so pauses are measured on a clock that never jumps, and only what the platform sees uses the calendar.

/// The time, from two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds of a clock that never jumps; any zero point, the same one throughout an exchange.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}
