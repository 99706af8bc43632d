//! The file that says what is served, where, and for whom.
