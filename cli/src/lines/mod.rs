//! A hundred thousand messages, one in each line of a file or a pipe: they are read ahead a little and never held all at once,
//! each has one outcome, and those that have to be sent again are kept.

pub mod failed_lines;
pub mod first_line;
mod line_ranges;
pub mod long_line;
pub mod recorder;
pub mod source;
mod stoppable_input;
