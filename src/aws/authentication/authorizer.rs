//! A custom authorizer is a function of the account's owner. It gets its token under a name that its owner has chosen, in
//! headers or in the query, and says yes or no and nothing else.

use alloc::string::String;

use percent_encoding::utf8_percent_encode;

use super::check_printable;
use crate::config_error::ConfigError as Problem;
use crate::http::Request;
use crate::secret::Secret;
use crate::topic::SEGMENT;

/// Limits of AWS.
const MAX_NAME: usize = 128;
const MAX_TOKEN: usize = 6144;

/// What a custom authorizer is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomAuthorizer {
    /// Which one. The endpoint may have a default.
    pub name: Option<String>,
    /// The token and the name it travels under, which the authorizer's owner has chosen.
    pub token: Option<(String, Secret)>,
    /// The signature of the token in base64, where the authorizer demands one.
    pub signature: Option<Secret>,
    /// Where all of it stands.
    pub placement: Placement,
}

/// Where the credentials for a custom authorizer stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// In headers. Queries end up in logs.
    Headers,
    /// In the query.
    Query,
}

impl CustomAuthorizer {
    pub(super) fn check(&self) -> Result<(), Problem> {
        // It becomes the name of a header.
        let is_taken = |key_name: &str| {
            ["host", "content-length", "content-type", "transfer-encoding", "connection", "authorization"]
                .iter()
                .any(|taken| key_name.eq_ignore_ascii_case(taken))
        };
        if self.token.as_ref().is_some_and(|(key_name, _)| is_taken(key_name)) {
            return Err(Problem::Malformed("token key name"));
        }
        check_parts(self.name.as_deref(), self.token.as_ref(), self.signature.as_ref())
    }

    /// What an answer must not give away.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let token = self.token.as_ref().map(|(_, token)| token.reveal());
        token.into_iter().chain(self.signature.as_ref().map(Secret::reveal))
    }

    pub(super) fn add_to(&self, request: &mut Request) {
        let name = self.name.as_deref().map(|name| ("x-amz-customauthorizer-name", name));
        let token = self.token.as_ref().map(|(key_name, token)| (key_name.as_str(), token.reveal()));
        let signature = self.signature.as_ref().map(|it| ("x-amz-customauthorizer-signature", it.reveal()));
        for (name, value) in [name, token, signature].into_iter().flatten() {
            match self.placement {
                Placement::Headers => {
                    request.headers.push((name.to_ascii_lowercase().into(), value.into()));
                }
                Placement::Query => {
                    request.path_with_query.push('&');
                    request.path_with_query.extend(utf8_percent_encode(name, SEGMENT));
                    request.path_with_query.push('=');
                    request.path_with_query.extend(utf8_percent_encode(value, SEGMENT));
                }
            }
        }
    }
}

/// Refuses what AWS refuses of an authorizer, however it travels.
pub(in crate::aws) fn check_parts(
    name: Option<&str>,
    token: Option<&(String, Secret)>,
    signature: Option<&Secret>,
) -> Result<(), Problem> {
    if let Some(name) = name {
        check_printable("authorizer name", name)?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_=,@-".contains(&byte);
        if name.len() > MAX_NAME || !name.bytes().all(is_allowed) {
            return Err(Problem::Malformed("authorizer name"));
        }
    }
    if let Some((key_name, token)) = token {
        check_printable("token key name", key_name)?;
        check_printable("token", token.reveal())?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !key_name.bytes().all(is_allowed) {
            return Err(Problem::Malformed("token key name"));
        }
        if token.reveal().len() > MAX_TOKEN {
            return Err(Problem::Malformed("token"));
        }
    }
    match signature {
        Some(signature) => check_printable("token signature", signature.reveal()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request::post("a.example".into(), "/topics/a?qos=0".into(), "application/octet-stream", [].into())
    }

    fn authorizer(placement: Placement) -> CustomAuthorizer {
        CustomAuthorizer {
            name: Some("gate".into()),
            token: Some(("X-Token".into(), Secret::new("t+/="))),
            signature: Some(Secret::new("c2ln+w==")),
            placement,
        }
    }

    fn added(placement: Placement) -> Request {
        let mut request = request();
        authorizer(placement).add_to(&mut request);
        request
    }

    #[test]
    fn an_authorizer_finds_its_token_in_headers_as_it_is() {
        let authorised = added(Placement::Headers);
        assert_eq!(authorised.path_with_query, request().path_with_query);
        assert_eq!(
            authorised.headers[2..],
            [
                ("x-amz-customauthorizer-name".into(), "gate".into()),
                ("x-token".into(), "t+/=".into()),
                ("x-amz-customauthorizer-signature".into(), "c2ln+w==".into()),
            ]
        );
    }

    #[test]
    fn an_authorizer_finds_its_token_in_the_query_encoded() {
        let authorised = added(Placement::Query);
        assert_eq!(authorised.headers, request().headers);
        assert_eq!(
            authorised.path_with_query,
            "/topics/a?qos=0&x-amz-customauthorizer-name=gate&X-Token=t%2B%2F%3D\
             &x-amz-customauthorizer-signature=c2ln%2Bw%3D%3D"
        );
    }

    #[test]
    fn what_cannot_stand_in_a_request_is_refused_by_name() {
        let change = |change: fn(&mut CustomAuthorizer)| {
            let mut authorizer = authorizer(Placement::Headers);
            change(&mut authorizer);
            authorizer.check()
        };
        assert_eq!(change(|_| {}), Ok(()));
        assert_eq!(change(|it| it.name = Some("a b".into())), Err(Problem::WhiteSpace("authorizer name")));
        assert_eq!(change(|it| it.name = Some("a/b".into())), Err(Problem::Malformed("authorizer name")));
        assert_eq!(change(|it| it.name = Some("a".repeat(129))), Err(Problem::Malformed("authorizer name")));
        let token = |key_name: &str, token: &str| Some((key_name.into(), Secret::new(token)));
        assert_eq!(change(|it| it.token = None), Ok(()));
        let with_token = |key_name, value| {
            let mut authorizer = authorizer(Placement::Headers);
            authorizer.token = token(key_name, value);
            authorizer.check()
        };
        assert_eq!(with_token("Host", "t"), Err(Problem::Malformed("token key name")));
        assert_eq!(with_token("a:b", "t"), Err(Problem::Malformed("token key name")));
        assert_eq!(with_token("jwt", "a\r\nb"), Err(Problem::WhiteSpace("token")));
        assert_eq!(with_token("jwt", &"t".repeat(6145)), Err(Problem::Malformed("token")));
        assert_eq!(change(|it| it.signature = Some(Secret::new(""))), Err(Problem::Empty("token signature")));
    }
}
