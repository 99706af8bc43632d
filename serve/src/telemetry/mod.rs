//! What operators see of it.
