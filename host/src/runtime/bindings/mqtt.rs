//! The host's side of the world `mqtt`, but for the signer, which publishers have as well.

wasmtime::component::bindgen!({
    path: "wit",
    interfaces: "
        import thingpost:iot/dialer@0.2.0;
        import thingpost:iot/interrupt@0.2.0;
        export thingpost:iot/mqtt-session@0.2.0;
        export thingpost:iot/aws-mqtt@0.2.0;
        export thingpost:iot/aliyun-mqtt@0.2.0;
        export thingpost:iot/generic-mqtt@0.2.0;
    ",
    with: {
        "wasi:io/error": wasmtime_wasi_io::bindings::wasi::io::error,
        "wasi:io/poll": wasmtime_wasi_io::bindings::wasi::io::poll,
        "wasi:io/streams": wasmtime_wasi_io::bindings::wasi::io::streams,
        "thingpost:iot/types": crate::runtime::bindings::types,
        "thingpost:iot/aws-types": crate::runtime::bindings::aws_types,
        "thingpost:iot/aliyun-types": crate::runtime::bindings::aliyun_types,
        "thingpost:iot/generic-types": crate::runtime::bindings::generic_types,
        "thingpost:iot/dialer.dialing": crate::runtime::dialer::Dialing,
    },
    imports: { default: trappable },
    exports: { default: async },
    additional_derives: [PartialEq, Clone],
});
