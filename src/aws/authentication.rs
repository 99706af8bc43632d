//! On port 443 AWS takes a request for what its connection and its headers say it is: signed, carrying a token for an
//! authorizer, or neither. Mixing them up ends in a 403 without a word, so the way of authentication is one value.

use alloc::string::String;

use percent_encoding::utf8_percent_encode;

use super::sigv4::{self, Credentials, Scope};
use crate::http::Request;
use crate::platform::ConfigurationProblem as Problem;
use crate::secret::Secret;
use crate::topic::SEGMENT;

/// Limits of AWS for authorizers.
const MAX_AUTHORIZER_NAME: usize = 128;
const MAX_TOKEN: usize = 6144;

/// How a device shows who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// With the client certificate of the connection, which the host holds. Nothing is added to a request.
    Certificate,
    /// With a signature over each request. Port 443, no ALPN.
    SigV4 {
        /// Who signs.
        credentials: Credentials,
        /// What for.
        scope: Scope,
    },
    /// With a token that a function of the account's owner judges. Port 443, no ALPN, publishing only.
    CustomAuthorizer(CustomAuthorizer),
}

/// The bare way, without the secrets: what an explanation needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// [`Authentication::Certificate`].
    Certificate,
    /// [`Authentication::SigV4`].
    SigV4,
    /// [`Authentication::CustomAuthorizer`].
    CustomAuthorizer,
}

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

impl Authentication {
    /// Refuses what AWS refuses, or what cannot stand in a request.
    pub fn check(&self) -> Result<(), Problem> {
        match self {
            Self::Certificate => Ok(()),
            Self::SigV4 { credentials, scope } => {
                check_printable("access key id", &credentials.access_key_id)?;
                check_printable("secret access key", credentials.secret_access_key.reveal())?;
                if let Some(token) = &credentials.session_token {
                    check_printable("session token", token.reveal())?;
                }
                check_printable("region", &scope.region)?;
                check_printable("service", &scope.service)
            }
            Self::CustomAuthorizer(authorizer) => authorizer.check(),
        }
    }

    /// Which way it is.
    pub fn way(&self) -> Way {
        match self {
            Self::Certificate => Way::Certificate,
            Self::SigV4 { .. } => Way::SigV4,
            Self::CustomAuthorizer(_) => Way::CustomAuthorizer,
        }
    }

    /// The request as it may be sent at this time.
    pub(crate) fn authorise(&self, mut request: Request, unix_ms: u64) -> Request {
        match self {
            Self::Certificate => {}
            Self::SigV4 { credentials, scope } => sigv4::sign(&mut request, credentials, scope, unix_ms),
            Self::CustomAuthorizer(authorizer) => authorizer.add_to(&mut request),
        }
        request
    }
}

impl CustomAuthorizer {
    fn check(&self) -> Result<(), Problem> {
        if let Some(name) = &self.name {
            check_printable("authorizer name", name)?;
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_=,@-".contains(&byte);
            if name.len() > MAX_AUTHORIZER_NAME || !name.bytes().all(is_allowed) {
                return Err(Problem::Malformed("authorizer name"));
            }
        }
        if let Some((key_name, token)) = &self.token {
            check_printable("token key name", key_name)?;
            check_printable("token", token.reveal())?;
            // It becomes the name of a header.
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if !key_name.bytes().all(is_allowed) {
                return Err(Problem::Malformed("token key name"));
            }
            if token.reveal().len() > MAX_TOKEN {
                return Err(Problem::Malformed("token"));
            }
        }
        match &self.signature {
            Some(signature) => check_printable("token signature", signature.reveal()),
            None => Ok(()),
        }
    }

    fn add_to(&self, request: &mut Request) {
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

/// What becomes a header value, or a part of one.
fn check_printable(option: &'static str, value: &str) -> Result<(), Problem> {
    if value.is_empty() {
        return Err(Problem::Empty(option));
    }
    match value.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(Problem::WhiteSpace(option)),
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

    #[test]
    fn a_certificate_adds_nothing() {
        assert_eq!(Authentication::Certificate.authorise(request(), 0), request());
    }

    #[test]
    fn an_authorizer_finds_its_token_in_headers_as_it_is() {
        let authorised = Authentication::CustomAuthorizer(authorizer(Placement::Headers)).authorise(request(), 0);
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
        let authorised = Authentication::CustomAuthorizer(authorizer(Placement::Query)).authorise(request(), 0);
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
            Authentication::CustomAuthorizer(authorizer).check()
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
            Authentication::CustomAuthorizer(authorizer).check()
        };
        assert_eq!(with_token("a:b", "t"), Err(Problem::Malformed("token key name")));
        assert_eq!(with_token("jwt", "a\r\nb"), Err(Problem::WhiteSpace("token")));
        assert_eq!(with_token("jwt", &"t".repeat(6145)), Err(Problem::Malformed("token")));
        assert_eq!(change(|it| it.signature = Some(Secret::new(""))), Err(Problem::Empty("token signature")));
    }
}
