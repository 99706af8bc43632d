//! Each outcome is told twice, to people in sentences and to programs in records, and the two must never say different things.

pub mod interruption;
pub mod names;
pub mod printer;
pub mod report;
pub mod still_trying;
pub mod summary;
