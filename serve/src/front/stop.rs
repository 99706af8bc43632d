//! The end of a server, which all of its parts learn of at once.

use tokio::sync::watch;

/// Asks all parts of a server to come to an end. Dropping it asks them too: a server that cannot be ended any more has ended.
#[derive(Debug)]
pub struct StopHandle(watch::Sender<bool>);

/// Learns that the end was asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl StopHandle {
    /// A handle, and what it tells.
    pub fn new() -> (Self, Stop) {
        let (handle, stop) = watch::channel(false);
        (Self(handle), Stop(stop))
    }

    /// Asks for the end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Resolves when the end was asked for.
    pub async fn asked(&mut self) {
        // An error: the handle is gone.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}
