//! A hundred thousand messages, one in each line of a file or a pipe: they are read ahead a little and never held all at once,
//! each has one outcome, and those that have to be sent again are kept.

pub mod failed;
mod first_line;
mod input;
pub mod long_line;
mod numbers;
pub mod source;
pub mod tally;
