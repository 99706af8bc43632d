//! The transport over real TLS, against a server that counts connections and fails on command in every phase.

mod client;
mod fairness;
mod handshakes;
mod hooks;
mod identities;
mod load;
mod outcomes;
mod pacing;
mod pki;
mod pooling;
mod rotation;
mod self_signed;
mod separation;
mod server;
mod timeouts;
