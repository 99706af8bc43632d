//! Deadlines that cannot overflow, and do not strike for time that this process has not had.
//!
//! A guest may ask for a timeout of five centuries, an embedder for `Duration::MAX`. `Instant + Duration` panics on
//! the second. And a container that was paused for a minute finds every deadline past, with the answer in its socket.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

/// A timer that is as late as this was not late because the machine was busy: the process stood still. It gets as much
/// again to look at what came meanwhile.
pub(crate) const STANDSTILL: Duration = Duration::from_secs(1);

/// The moment `after` from now, or one too far off to be met.
pub(crate) fn later(after: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(86_400 * 365);
    let now = Instant::now();
    now.checked_add(after).unwrap_or(now + FAR)
}

/// The output of `future`, unless it takes longer than that while this process is running.
pub(crate) async fn awake_timeout<F: Future>(after: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let until = later(after);
    match timeout_at(until, &mut future).await {
        Err(_elapsed) if until.elapsed() >= STANDSTILL => timeout(STANDSTILL, future).await,
        ended => ended,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::thread;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_came_while_the_process_stood_still_came_in_time() {
        let (answer, answered) = oneshot::channel();
        let reading = tokio::spawn(async move {
            // The reader of the socket has its turn after the timer.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            let _ = answer.send(());
        });
        let stand_still = async {
            thread::sleep(STANDSTILL + Duration::from_millis(200));
            answered.await
        };
        assert!(awake_timeout(Duration::from_millis(100), stand_still).await.is_ok());
        reading.await.unwrap();
    }

    #[tokio::test]
    async fn what_does_not_come_is_given_up() {
        assert!(awake_timeout(Duration::from_millis(10), pending::<()>()).await.is_err());
    }
}
