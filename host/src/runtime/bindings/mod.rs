//! The host's side of the interfaces of `wit/`: all that host and component have in common.
//!
//! Generated types print all that they hold, and configurations hold secrets: one `{config:?}` in an embedder's log would give
//! them away. So the types of `aws-types`, `aliyun-types` and `generic-types`, and the error of `types`, are written by hand (in
//! [`types`](super::types)), and the generated code is told to use those. It takes that for interfaces that are imported only, so
//! the exports are named one by one here: the worlds export the interfaces of types as well, and exports cannot be replaced.
//! A component cannot tell the difference, as types have no identity but their shape.

#[cfg(feature = "mqtt")]
pub mod mqtt;
mod values;

wasmtime::component::bindgen!({
    path: "wit",
    interfaces: "
        import thingpost:iot/signer@0.2.0;
        export thingpost:iot/publisher@0.2.0;
        export thingpost:iot/aws-publisher@0.2.0;
        export thingpost:iot/aws-data-plane@0.2.0;
        export thingpost:iot/aliyun-publisher@0.2.0;
        export thingpost:iot/aliyun-provisioning@0.2.0;
        export thingpost:iot/aliyun-thing-model@0.2.0;
    ",
    with: {
        "thingpost:iot/types": crate::runtime::bindings::types,
        "thingpost:iot/aws-types": crate::runtime::bindings::aws_types,
        "thingpost:iot/aliyun-types": crate::runtime::bindings::aliyun_types,
    },
    imports: { "thingpost:iot/signer.sign": async },
    exports: { default: async },
    additional_derives: [PartialEq, Clone],
});

/// Interface `types`.
pub mod types {
    pub use super::values::thingpost::iot::types::*;
    pub use crate::runtime::types::Error;
}

/// Interface `aws-types`.
pub mod aws_types {
    pub use crate::runtime::types::aws::*;
}

/// Interface `aliyun-types`.
pub mod aliyun_types {
    pub use crate::runtime::types::aliyun::*;
}

/// Interface `generic-types`.
#[cfg(feature = "mqtt")]
pub mod generic_types {
    pub use crate::runtime::types::generic::*;
}
