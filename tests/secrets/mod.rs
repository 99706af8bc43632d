//! A component that is taken over can tell everything it knows. It must not know the private key, and it must not tell
//! the secrets that it has to know; nor must the host that they were given to.

mod aliyun;
mod aws;
mod host;
mod private_key;
mod temporary_key;

use std::fmt;

/// All that shows of an outcome.
fn shown<T: fmt::Debug, E: fmt::Debug + fmt::Display>(outcome: &Result<T, E>) -> String {
    let error = outcome.as_ref().err().map(|error| format!("{error} {error:#?}"));
    format!("{outcome:?} {}", error.unwrap_or_default())
}
