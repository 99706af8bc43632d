//! What a component exports, interface by interface.
//!
//! wasmtime compares the types of a function with those of the host each time an instance's function is looked up, and
//! the generated bindings look up all of a world at once: 19 functions, which took a third of what an instance per
//! message added. Who publishes needs four of them.

use std::sync::Arc;

use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store};

use super::bindings::exports::thingpost::iot::{aliyun_provisioning, aliyun_thing_model, aws_data_plane, publisher};
use super::state::StoreState;

/// Where the interfaces of a component are.
#[derive(Clone)]
pub(super) struct Interfaces(Arc<Indices>);

struct Indices {
    publisher: publisher::GuestIndices,
    data_plane: aws_data_plane::GuestIndices,
    provisioning: aliyun_provisioning::GuestIndices,
    thing_model: aliyun_thing_model::GuestIndices,
}

impl Interfaces {
    /// Fails if one of them is missing.
    pub fn of(component: &InstancePre<StoreState>) -> Result<Self> {
        Ok(Self(Arc::new(Indices {
            publisher: publisher::GuestIndices::new(component)?,
            data_plane: aws_data_plane::GuestIndices::new(component)?,
            provisioning: aliyun_provisioning::GuestIndices::new(component)?,
            thing_model: aliyun_thing_model::GuestIndices::new(component)?,
        })))
    }

    pub fn publisher(&self, store: &mut Store<StoreState>, instance: &Instance) -> Result<publisher::Guest> {
        self.0.publisher.load(store, instance)
    }

    pub fn data_plane(&self, store: &mut Store<StoreState>, instance: &Instance) -> Result<aws_data_plane::Guest> {
        self.0.data_plane.load(store, instance)
    }

    pub fn provisioning(
        &self,
        store: &mut Store<StoreState>,
        instance: &Instance,
    ) -> Result<aliyun_provisioning::Guest> {
        self.0.provisioning.load(store, instance)
    }

    pub fn thing_model(&self, store: &mut Store<StoreState>, instance: &Instance) -> Result<aliyun_thing_model::Guest> {
        self.0.thing_model.load(store, instance)
    }
}
