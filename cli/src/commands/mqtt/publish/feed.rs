//! Where the messages come from. Whatever it is, asking for the next one can be given up at any moment without losing it: the
//! broker may have something to say first.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::lines::source::{Line, Source};

/// Messages to come.
pub struct MessageFeed {
    kind: Kind,
    /// Between two messages.
    interval: Option<Duration>,
    /// When the next one may come.
    next_at: Instant,
}

enum Kind {
    Copies {
        payload: Vec<u8>,
        left: u32,
    },
    Lines(Source),
    /// Lines that will not be sent.
    Rest(Source),
    Over,
}

/// One that has come.
pub enum NextMessage {
    Copy(Vec<u8>),
    Line(Line),
}

impl MessageFeed {
    /// So many copies of one message.
    pub fn copies(payload: Vec<u8>, count: u32, interval: Option<Duration>) -> Self {
        Self { kind: Kind::Copies { payload, left: count }, interval, next_at: Instant::now() }
    }

    pub fn lines(source: Source, interval: Option<Duration>) -> Self {
        Self { kind: Kind::Lines(source), interval, next_at: Instant::now() }
    }

    /// Whether messages come whether or not there is room for them. Those of a file wait where they are.
    pub fn is_live(&self) -> bool {
        match &self.kind {
            Kind::Copies { .. } => self.interval.is_some(),
            Kind::Lines(source) => source.total_bytes.is_none(),
            Kind::Rest(_) | Kind::Over => false,
        }
    }

    /// How much of a regular file there is.
    pub fn total_bytes(&self) -> Option<u64> {
        match &self.kind {
            Kind::Lines(source) => source.total_bytes,
            Kind::Copies { .. } | Kind::Rest(_) | Kind::Over => None,
        }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.kind, Kind::Rest(_) | Kind::Over)
    }

    /// The next one. None is the end.
    pub async fn next(&mut self) -> Option<io::Result<NextMessage>> {
        if self.interval.is_some() {
            sleep_until(self.next_at).await;
        }
        let next = match &mut self.kind {
            Kind::Lines(source) => source.next().await.map(|line| line.map(NextMessage::Line)),
            Kind::Copies { .. } | Kind::Rest(_) | Kind::Over => self.copy(),
        };
        self.taken(next)
    }

    /// The next one, if it is there already.
    pub fn next_ready(&mut self) -> Option<io::Result<NextMessage>> {
        if self.interval.is_some() && Instant::now() < self.next_at {
            return None;
        }
        let next = match &mut self.kind {
            Kind::Lines(source) => source.next_ready()?.map(NextMessage::Line),
            Kind::Copies { .. } | Kind::Rest(_) | Kind::Over => self.copy()?,
        };
        self.taken(Some(next))
    }

    /// The next copy, whatever the interval is.
    pub fn next_at_once(&mut self) -> Option<NextMessage> {
        self.copy()?.ok()
    }

    fn copy(&mut self) -> Option<io::Result<NextMessage>> {
        let Kind::Copies { payload, left } = &mut self.kind else { return None };
        *left = left.checked_sub(1)?;
        Some(Ok(NextMessage::Copy(payload.clone())))
    }

    fn taken(&mut self, next: Option<io::Result<NextMessage>>) -> Option<io::Result<NextMessage>> {
        let is_last = matches!(self.kind, Kind::Copies { left: 0, .. });
        if is_last || (!matches!(next, Some(Ok(_))) && !self.is_over()) {
            self.kind = Kind::Over;
        }
        if let Some(interval) = self.interval {
            // From the time when it was due, unless that is long ago.
            let now = Instant::now();
            self.next_at = (self.next_at + interval).max(now);
        }
        next
    }

    /// Ends it. There were so many copies to come.
    pub fn end(&mut self) -> u32 {
        let (kind, left) = match std::mem::replace(&mut self.kind, Kind::Over) {
            Kind::Lines(source) | Kind::Rest(source) => (Kind::Rest(source), 0),
            Kind::Copies { left, .. } => (Kind::Over, left),
            Kind::Over => (Kind::Over, 0),
        };
        self.kind = kind;
        left
    }

    /// The lines that were left when it was ended.
    pub fn rest(&mut self) -> Option<&mut Source> {
        match &mut self.kind {
            Kind::Rest(source) => Some(source),
            Kind::Copies { .. } | Kind::Lines(_) | Kind::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn count(feed: &mut MessageFeed) -> usize {
        let mut count = 0;
        while let Some(Ok(NextMessage::Copy(_))) = feed.next().await {
            count += 1;
        }
        count
    }

    #[tokio::test]
    async fn copies_come_as_often_as_asked_and_then_it_is_over() {
        let mut feed = MessageFeed::copies(b"21.5".to_vec(), 3, None);
        assert!(!feed.is_live() && !feed.is_over());
        assert_eq!(count(&mut feed).await, 3);
        assert!(feed.is_over() && feed.next_ready().is_none());
    }

    #[tokio::test]
    async fn with_an_interval_the_first_comes_at_once_and_the_next_is_not_ready() {
        let mut feed = MessageFeed::copies(Vec::new(), 2, Some(Duration::from_millis(30)));
        let begin = Instant::now();
        assert!(feed.is_live() && feed.next_ready().is_some() && feed.next_ready().is_none());
        assert_eq!(count(&mut feed).await, 1);
        assert!(begin.elapsed() >= Duration::from_millis(30));
    }
}
