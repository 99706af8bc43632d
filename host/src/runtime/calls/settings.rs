//! What is set on each store of a component.

use std::sync::Arc;

use wasmtime::Store;

use super::{CallBudget, Ticker};
use crate::limits::GuestLimits;

type Preparation<T> = Arc<dyn Fn(&mut Store<T>) + Send + Sync>;

/// Everything about the stores of one component that its embedder may decide.
pub(in crate::runtime) struct StoreSettings<T: 'static> {
    pub limits: GuestLimits,
    pub budget: CallBudget,
    pub ticker: Option<Arc<Ticker>>,
    preparation: Option<Preparation<T>>,
}

impl<T> StoreSettings<T> {
    pub fn new(ticker: Option<Arc<Ticker>>) -> Self {
        Self { limits: GuestLimits::default(), budget: CallBudget::default(), ticker, preparation: None }
    }

    /// What an embedder does with each new store, last of all.
    pub fn prepare_with(&mut self, preparation: impl Fn(&mut Store<T>) + Send + Sync + 'static) {
        self.preparation = Some(Arc::new(preparation));
    }

    pub fn prepare(&self, store: &mut Store<T>) {
        if let Some(preparation) = &self.preparation {
            preparation(store);
        }
    }
}

impl<T> Clone for StoreSettings<T> {
    fn clone(&self) -> Self {
        Self { ticker: self.ticker.clone(), preparation: self.preparation.clone(), ..*self }
    }
}
