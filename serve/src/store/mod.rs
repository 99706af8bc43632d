//! Names and values that outlive the process.
