//! What a component exports, interface by interface.
//!
//! wasmtime compares the types of a function with those of the host each time an instance's function is looked up, and
//! the generated bindings look up all of a world at once: 19 functions, which took a third of what an instance per
//! message added. Who publishes needs four of them.

use std::sync::Arc;

use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store};

use super::bindings::exports::thingpost::iot::{
    aliyun_provisioning, aliyun_publisher, aliyun_thing_model, aws_data_plane, aws_publisher, publisher,
};
use super::state::PublisherState;

/// Where the interfaces of a component are.
#[derive(Clone)]
pub(super) struct Interfaces(Arc<Indices>);

// A component has the platforms that it was made with, and a host may know more of them.
struct Indices {
    publisher: publisher::GuestIndices,
    aws: Option<aws_publisher::GuestIndices>,
    aliyun: Option<aliyun_publisher::GuestIndices>,
    data_plane: Option<aws_data_plane::GuestIndices>,
    provisioning: Option<aliyun_provisioning::GuestIndices>,
    thing_model: Option<aliyun_thing_model::GuestIndices>,
}

impl Interfaces {
    /// The interfaces of a publisher. Fails for a component that is none.
    pub fn of(component: &InstancePre<PublisherState>) -> Result<Self> {
        Ok(Self(Arc::new(Indices {
            publisher: publisher::GuestIndices::new(component)?,
            aws: aws_publisher::GuestIndices::new(component).ok(),
            aliyun: aliyun_publisher::GuestIndices::new(component).ok(),
            data_plane: aws_data_plane::GuestIndices::new(component).ok(),
            provisioning: aliyun_provisioning::GuestIndices::new(component).ok(),
            thing_model: aliyun_thing_model::GuestIndices::new(component).ok(),
        })))
    }

    pub fn publisher(&self, store: &mut Store<PublisherState>, instance: &Instance) -> Result<publisher::Guest> {
        self.0.publisher.load(store, instance)
    }

    pub fn aws(&self, store: &mut Store<PublisherState>, instance: &Instance) -> Result<aws_publisher::Guest> {
        exported(self.0.aws.as_ref(), "aws-publisher")?.load(store, instance)
    }

    pub fn aliyun(&self, store: &mut Store<PublisherState>, instance: &Instance) -> Result<aliyun_publisher::Guest> {
        exported(self.0.aliyun.as_ref(), "aliyun-publisher")?.load(store, instance)
    }

    pub fn data_plane(&self, store: &mut Store<PublisherState>, instance: &Instance) -> Result<aws_data_plane::Guest> {
        exported(self.0.data_plane.as_ref(), "aws-data-plane")?.load(store, instance)
    }

    pub fn provisioning(
        &self,
        store: &mut Store<PublisherState>,
        instance: &Instance,
    ) -> Result<aliyun_provisioning::Guest> {
        exported(self.0.provisioning.as_ref(), "aliyun-provisioning")?.load(store, instance)
    }

    pub fn thing_model(
        &self,
        store: &mut Store<PublisherState>,
        instance: &Instance,
    ) -> Result<aliyun_thing_model::Guest> {
        exported(self.0.thing_model.as_ref(), "aliyun-thing-model")?.load(store, instance)
    }
}

/// The indices of an interface that a component may do without.
pub(super) fn exported<'a, T>(indices: Option<&'a T>, interface: &str) -> Result<&'a T> {
    indices.ok_or_else(|| {
        wasmtime::format_err!("the component has no interface {interface}: it does not know that platform")
    })
}
