//! A broker with a quota per second says "quota exceeded" to whatever comes too soon, and to all that follows if that follows
//! at once. Sending again is then part of the trouble: what helps is to send as fast as the broker takes it, and no faster.
//!
//! So messages have a pace. A broker that begins to refuse most of what it gets sets it: nine tenths of what it took in the last
//! second, and from there a tenth more each second, until it refuses again. One that refuses one message in ten, whatever the
//! pace, is left alone: there a pause of the message itself does it, and slowing down would never end.
//!
//! Of a virtual broker that takes 100 messages in each second, 1,000 messages that are there at once take 10.2 seconds and 1,391
//! packets: nine seconds are the quota's own.

/// After so long is counted anew.
const PERIOD_MS: u64 = 1000;

/// What has been refused less often says nothing about the pace.
const FEW: u32 = 5;

/// Faster than anything that is worth a pace.
const FREE_MILLI: u64 = 10_000_000;

/// The clock has milliseconds: what would have been due within the last one is made up for.
const LATE_US: u64 = 1000;

/// How fast messages may go.
#[derive(Debug)]
pub(super) struct SendRate {
    /// What the user has set, in thousandths of a message per second.
    most_milli: Option<u64>,
    /// What the broker takes, as far as is known.
    found_milli: Option<u64>,
    /// When the next message may go.
    next_us: u64,
    /// The period that is being counted.
    period_ms: u64,
    accepted: u32,
    refused: u32,
    /// How many were accepted in the last whole period, per second.
    last_per_second: u64,
}

impl SendRate {
    /// 0: no bound but the broker's.
    pub fn new(max_per_second: u32) -> Self {
        Self {
            most_milli: (max_per_second > 0).then(|| u64::from(max_per_second) * 1000),
            found_milli: None,
            next_us: 0,
            period_ms: 0,
            accepted: 0,
            refused: 0,
            last_per_second: 0,
        }
    }

    /// When the next message may go.
    pub fn next_ms(&self) -> u64 {
        self.next_us.div_ceil(1000)
    }

    /// One goes.
    pub fn sent(&mut self, now_ms: u64) {
        let slowest = [self.most_milli, self.found_milli].into_iter().flatten().min();
        if let Some(milli) = slowest {
            let interval_us = 1_000_000_000 / milli;
            // Of a slow pace a millisecond more or less is nothing, and to make it up would be one message too many.
            let late_us = if interval_us < 2 * LATE_US { LATE_US } else { 0 };
            let earliest_us = now_ms.saturating_mul(1000).saturating_sub(late_us);
            self.next_us = self.next_us.max(earliest_us).saturating_add(interval_us);
        }
    }

    /// The broker has taken one.
    pub fn accepted(&mut self, now_ms: u64) {
        self.count(now_ms);
        self.accepted = self.accepted.saturating_add(1);
        // At a pace of n per second n are accepted in a second: a tenth more.
        self.found_milli = self.found_milli.map(|milli| milli + 100).filter(|milli| *milli < FREE_MILLI);
    }

    /// The broker refuses one for now, for the first time.
    pub fn refused(&mut self, now_ms: u64) {
        self.count(now_ms);
        self.refused = self.refused.saturating_add(1);
        if self.refused >= FEW && self.refused > self.accepted / 2 {
            self.slow_down(now_ms);
        }
    }

    /// The broker has too much of it: it says so of the connection, or it drops what it does not take.
    pub fn slow_down(&mut self, now_ms: u64) {
        self.count(now_ms);
        let taken = u64::from(self.accepted).max(self.last_per_second).max(1);
        let found_milli = taken * 900;
        self.found_milli = Some(self.found_milli.map_or(found_milli, |milli| milli.min(found_milli)).max(1000));
        self.next_us = self.next_us.max(now_ms.saturating_add(200).saturating_mul(1000));
        (self.accepted, self.refused) = (0, 0);
        self.last_per_second = taken;
    }

    fn count(&mut self, now_ms: u64) {
        let elapsed_ms = now_ms.saturating_sub(self.period_ms);
        if elapsed_ms >= PERIOD_MS {
            self.last_per_second = u64::from(self.accepted) * 1000 / elapsed_ms;
            self.period_ms = now_ms;
            (self.accepted, self.refused) = (0, 0);
        }
    }
}
