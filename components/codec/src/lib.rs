//! The component of world `codec`: WIT values in, pure functions, WIT values out. Imports nothing.
#![cfg(target_family = "wasm")]

mod aliyun;
mod aws;
#[path = "../../shared/convert.rs"]
mod convert;
mod exchange;
mod http;
mod message;

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "codec" });

    use super::{Component, exchange};
    export!(Component);

    impl exports::thingpost::iot::exchange::Guest for Component {
        type Exchange = exchange::Exchange;
    }
}

struct Component;
