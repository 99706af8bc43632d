//! A query is decoded once, and then only: a plus stays a plus, and what does not decode is no valid value of anything.
//! Every operation asks for its parameters here, so that no two of them read the same bytes differently.

use super::answer::Refusal;
use crate::http1::Request;
use crate::percent;

/// The first query parameter of that name, decoded. A plus stays a plus; what does not decode is taken as it stands,
/// and so is no valid value of anything.
pub(super) fn parameter(request: &Request, name: &str) -> Option<String> {
    let value = raw_parameter(request, name)?;
    Some(percent::decode(value).unwrap_or_else(|| value.to_owned()))
}

/// A query parameter as it was sent.
pub(super) fn raw_parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query()?.split('&').find_map(|parameter| match parameter.split_once('=') {
        Some((known, value)) => (known == name).then_some(value),
        None => (parameter == name).then_some(""),
    })
}

/// A parameter that is true or false, and false when it is not there.
pub(super) fn flag(request: &Request, name: &str) -> Result<bool, Refusal> {
    match parameter(request, name).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Refusal::invalid(format!("{name} must be true or false"))),
    }
}
