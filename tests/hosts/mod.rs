//! The edge function in hosts that others have made, as their users start them: a plain HTTP request goes in, and the ledger of an
//! emulated cloud says what came out. What a linker of ours can show is tested elsewhere; here is what only the programs
//! themselves can: which interfaces of which version they link, what they do to headers, paths and bodies on the way, whom they
//! trust, and whether they keep an instance or a value.
//!
//! `cargo xtask hosts` installs them. Where one cannot be had its tests say that they are skipped.

mod client;
mod clouds;
mod jco_serve;
mod nats;
mod oci_registry;
mod plain_front;
mod process;
mod scenarios;
mod wash_dev;
mod wash_hosts;
mod wasmtime_serve;
