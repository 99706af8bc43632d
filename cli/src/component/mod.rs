//! A device is nothing that runs: the component that speaks for it is loaded, given a way to the platform and nothing else, and
//! started again if it has failed.

pub mod mqtt;
pub mod publisher;
