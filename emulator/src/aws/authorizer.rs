//! Devices that have neither a certificate nor an access key show a token, which a function of the user's checks. The
//! user also names the header that carries it, so nothing but the request as a whole says that it is one of these.

use std::fmt;

use super::query::raw_parameter;
use crate::http1::Request;
use crate::percent;

const NAME: &str = "x-amz-customauthorizer-name";
const SIGNATURE: &str = "x-amz-customauthorizer-signature";

/// A custom authorizer that admits one token, on the port that stands for 443.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// What requests ask for in `x-amz-customauthorizer-name`.
    pub name: String,
    /// The header, or the query parameter, that carries the token.
    pub token_key_name: String,
    /// The token that is admitted.
    pub token: String,
    /// What has to stand in `x-amz-customauthorizer-signature`. `None` for an authorizer with signing turned off, which
    /// does not look at it.
    pub signature: Option<String>,
    /// Whether requests may leave the name out. There is one such authorizer at most: the last to be added.
    pub is_default: bool,
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted = format_args!("<redacted>");
        f.debug_struct("Authorizer")
            .field("name", &self.name)
            .field("token_key_name", &self.token_key_name)
            .field("token", &redacted)
            .field("signature", &self.signature.as_ref().map(|_| redacted))
            .field("is_default", &self.is_default)
            .finish()
    }
}

/// The authorizers of an endpoint.
#[derive(Default)]
pub(super) struct Authorizers(Vec<Authorizer>);

impl Authorizers {
    /// Takes the place of one of the same name.
    pub(super) fn add(&mut self, authorizer: Authorizer) {
        self.0.retain(|known| known.name != authorizer.name);
        if authorizer.is_default {
            self.0.iter_mut().for_each(|known| known.is_default = false);
        }
        self.0.push(authorizer);
    }

    /// The name of the authorizer that a request asks for, known or not. Nothing when it does not ask for any.
    pub(super) fn asked(&self, request: &Request) -> Option<String> {
        value(request, NAME).or_else(|| {
            let default = self.0.iter().find(|authorizer| authorizer.is_default)?;
            let has = |name| value(request, name).is_some();
            (has(&default.token_key_name) || has(SIGNATURE)).then(|| default.name.clone())
        })
    }

    pub(super) fn admits(&self, name: &str, request: &Request) -> bool {
        self.0.iter().find(|authorizer| authorizer.name == name).is_some_and(|authorizer| {
            let signed = authorizer.signature.is_none() || value(request, SIGNATURE) == authorizer.signature;
            signed && value(request, &authorizer.token_key_name).as_ref() == Some(&authorizer.token)
        })
    }
}

/// From the headers, else from the query. AWS asks for the query to be encoded, base64 above all: a plus that is not
/// becomes a blank, and so is no part of a right signature any more.
fn value(request: &Request, name: &str) -> Option<String> {
    let from_query = || percent::decode(&raw_parameter(request, name)?.replace('+', " "));
    request.header(name).map(str::to_owned).or_else(from_query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_in_the_debug_output() {
        let authorizer = Authorizer {
            name: "gatekeeper".to_owned(),
            token_key_name: "MyToken".to_owned(),
            token: "hush-token".to_owned(),
            signature: Some("hush-signature".to_owned()),
            is_default: false,
        };
        let shown = format!("{authorizer:?}");
        assert!(shown.contains("gatekeeper") && shown.contains("MyToken"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
