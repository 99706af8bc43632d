//! The client against the emulated clouds, over real TLS.

mod clouds;
mod https;
mod mqtt;
