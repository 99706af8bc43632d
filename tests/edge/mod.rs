//! The edge function in a stock host of `wasi:http`, made in this process, so that its stores can fail, be shared and be
//! looked into: plain requests go in, and the ledger of an emulated cloud says what came out, over real TLS.
//!
//! Hosts as their users start them are in `hosts/`.

mod answers;
mod devices;
mod settings;
mod stage;
mod tokens;
