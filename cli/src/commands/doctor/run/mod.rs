//! A doctor that looks at something else than what runs is believed and wrong: here the component itself runs, as far as the step
//! before the message, or all the way.

pub mod component;
pub mod publication;
pub mod rehearsal;
