//! The component of world `codec`: WIT values in, pure functions, WIT values out. Imports nothing.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

mod aliyun;
mod aws;
#[path = "../../shared/config.rs"]
mod config;
#[path = "../../shared/explained.rs"]
mod explained;
#[path = "../../shared/http.rs"]
mod http;
#[path = "../../shared/message.rs"]
mod message;
#[path = "../../shared/operation.rs"]
mod operation;
#[path = "../../shared/outcome.rs"]
mod outcome;
#[path = "../../shared/problem.rs"]
mod problem;
#[path = "../../shared/provisioning.rs"]
mod provisioning;
#[path = "../../shared/runtime.rs"]
mod runtime;
#[path = "../../shared/sign_method.rs"]
mod sign_method;
#[path = "../../shared/thing_model.rs"]
mod thing_model;

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "codec" });

    use super::Component;
    export!(Component);
}

struct Component;
