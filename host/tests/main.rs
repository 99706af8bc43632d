//! The transport over real TLS, against a server that counts connections and fails on command in every phase.

mod client;
mod dialing;
mod fairness;
mod handshakes;
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
mod pki;
mod pooling;
mod reconfiguring;
mod rotation;
mod self_signed;
mod sentences;
mod separation;
mod server;
mod stream_ends;
mod streams;
mod timeouts;
