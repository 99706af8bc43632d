//! A slow link does not make a sender wait: its bytes are on their way, in their order, and arrive later. So what goes
//! out is either written at once, or put on the way with the time at which it arrives.

use std::collections::VecDeque;
use std::future::pending;
use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{Duration, Instant, sleep_until};

use crate::mqtt::link_faults::{LinkFaults, LinkSpeed};

/// How many bytes may be on the way before nothing more is read: what a socket would hold.
const MOST_ON_THE_WAY: usize = 256 * 1024;
/// How often a slow link delivers something.
const PIECES_PER_SECOND: u64 = 20;

/// Where the bytes of one direction go.
pub(super) struct Throttle<'a, W> {
    writer: W,
    link: &'a LinkFaults,
    /// With the time at which they arrive.
    on_the_way: VecDeque<(Instant, Vec<u8>)>,
    length: usize,
    /// When the last byte that was sent has left, by the speed there was.
    free_at: Instant,
}

impl<'a, W: AsyncWrite + Unpin> Throttle<'a, W> {
    pub(super) fn new(writer: W, link: &'a LinkFaults) -> Self {
        Self { writer, link, on_the_way: VecDeque::new(), length: 0, free_at: Instant::now() }
    }

    /// Whether more should be read for it.
    pub(super) fn has_room(&self) -> bool {
        self.length < MOST_ON_THE_WAY
    }

    /// Writes, or puts on the way.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let speed = self.link.speed();
        if speed.is_unlimited() && self.on_the_way.is_empty() {
            self.writer.write_all(bytes).await?;
            return self.writer.flush().await;
        }
        self.put_on_the_way(bytes, speed);
        Ok(())
    }

    fn put_on_the_way(&mut self, bytes: &[u8], speed: LinkSpeed) {
        self.free_at = self.free_at.max(Instant::now());
        let rate = speed.bytes_per_second.map(|rate| rate.max(1));
        let piece = rate.map_or(bytes.len(), |rate| usize::try_from(rate / PIECES_PER_SECOND).unwrap_or(usize::MAX));
        for piece in bytes.chunks(piece.max(1)) {
            if let Some(rate) = rate {
                self.free_at += Duration::from_secs_f64(piece.len() as f64 / rate as f64);
            }
            self.on_the_way.push_back((self.free_at + speed.latency, piece.to_vec()));
            self.length += piece.len();
        }
    }

    /// Waits until something arrives. Nothing is lost when this is not waited for to the end.
    pub(super) async fn due(&self) {
        match self.on_the_way.front() {
            Some((at, _)) => sleep_until(*at).await,
            None => pending().await,
        }
    }

    /// Writes everything that has arrived.
    pub(super) async fn deliver(&mut self) -> io::Result<()> {
        let now = Instant::now();
        while self.on_the_way.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, bytes)) = self.on_the_way.pop_front() {
                self.length -= bytes.len();
                self.writer.write_all(&bytes).await?;
            }
        }
        self.writer.flush().await
    }

    /// Waits until nothing is on the way any more.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        while !self.on_the_way.is_empty() {
            self.due().await;
            self.deliver().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(bytes_per_second: Option<u64>, latency: u64) -> LinkFaults {
        let link = LinkFaults::default();
        link.set_speed(LinkSpeed { bytes_per_second, latency: Duration::from_millis(latency) });
        link
    }

    /// Measured by a clock that jumps from one timer to the next: there is nothing else to wait for.
    async fn time(link: &LinkFaults, sends: usize, bytes: &[u8]) -> Duration {
        let mut written = Vec::new();
        let mut throttle = Throttle::new(&mut written, link);
        let start = Instant::now();
        for _ in 0..sends {
            throttle.send(bytes).await.unwrap();
        }
        throttle.finish().await.unwrap();
        let took = start.elapsed();
        assert_eq!(written, bytes.repeat(sends));
        took
    }

    #[tokio::test(start_paused = true)]
    async fn latencies_do_not_add_up_and_lengths_do() {
        let latency = time(&link(None, 60), 10, b"0123456789").await;
        assert!((Duration::from_millis(60)..Duration::from_millis(65)).contains(&latency), "{latency:?}");
        let rate = time(&link(Some(1000), 0), 10, b"0123456789").await;
        assert!((Duration::from_millis(100)..Duration::from_millis(105)).contains(&rate), "{rate:?}");
        let none = time(&link(None, 0), 10, b"0123456789").await;
        assert_eq!(none, Duration::ZERO);
    }

    #[tokio::test]
    async fn what_is_sent_after_the_link_became_fast_does_not_overtake() {
        let link = link(None, 40);
        let mut written = Vec::new();
        let mut throttle = Throttle::new(&mut written, &link);
        throttle.send(b"slow").await.unwrap();
        link.set_speed(LinkSpeed::default());
        throttle.send(b" and fast").await.unwrap();
        throttle.finish().await.unwrap();
        assert_eq!(written, b"slow and fast");
    }
}
