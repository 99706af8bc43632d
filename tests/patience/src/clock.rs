//! A test that asserts that something takes no more than 200 ms asserts something about the machine. A clock that moves
//! only when it is told to takes the machine out of it: until then nothing is late, however long it takes, and
//! afterwards all is.

use std::sync::mpsc::{self, Sender};
use std::time::Duration;

/// The clock of a runtime with one thread, which stands still as long as this is there, but for [`Clock::pass`].
pub struct Clock(#[expect(dead_code, reason = "its end is the end of the task")] Sender<()>);

impl Clock {
    /// Stops it.
    ///
    /// # Panics
    /// When it is stopped already, and in a runtime with several threads.
    pub fn stop() -> Self {
        // A paused clock jumps to the next timer as soon as all tasks wait, and it makes no difference what for: a
        // socket that is about to be ready counts as idle. It does not jump while there is a blocking task.
        let (end, is_over) = mpsc::channel();
        tokio::task::spawn_blocking(move || is_over.recv());
        tokio::time::pause();
        Self(end)
    }

    /// Lets time pass, for this runtime and all timers in it. They count whole milliseconds and round up: one that is
    /// due now, or just so, rings a millisecond later.
    pub async fn pass(&self, time: Duration) {
        tokio::time::advance(time).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test]
    async fn it_stands_still_while_a_socket_is_waited_for() {
        let clock = Clock::stop();
        let begin = Instant::now();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let peer = std::thread::spawn(move || {
            let mut tcp = std::net::TcpStream::connect(address).unwrap();
            std::thread::sleep(Duration::from_millis(50));
            std::io::Write::write_all(&mut tcp, b"x").unwrap();
        });
        let (mut tcp, _) = listener.accept().await.unwrap();
        assert_eq!(timeout(Duration::from_millis(1), tcp.read_u8()).await.unwrap().unwrap(), b'x');
        assert_eq!(begin.elapsed(), Duration::ZERO);
        peer.join().unwrap();
        let late = timeout(Duration::from_secs(3600), std::future::pending::<()>());
        let (late, ()) = tokio::join!(late, clock.pass(Duration::from_secs(3601)));
        assert!(late.is_err());
    }
}
