//! A script that is to send a message again, or must not, sees nothing of a run but its exit code.

/// How a run ends. The numbers are documented in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Delivered = 0,
    Refused = 1,
    Usage = 2,
    NotSent = 3,
    Unknown = 4,
}
