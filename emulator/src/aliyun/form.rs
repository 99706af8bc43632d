//! The service that registers devices takes forms where the other takes JSON, and in a form a plus is a blank. A base64
//! or a `+86` that a client forgot to escape must be read as the platform reads it, or a wrong signature looks right.

use std::collections::BTreeMap;

use crate::http1::{Framing, Request};
use crate::percent;

/// The parameters of a form, or nothing when the body is no form or names a parameter twice.
pub(super) fn parameters(request: &Request) -> Option<BTreeMap<String, String>> {
    if request.framing != Framing::Complete || !request.has_content_type("application/x-www-form-urlencoded") {
        return None;
    }
    parse(std::str::from_utf8(&request.body).ok()?)
}

fn parse(body: &str) -> Option<BTreeMap<String, String>> {
    let decode = |text: &str| percent::decode(&text.replace('+', " "));
    let mut parameters = BTreeMap::new();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if parameters.insert(decode(name)?, decode(value)?).is_some() {
            return None;
        }
    }
    Some(parameters)
}

/// A parameter that has to be there. An empty one is not.
pub(super) fn required<'a>(parameters: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_blank_and_an_escaped_one_is_a_plus() {
        let parameters = parse("a=1+2&b=1%2B2&%63=&d").unwrap();
        let expected = [("a", "1 2"), ("b", "1+2"), ("c", ""), ("d", "")];
        assert_eq!(parameters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(required(&parameters, "a"), Some("1 2"));
        assert_eq!(required(&parameters, "c"), None);
        assert_eq!(required(&parameters, "e"), None);
    }

    #[test]
    fn a_broken_escape_or_a_name_that_comes_twice_is_no_form() {
        assert_eq!(parse("a=%4"), None);
        assert_eq!(parse("a=1&b=2&a=1"), None);
    }
}
