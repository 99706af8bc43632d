//! Which servers are believed. Trust that is wider than its user meant shows nowhere until another server is
//! taken for the platform, so what is an authority, what is a single server and what is left out is decided here.

pub(crate) mod roots;
pub(crate) mod verify;
