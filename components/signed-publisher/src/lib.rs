//! The component of world `publish-signed`: the one of world `publish`, but that it lets the host sign.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

#[path = "../../publisher/src/client.rs"]
mod client;
#[path = "../../shared/config.rs"]
mod config;
#[path = "../../publisher/src/data_plane.rs"]
mod data_plane;
#[path = "../../shared/explained.rs"]
mod explained;
#[path = "../../shared/signer.rs"]
mod host_signer;
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
#[path = "../../publisher/src/provisioning_calls.rs"]
mod provisioning_calls;
#[path = "../../shared/runtime.rs"]
mod runtime;
#[path = "../../shared/sign_method.rs"]
mod sign_method;
mod signer;
#[path = "../../shared/thing_model.rs"]
mod thing_model;

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "publish-signed" });

    use super::{Component, client};
    export!(Component);

    impl exports::thingpost::iot::publisher::Guest for Component {
        type Client = client::Client;
    }
}

struct Component;
