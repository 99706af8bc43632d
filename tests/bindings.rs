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
        // Resources have no copies, so a type that carries one cannot derive what the others do.
        with: { "wasi:io": wasmtime_wasi::p2::bindings::io },
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

/// Messages that are nothing but a payload for a topic: each world has types of its own, alike in shape.
macro_rules! plain_messages {
    ($($world:ident),*) => {$(
        impl $world::exports::thingpost::iot::types::Message {
            pub fn new(
                topic: &str,
                payload: impl Into<Vec<u8>>,
                qos: $world::exports::thingpost::iot::types::Qos,
            ) -> Self {
                Self {
                    topic: topic.to_owned(),
                    payload: payload.into(),
                    qos,
                    retain: false,
                    rule: None,
                    properties: None,
                }
            }
        }
    )*};
}

plain_messages!(codec, publish, sans_io);
