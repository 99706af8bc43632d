//! The command line as its users have it: a process of its own, both clouds behind real TLS, and a ledger that says what
//! truly arrived. Every run here also proves that no secret and no backtrace shows; see `process`.

mod bad_devices;
mod bad_files;
mod bad_options;
mod bad_topics;
mod clouds;
mod command;
mod delivered;
mod demo;
mod emulate;
mod interruptions;
mod lines;
mod lines_failed;
mod lines_sources;
mod outcomes;
mod output;
mod process;
mod secrets;
