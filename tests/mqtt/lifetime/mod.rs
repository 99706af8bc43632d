//! An instance begins, waits, is woken, lasts, and leaves to the next one what it has not finished.

mod endurance;
mod pressure;
mod unfinished;
mod waiting;
