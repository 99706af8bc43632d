//! What outlives a run is read by the next one, perhaps while this one still writes, perhaps after a power cut: so files are
//! written whole or not at all, secrets for their owner alone, and never in the place of something that was given as an input.

pub mod credential_file;
pub mod input_file;
pub mod lock;
pub mod private_file;
pub mod secret_file;
