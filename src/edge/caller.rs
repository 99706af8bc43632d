//! Whether a caller may publish as a device. A token that is compared byte by byte is found out byte by byte, by whoever
//! measures how long a refusal takes.

use ctutils::CtEq;

use super::head::Head;
use super::refusal::Refusal;
use crate::secret::Secret;

/// Whether the caller has shown this token, as `Authorization: Bearer TOKEN`
/// ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)). How long that takes depends on the length of the token alone.
///
/// # Errors
///
/// The token is missing, or another one.
pub fn check_caller(head: &Head<'_>, token: &Secret) -> Result<(), Refusal> {
    let shown = head.header("authorization").and_then(bearer).ok_or(Refusal::TokenMissing)?;
    match shown.ct_eq(token.reveal().as_bytes()).to_bool() {
        true => Ok(()),
        false => Err(Refusal::TokenWrong),
    }
}

/// What follows the word `Bearer`, in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
