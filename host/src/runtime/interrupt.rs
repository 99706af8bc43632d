//! A guest that waits for its broker has the only thread of its sandbox, and its caller may want to publish. Ending the
//! call from outside, by dropping it, would leave the guest in the middle of something, and with it the session: so
//! the guest is told, and returns.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

/// Makes the call that waits return. Cheap to clone; any thread may have one.
#[derive(Clone)]
pub struct Interrupt {
    is_wanted: Arc<watch::Sender<bool>>,
}

impl Interrupt {
    pub(super) fn new() -> Self {
        Self { is_wanted: Arc::new(watch::Sender::new(false)) }
    }

    /// Interrupts the call that waits now, or, if there is none, the next one.
    pub fn now(&self) {
        self.is_wanted.send_replace(true);
    }

    /// The call has returned.
    pub(super) fn clear(&self) {
        self.is_wanted.send_replace(false);
    }

    /// What the guest waits for.
    pub(super) fn pollable(&self, table: &mut ResourceTable) -> wasmtime::Result<Resource<DynPollable>> {
        let interruption = table.push(Interruption(self.is_wanted.subscribe()))?;
        subscribe(table, interruption)
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt").field("is_wanted", &*self.is_wanted.borrow()).finish()
    }
}

struct Interruption(watch::Receiver<bool>);

#[async_trait]
impl Pollable for Interruption {
    async fn ready(&mut self) {
        if self.0.wait_for(|is_wanted| *is_wanted).await.is_err() {
            // There is none left that could want it.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;
    use wasmtime_wasi_io::bindings::wasi::io::poll::{Host, HostPollable};

    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_woken_and_the_next_one_only_when_it_is_wanted_again() {
        let (mut table, interrupt) = (ResourceTable::new(), Interrupt::new());
        let pollable = interrupt.pollable(&mut table).unwrap();
        let borrowed = || vec![Resource::new_borrow(pollable.rep())];
        assert!(timeout(Duration::from_millis(10), Host::poll(&mut table, borrowed())).await.is_err());

        let caller = interrupt.clone();
        let (woken, _) = tokio::join!(Host::poll(&mut table, borrowed()), async { caller.now() });
        assert_eq!(woken.unwrap(), [0]);
        assert_eq!(Host::poll(&mut table, borrowed()).await.unwrap(), [0], "until the call has returned");

        interrupt.clear();
        assert!(!HostPollable::ready(&mut table, Resource::new_borrow(pollable.rep())).await.unwrap());
        HostPollable::drop(&mut table, pollable).unwrap();
        assert!(table.is_empty());
    }

    #[tokio::test]
    async fn an_interruption_waits_for_whoever_it_is_for() {
        let (mut table, interrupt) = (ResourceTable::new(), Interrupt::new());
        interrupt.now();
        let pollable = interrupt.pollable(&mut table).unwrap();
        assert!(HostPollable::ready(&mut table, pollable).await.unwrap());
    }
}
