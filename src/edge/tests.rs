//! The surface as its callers see it.

mod answers;
mod requests;
mod settings;
mod table;
