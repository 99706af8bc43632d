//! The whole of it: the real component in the real host against the emulated clouds, over real TLS on loopback.
//!
//! The parts have tests of their own. What is tested here is what only the whole can show: that what the component
//! says of a message is what the platform has done with it. The ledger of the emulator is the judge.

mod aliyun;
mod aliyun_publishing;
mod aliyun_refusals;
mod aws_credentials_provider;
mod aws_data_plane;
mod aws_message_options;
mod aws_publishing;
mod aws_refusals;
mod aws_signed;
mod aws_ways;
mod batches;
mod bindings;
mod codec;
mod codec_aws_keys;
mod codec_aws_operations;
mod components;
mod dependencies;
mod diagnosis;
mod edge;
mod fixtures;
mod hostile;
mod hosts;
mod manifests;
mod mqtt;
mod outcomes;
mod sans_io;
mod secrets;
mod sentences;
mod streaming;
mod timeouts;
mod wit;
mod words;
