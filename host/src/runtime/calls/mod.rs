//! A store and the calls into it, each of which comes to an end.
//!
//! A guest in a loop has the thread that it runs on, for ever, and with a runtime of one thread all else in the process. So the
//! code of a guest looks at an epoch now and then: at each tick it gives way to the other tasks, and when a call has computed
//! for longer than its budget it ends. What was interrupted cannot be gone on with: its store is lost, and says so.

mod budget;
mod error;
mod meter;
mod settings;
mod ticker;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Engine, Result, Store, UpdateDeadline};

pub use budget::CallBudget;
pub use error::CallError;
pub(super) use settings::StoreSettings;
pub(super) use ticker::Ticker;

use crate::clock::awake_timeout;
use crate::limits::{GuestLimiter, GuestLimits};
use meter::Meter;

/// What the outcome of one message may take of the result of a call, its explanation and the platform's answer included.
pub(super) const OUTCOME_BYTES: usize = 16 * 1024;

/// A store whose calls have a [`CallBudget`].
pub(super) struct GuestStore<T: 'static> {
    store: Store<T>,
    calls: Calls,
}

/// What is known of the calls into one store.
struct Calls {
    budget: CallBudget,
    limits: GuestLimits,
    meter: Arc<Meter>,
    ticker: Option<Arc<Ticker>>,
    /// What ended the first call that did not come to its end.
    lost: Option<String>,
}

/// A call that is about to be made.
#[must_use = "nothing is called before `run`"]
pub(super) struct Call<'a> {
    calls: &'a mut Calls,
    /// For how long the caller has asked it to wait.
    wait: Duration,
}

impl<T: 'static> GuestStore<T> {
    /// A new store with everything set that `settings` say; `limiter` finds the limiter in the state.
    pub fn new(
        engine: &Engine,
        state: T,
        settings: &StoreSettings<T>,
        limiter: impl Fn(&mut T) -> &mut GuestLimiter + Send + Sync + 'static,
    ) -> Self {
        let StoreSettings { limits, budget, ticker, .. } = settings;
        let mut store = Store::new(engine, state);
        limits.apply(&mut store, limiter);
        let meter = Arc::<Meter>::default();
        let (metered, cpu) = (Arc::clone(&meter), budget.cpu);
        store.epoch_deadline_callback(move |_| match metered.spent() {
            spent if spent > cpu => Err(CallError::CpuBudget { budget: cpu }.into()),
            // wasmtime's own way of yielding comes back at once, before tokio has looked at a single socket.
            _ => Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))),
        });
        settings.prepare(&mut store);
        let calls = Calls { budget: *budget, limits: *limits, meter, ticker: ticker.clone(), lost: None };
        Self { store, calls }
    }

    /// Begins a call, if none before it was cut short.
    pub fn begin(&mut self) -> Result<(&mut Store<T>, Call<'_>)> {
        self.begin_for(0)
    }

    /// Begins a call whose result may have so many bytes more than [`GuestLimits::host_call_bytes`].
    pub fn begin_for(&mut self, result_bytes: usize) -> Result<(&mut Store<T>, Call<'_>)> {
        let Self { store, calls } = self;
        if let Some(reason) = &calls.lost {
            return Err(CallError::Lost { reason: reason.clone() }.into());
        }
        store.set_hostcall_fuel(calls.limits.host_call_bytes.saturating_add(result_bytes));
        store.set_epoch_deadline(1);
        calls.meter.reset();
        Ok((store, Call { calls, wait: Duration::ZERO }))
    }

    /// The most that the guest can hold.
    #[cfg(feature = "mqtt")]
    pub fn memory_bytes(&self) -> usize {
        self.calls.limits.memory_bytes
    }

    /// The resources that the guest may have at once.
    #[cfg(feature = "incoming-handler")]
    pub fn resources(&self) -> usize {
        self.calls.limits.resources
    }

    /// Whether no further call can be begun.
    #[cfg(feature = "incoming-handler")]
    pub fn is_lost(&self) -> bool {
        self.calls.lost.is_some()
    }

    /// What the store holds.
    #[cfg(any(feature = "incoming-handler", feature = "mqtt"))]
    pub fn data(&self) -> &T {
        self.store.data()
    }

    /// What the store holds.
    #[cfg(test)]
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }
}

impl Call<'_> {
    /// Adds to the deadline what the caller has asked the guest to wait.
    #[cfg(feature = "mqtt")]
    pub fn waiting(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Makes the call, within its budget.
    pub async fn run<R>(self, call: impl Future<Output = Result<R>>) -> Result<R> {
        let Self { calls, wait } = self;
        let Calls { budget, meter, ticker, lost, .. } = calls;
        // For a caller that drops this in the middle of it.
        *lost = Some("its caller has given up on an earlier call".to_owned());
        let mut call = pin!(call);
        let metered = poll_fn(|cx| {
            if let Some(ticker) = ticker {
                ticker.wake();
            }
            meter.start();
            let polled = call.as_mut().poll(cx);
            meter.stop();
            polled
        });
        let ended = match budget.deadline {
            None => metered.await,
            Some(deadline) => {
                let after = deadline.saturating_add(wait);
                awake_timeout(after, metered).await.unwrap_or_else(|_| Err(CallError::Deadline { after }.into()))
            }
        };
        *lost = ended.as_ref().err().map(|error| format!("an earlier call has ended it: {error:#}"));
        ended
    }
}
