//! Ctrl-C ends a run in order: once for "no more", twice for "now". A service manager's SIGTERM counts as the same.

use tokio::sync::watch;

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
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
        })
    }

    async fn next(&mut self) -> bool {
        tokio::select! {
            came = self.interrupt.recv() => came.is_some(),
            came = self.terminate.recv() => came.is_some(),
        }
    }
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
