//! The transport over real TLS, against a server that counts connections and fails on command in every phase.

mod client;
mod handshakes;
mod hooks;
mod identities;
mod outcomes;
mod pki;
mod pooling;
mod self_signed;
mod server;
mod timeouts;
