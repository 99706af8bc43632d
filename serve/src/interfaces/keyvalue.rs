//! `wasi:keyvalue` over the store.
//!
//! A guest may call as often as its time allows, with whatever it likes. What one call may bring and take is bounded by the
//! [store](crate::store); what a guest holds, by the table of resources; and while a call waits for the disk, the thread is
//! free for others.

use thingpost_host::runtime::HandlerState;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use super::Grants;
use crate::store::{Buckets, StoreError};

use bindings::wasi::keyvalue::store::{Error as KeyvalueError, KeyResponse};
use bindings::wasi::keyvalue::{atomics, batch, store};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit/deps/keyvalue",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        with: { "wasi:keyvalue/store.bucket": super::Bucket },
        require_store_data_send: true,
    });
}

/// A bucket that a guest has opened.
pub struct Bucket(String);

/// What the functions need of a store of wasmtime.
struct Keyvalue<'a> {
    buckets: Buckets,
    table: &'a mut ResourceTable,
}

struct HasKeyvalue;

impl HasData for HasKeyvalue {
    type Data<'a> = Keyvalue<'a>;
}

pub(super) fn add_store(linker: &mut Linker<HandlerState<Grants>>) -> Result<()> {
    store::add_to_linker::<_, HasKeyvalue>(linker, keyvalue)
}

pub(super) fn add_atomics(linker: &mut Linker<HandlerState<Grants>>) -> Result<()> {
    atomics::add_to_linker::<_, HasKeyvalue>(linker, keyvalue)
}

pub(super) fn add_batch(linker: &mut Linker<HandlerState<Grants>>) -> Result<()> {
    batch::add_to_linker::<_, HasKeyvalue>(linker, keyvalue)
}

fn keyvalue(state: &mut HandlerState<Grants>) -> Keyvalue<'_> {
    let (grants, table) = state.data_and_table();
    let buckets = grants.buckets.clone().expect("the interface is offered only where there is a store");
    Keyvalue { buckets, table }
}

/// What the guest is told. What SQLite says is for operators: it may have the path of the file in it.
fn told<T>(result: Result<T, StoreError>) -> Result<T, KeyvalueError> {
    result.map_err(|error| {
        KeyvalueError::Other(match error {
            StoreError::Full | StoreError::TooLarge(_) | StoreError::NotANumber => error.to_string(),
            error => {
                tracing::warn!("a guest cannot use the store: {error}");
                "the store fails; the log of the host says why".to_owned()
            }
        })
    })
}

impl Keyvalue<'_> {
    fn name(&self, bucket: &Resource<Bucket>) -> Result<String> {
        Ok(self.table.get(bucket)?.0.clone())
    }
}

impl store::Host for Keyvalue<'_> {
    async fn open(&mut self, identifier: String) -> Result<Result<Resource<Bucket>, KeyvalueError>> {
        match self.buckets.has(&identifier) {
            true => Ok(Ok(self.table.push(Bucket(identifier))?)),
            false => Ok(Err(KeyvalueError::NoSuchStore)),
        }
    }
}

impl store::HostBucket for Keyvalue<'_> {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Result<Option<Vec<u8>>, KeyvalueError>> {
        Ok(told(self.buckets.get(&self.name(&bucket)?, key).await))
    }

    async fn set(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), KeyvalueError>> {
        Ok(told(self.buckets.set(&self.name(&bucket)?, vec![(key, value)]).await))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Result<(), KeyvalueError>> {
        Ok(told(self.buckets.delete(&self.name(&bucket)?, vec![key]).await))
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Result<bool, KeyvalueError>> {
        Ok(told(self.buckets.exists(&self.name(&bucket)?, key).await))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<u64>,
    ) -> Result<Result<KeyResponse, KeyvalueError>> {
        let page = told(self.buckets.keys(&self.name(&bucket)?, cursor).await);
        Ok(page.map(|page| KeyResponse { keys: page.keys, cursor: page.next }))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for Keyvalue<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: u64,
    ) -> Result<Result<u64, KeyvalueError>> {
        Ok(told(self.buckets.increment(&self.name(&bucket)?, key, delta).await))
    }
}

impl batch::Host for Keyvalue<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Result<Vec<Option<(String, Vec<u8>)>>, KeyvalueError>> {
        let values = told(self.buckets.get_many(&self.name(&bucket)?, keys.clone()).await);
        let with_keys = |values: Vec<Option<Vec<u8>>>| {
            keys.into_iter().zip(values).map(|(key, value)| value.map(|value| (key, value))).collect()
        };
        Ok(values.map(with_keys))
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Bucket>,
        entries: Vec<(String, Vec<u8>)>,
    ) -> Result<Result<(), KeyvalueError>> {
        Ok(told(self.buckets.set(&self.name(&bucket)?, entries).await))
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Result<Result<(), KeyvalueError>> {
        Ok(told(self.buckets.delete(&self.name(&bucket)?, keys).await))
    }
}
