//! The instances of the component that answers.
