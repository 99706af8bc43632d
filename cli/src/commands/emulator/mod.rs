//! For a first try there is no account and no device yet: both clouds run on this machine, with a device on each, for
//! `thingpost emulate` and `thingpost demo`.

mod clouds;
pub mod demo;
pub mod emulate;
mod examples;
mod keys;
