//! Ctrl-C ends a run in order: once for "no more", twice for "now". A service manager's SIGTERM and the SIGHUP of a
//! terminal that went away count as the same.

use tokio::sync::watch;

/// What the first one is answered with, where there is something to wait for.
pub const WAITING: &str = "interrupted: waiting for the answers; again to leave them";

/// Counts interruptions from its making on.
pub struct Interruptions {
    count: watch::Receiver<u32>,
}

impl Interruptions {
    /// Begins to count. From here on an interruption does not end the process by itself.
    pub fn count() -> Self {
        let (sender, count) = watch::channel(0);
        if let Some(mut signals) = Signals::listen() {
            tokio::spawn(async move {
                while signals.next().await {
                    sender.send_modify(|count| *count += 1);
                }
            });
        }
        Self { count }
    }

    /// Waits until there have been so many. Where they cannot be noticed there are none.
    pub async fn reached(&self, times: u32) {
        let mut count = self.count.clone();
        if count.wait_for(|count| *count >= times).await.is_err() {
            std::future::pending().await
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
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
            hang_up: if is_hang_up_ignored() { None } else { signal(SignalKind::hangup()).ok() },
        })
    }

    async fn next(&mut self) -> bool {
        tokio::select! {
            came = self.interrupt.recv() => came.is_some(),
            came = self.terminate.recv() => came.is_some(),
            came = async {
                match &mut self.hang_up {
                    Some(hang_up) => hang_up.recv().await,
                    None => std::future::pending().await,
                }
            } => came.is_some(),
        }
    }
}

/// Whether `nohup` or the like is at work. To listen would undo it. Where that cannot be found out, it counts as so.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return true };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is signal 1, the lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) -> bool {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
