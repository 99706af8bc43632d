//! The transport over real TLS, against a server that counts connections and fails on command in every phase.

mod addresses;
mod client;
mod client_rule;
mod crypto_providers;
mod dialing;
mod fairness;
mod handshakes;
mod hoarding;
mod hooks;
mod identities;
mod key_kinds;
mod late_alerts;
mod load;
mod native;
mod observing;
mod outcomes;
mod pacing;
mod peer;
mod pem_files;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod pki;
mod pooling;
mod proxies;
mod reconfiguring;
mod reloading;
mod rotation;
mod self_signed;
mod sentences;
mod separation;
mod server;
mod signing_keys;
#[cfg(feature = "pkcs11")]
mod soft_token;
mod spans;
mod stream_ends;
mod streams;
mod timeouts;
