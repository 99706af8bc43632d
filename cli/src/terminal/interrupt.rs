//! Ctrl-C ends a run in order: once for "no more", twice for "now". A service manager's SIGTERM and the SIGHUP of a
//! terminal that went away count as the same, and bring a deadline: a container is killed 10 s after its SIGTERM, and
//! what was not kept by then is gone. (Where there is no terminal, a SIGHUP asks a long run to [read its files again](super::hang_up).) So what is to be kept is written first, and every wait after that is bounded.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::hang_up::HangUp;
#[cfg(unix)]
use super::hang_up::is_hang_up_ignored;

/// From the interruption that brings a deadline on: how long answers are waited for, ...
pub const PATIENCE: Duration = Duration::from_secs(5);

/// ... how long a connection is closed in order, ...
const GOODBYE: Duration = Duration::from_secs(6);

/// ... and how long lines are copied that will not be sent. What comes after that is a matter of moments.
const COPYING: Duration = Duration::from_secs(7);

/// What the first one is answered with, where there is something to wait for.
const WAITING: &str = "interrupted: waiting for the answers; again to leave them";

/// Counts interruptions from its making on.
#[derive(Clone)]
pub struct Interruptions {
    seen: watch::Receiver<Seen>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    count: u32,
    /// Since when there is a deadline.
    hurried_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A user sits there, and can press it again.
    Person,
    /// No user does.
    Machine,
}

impl Seen {
    /// A user who says it a second time has no time to lose either.
    fn note(&mut self, kind: Kind, now: Instant) {
        self.count += 1;
        if kind == Kind::Machine || self.count == 2 {
            self.hurried_at.get_or_insert(now);
        }
    }
}

impl Interruptions {
    /// Begins to count. From here on an interruption does not end the process by itself.
    pub fn count() -> Self {
        Self::count_with(HangUp::Ends)
    }

    /// Begins to count for a run that can read its files again: a SIGHUP that asks for that is no interruption.
    pub fn count_for_long_run() -> Self {
        Self::count_with(HangUp::of_this_process())
    }

    fn count_with(hang_up: HangUp) -> Self {
        let (sender, seen) = watch::channel(Seen::default());
        if let Some(mut signals) = Signals::listen(hang_up) {
            tokio::spawn(async move {
                while let Some(kind) = signals.next().await {
                    sender.send_modify(|seen| seen.note(kind, Instant::now()));
                }
            });
        }
        Self { seen }
    }

    /// Waits until there have been so many. Where they cannot be noticed there are none.
    pub async fn reached(&self, times: u32) {
        self.until(|seen| seen.count >= times).await;
    }

    /// Waits until answers are waited for no more: after a second one, or when the time for that is over.
    pub async fn patience_is_over(&self) {
        tokio::select! {
            () = self.reached(2) => {}
            () = self.after(PATIENCE) => {}
        }
    }

    /// Waits until connections are left as they are.
    pub async fn goodbye_is_over(&self) {
        self.after(GOODBYE).await;
    }

    /// Waits until nothing more is copied.
    pub async fn copying_is_over(&self) {
        self.after(COPYING).await;
    }

    /// What is said when answers are waited for.
    pub fn hint(&self) -> String {
        match self.seen.borrow().hurried_at {
            None => WAITING.to_owned(),
            Some(_) => format!("{WAITING}, or for {} s at most", PATIENCE.as_secs()),
        }
    }

    async fn after(&self, time: Duration) {
        let seen = self.until(|seen| seen.hurried_at.is_some()).await;
        if let Some(hurried_at) = seen.hurried_at {
            sleep_until(hurried_at + time).await;
        }
    }

    async fn until(&self, holds: impl FnMut(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.clone();
        match seen.wait_for(holds).await {
            Ok(seen) => *seen,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// Not for a run that was started to survive its terminal.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen(hang_up: HangUp) -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
            // Where it cannot be found out whether it is ignored it counts as so: at worst it ends the process at once.
            hang_up: if is_hang_up_ignored().unwrap_or(true) || hang_up == HangUp::Reloads {
                None
            } else {
                signal(SignalKind::hangup()).ok()
            },
        })
    }

    async fn next(&mut self) -> Option<Kind> {
        tokio::select! {
            came = self.interrupt.recv() => came.map(|()| Kind::Person),
            came = self.terminate.recv() => came.map(|()| Kind::Machine),
            came = async {
                match &mut self.hang_up {
                    Some(hang_up) => hang_up.recv().await,
                    None => std::future::pending().await,
                }
            } => came.map(|()| Kind::Machine),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen(_hang_up: HangUp) -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) -> Option<Kind> {
        tokio::signal::ctrl_c().await.ok().map(|()| Kind::Person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOR_EVER: Duration = Duration::from_secs(1 << 20);

    fn counted() -> (watch::Sender<Seen>, Interruptions) {
        let (sender, seen) = watch::channel(Seen::default());
        (sender, Interruptions { seen })
    }

    fn signal(sender: &watch::Sender<Seen>, kind: Kind) {
        sender.send_modify(|seen| seen.note(kind, Instant::now()));
    }

    /// When this is over, from now on; None if never.
    async fn over_after(wait: impl Future<Output = ()>) -> Option<Duration> {
        let begin = Instant::now();
        tokio::time::timeout(FOR_EVER, wait).await.ok().map(|()| begin.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_machines_signal_nothing_is_waited_for_beyond_eight_seconds() {
        let (sender, interruptions) = counted();
        signal(&sender, Kind::Machine);
        assert_eq!(over_after(interruptions.patience_is_over()).await, Some(PATIENCE));
        assert_eq!(over_after(interruptions.goodbye_is_over()).await, Some(GOODBYE - PATIENCE));
        assert_eq!(over_after(interruptions.copying_is_over()).await, Some(COPYING - GOODBYE));
        assert!(COPYING < Duration::from_secs(8));
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_may_wait_as_long_as_they_like_and_is_obeyed_at_the_second_word() {
        let (sender, interruptions) = counted();
        signal(&sender, Kind::Person);
        assert_eq!(over_after(interruptions.reached(1)).await, Some(Duration::ZERO));
        assert_eq!(over_after(interruptions.patience_is_over()).await, None);
        signal(&sender, Kind::Person);
        assert_eq!(over_after(interruptions.patience_is_over()).await, Some(Duration::ZERO));
        assert_eq!(over_after(interruptions.copying_is_over()).await, Some(COPYING));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_of_a_machine_ends_the_waiting_and_moves_no_deadline() {
        let (sender, interruptions) = counted();
        signal(&sender, Kind::Machine);
        tokio::time::advance(Duration::from_secs(3)).await;
        signal(&sender, Kind::Machine);
        assert_eq!(over_after(interruptions.patience_is_over()).await, Some(Duration::ZERO));
        assert_eq!(over_after(interruptions.copying_is_over()).await, Some(COPYING - Duration::from_secs(3)));
    }
}
