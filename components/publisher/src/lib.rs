//! The component of world `publish`: WIT values in, an exchange driven through `wasi:http`, WIT values out.
#![cfg(target_family = "wasm")]

mod client;
#[path = "../../shared/convert.rs"]
mod convert;

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "publish" });

    use super::{Component, client};
    export!(Component);

    impl exports::thingpost::iot::publisher::Guest for Component {
        type Client = client::Client;
    }
}

struct Component;
