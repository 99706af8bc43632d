//! The host's side of the world `mqtt`, generated from `wit/`, without the types of the interface `types`: those are the
//! same as for publishers, so that whoever publishes over HTTPS and over MQTT has one [`Message`], one `Error` and one
//! `Receipt`. The interfaces are named one by one for that: the world exports `types`, and exports cannot be replaced.
//!
//! [`Message`]: crate::runtime::types::Message

wasmtime::component::bindgen!({
    path: "../wit",
    interfaces: "
        import thingpost:iot/dialer@0.1.0;
        import thingpost:iot/interrupt@0.1.0;
        export thingpost:iot/mqtt-session@0.1.0;
    ",
    with: {
        "wasi:io/error": wasmtime_wasi_io::bindings::wasi::io::error,
        "wasi:io/poll": wasmtime_wasi_io::bindings::wasi::io::poll,
        "wasi:io/streams": wasmtime_wasi_io::bindings::wasi::io::streams,
        "thingpost:iot/types": crate::runtime::bindings::exports::thingpost::iot::types,
        "thingpost:iot/dialer.dialing": crate::runtime::dialer::Dialing,
    },
    imports: { default: trappable },
    exports: { default: async },
    additional_derives: [PartialEq, Clone],
});
