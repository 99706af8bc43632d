//! The component of world `sans-io`: the state machine behind a WIT resource. Imports nothing.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

#[path = "../../shared/config.rs"]
mod config;
mod exchange;
#[path = "../../shared/explained.rs"]
mod explained;
#[path = "../../shared/http.rs"]
mod http;
#[path = "../../shared/message.rs"]
mod message;
#[path = "../../shared/no_answer.rs"]
mod no_answer;
#[path = "../../shared/outcome.rs"]
mod outcome;
#[path = "../../shared/platform.rs"]
mod platform;
#[path = "../../shared/runtime.rs"]
mod runtime;
#[path = "../../shared/sign_method.rs"]
mod sign_method;

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "sans-io" });

    use super::{Component, exchange};
    pub use exports::thingpost::iot::types as failures;
    export!(Component);

    impl exports::thingpost::iot::exchange::Guest for Component {
        type Exchange = exchange::Exchange;
    }
}

struct Component;
