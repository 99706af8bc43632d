//! The host's side of the world `publish-signed`, generated from `wit/`: all that host and component have in common. The
//! exports are those of the world `publish`, so a component of either world will do.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "thingpost:iot/publish-signed",
    imports: { "thingpost:iot/signer.sign": async },
    exports: { default: async },
    additional_derives: [PartialEq, Clone],
});
