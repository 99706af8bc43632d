//! The host's side of the world `publish`, generated from `wit/`: all that host and component have in common.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "thingpost:iot/publish",
    exports: { default: async },
    additional_derives: [PartialEq, Clone],
});
