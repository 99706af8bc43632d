//! World `mqtt`: a session driven over connections that the host makes.

pub mod config;
mod event;
pub mod session;
mod wire;
