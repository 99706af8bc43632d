//! Most mistakes can be seen without a network, and a look over the network at a device that has them finds something else. So this
//! comes first: files, names, and the request that is made of them.

pub mod files;
pub mod inputs;
pub mod request;
pub mod topic;
