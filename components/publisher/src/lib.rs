//! The component of world `publish`: WIT values in, an exchange driven through `wasi:http`, WIT values out.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

mod client;
#[path = "../../shared/config.rs"]
mod config;
mod data_plane;
#[path = "../../shared/explained.rs"]
mod explained;
#[path = "../../shared/message.rs"]
mod message;
#[path = "../../shared/operation.rs"]
mod operation;
#[path = "../../shared/outcome.rs"]
mod outcome;
#[path = "../../shared/platform.rs"]
mod platform;
#[path = "../../shared/problem.rs"]
mod problem;
#[path = "../../shared/provisioning.rs"]
mod provisioning;
mod provisioning_calls;
#[path = "../../shared/runtime.rs"]
mod runtime;
#[path = "../../shared/sign_method.rs"]
mod sign_method;
mod signer;
#[path = "../../shared/thing_model.rs"]
mod thing_model;

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "publish" });

    use super::{Component, client};
    export!(Component);

    impl exports::thingpost::iot::publisher::Guest for Component {
        type Client = client::Client;
    }
}

struct Component;
