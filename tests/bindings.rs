//! The worlds as a foreign host sees them, generated from `wit/` and not from our host, so that the components are
//! proved to be usable without it.

pub mod codec {
    //! World `codec`.
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "thingpost:iot/codec",
        additional_derives: [PartialEq, Clone],
    });
}

pub mod publish {
    //! World `publish`.
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "thingpost:iot/publish",
        exports: { default: async },
        additional_derives: [PartialEq, Clone],
    });
}

pub mod sans_io {
    //! World `sans-io`.
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "thingpost:iot/sans-io",
        additional_derives: [PartialEq, Clone],
    });
}
