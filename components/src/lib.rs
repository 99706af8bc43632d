//! The components: WIT values in, the core, WIT values out.
//!
//! Each component generates its own types from `wit/`, alike in shape and foreign to each other. So all of them are this one
//! crate, built once for each with the feature that names it: what stands at the border of several is written once, and
//! `bindings` are always those of the component that is being built.
//!
//! The edge function is the exception: what it exports is of WASI, and it has no values of ours at its border. It is in
//! `edge`, and has nothing of the other modules.
//!
//! `aws`, `aliyun` and `generic` have what a platform needs in whichever component, `values` what all of them share. Another
//! platform is a folder beside those three.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

#[cfg(not(feature = "edge-function"))]
mod aliyun;
#[cfg(not(feature = "edge-function"))]
mod aws;
mod bindings;
#[cfg(feature = "edge-function")]
mod edge;
#[cfg(feature = "sans-io")]
mod exchange;
#[cfg(feature = "mqtt")]
mod generic;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(feature = "publisher")]
mod publisher;
mod runtime;
#[cfg(any(feature = "host-signer", feature = "mqtt"))]
mod signer;
#[cfg(not(feature = "edge-function"))]
mod values;

/// The component: implements every interface that its world exports.
struct Component;
