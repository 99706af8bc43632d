//! The component of world `mqtt`: WIT values in, a session driven over connections that the host makes, WIT values out.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

mod config;
mod event;
#[path = "../../shared/message.rs"]
mod message;
#[path = "../../shared/no_answer.rs"]
mod no_answer;
#[path = "../../shared/outcome.rs"]
mod outcome;
#[path = "../../shared/runtime.rs"]
mod runtime;
mod session;
#[path = "../../shared/sign_method.rs"]
mod sign_method;
#[path = "../../shared/signer.rs"]
mod signer;
mod wire;

mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "mqtt",
        with: {
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
    });

    use super::{Component, session};
    // What the host says.
    pub use self::thingpost::iot::types as failures;
    export!(Component);

    impl exports::thingpost::iot::mqtt_session::Guest for Component {
        type Session = session::Session;
    }
}

struct Component;
