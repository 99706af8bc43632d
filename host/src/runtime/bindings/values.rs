//! The types of the interface `types`, for publishers and for sessions on brokers: an embedder of both has
//! one `Message`, one `Error` and one `Receipt`.

wasmtime::component::bindgen!({
    path: "wit",
    interfaces: "import thingpost:iot/types@0.2.0;",
    additional_derives: [PartialEq, Clone],
});
