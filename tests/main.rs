//! The whole of it: the real component in the real host against the emulated clouds, over real TLS on loopback.
//!
//! The parts have tests of their own. What is tested here is what only the whole can show: that what the component
//! says of a message is what the platform has done with it. The ledger of the emulator is the judge.

mod aliyun_publishing;
mod aliyun_refusals;
mod aws_publishing;
mod aws_refusals;
mod batches;
mod bindings;
mod codec;
mod components;
mod fixtures;
mod outcomes;
mod sans_io;
mod secrets;
mod streaming;
mod timeouts;
mod wit;
