//! A device that has a certificate and wants to sign can exchange the one for a temporary key of the other. Done by hand,
//! the key is either fetched for each message or runs out in the middle of them; here it is a session like any other.

use alloc::string::String;

use percent_encoding::utf8_percent_encode;

use super::{TemporaryKey, check_printable};
use crate::aws::response::{self, Request as Asked};
use crate::aws::sigv4::{Credentials, Scope};
use crate::calendar;
use crate::config_error::ConfigError as Problem;
use crate::endpoint::Endpoint;
use crate::error::{Error, Stage};
use crate::http::{Request, Response};
use crate::json::{self, Json, Slot};
use crate::secret::Secret;
use crate::topic::SEGMENT;

/// Limits of AWS.
const MAX_ALIAS: usize = 128;

/// An endpoint that gives out temporary keys for a device certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsProvider {
    /// The credentials endpoint of the account, on port 443. It wants the client certificate, and no ALPN.
    pub endpoint: Endpoint,
    /// The role alias that names the role of the key.
    pub role_alias: String,
    /// The thing of the certificate, where policies ask for it.
    pub thing_name: Option<String>,
    /// What the key signs for.
    pub scope: Scope,
}

impl CredentialsProvider {
    pub(super) fn check(&self) -> Result<(), Problem> {
        check_printable("role alias", &self.role_alias)?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_=,@-".contains(&byte);
        if self.role_alias.len() > MAX_ALIAS || !self.role_alias.bytes().all(is_allowed) {
            return Err(Problem::Malformed("role alias"));
        }
        match &self.thing_name {
            Some(name) => check_printable("thing name", name),
            None => Ok(()),
        }
    }
}

/// The request for a key.
pub fn credentials_request(provider: &CredentialsProvider) -> Request {
    let mut path = String::from("/role-aliases/");
    path.extend(utf8_percent_encode(&provider.role_alias, SEGMENT));
    path.push_str("/credentials");
    let mut request = Request::without_body("GET", provider.endpoint.authority(), path);
    if let Some(name) = &provider.thing_name {
        request.headers.push(("x-amzn-iot-thingname".into(), name.clone()));
    }
    request
}

/// The key in the answer, which came at this time.
///
/// # Errors
///
/// What the provider refused, or why its answer cannot be read.
pub fn read_credentials_response(response: &Response, now_unix_ms: u64) -> Result<TemporaryKey, Error> {
    let answer = response::check(Asked::Credentials, response)?;
    let mut key = Json::default();
    json::read(&response.body, &mut [("credentials", Slot::Value(&mut key))]);
    let (mut access_key_id, mut secret, mut token, mut expiration) = (None, None, None, None);
    let mut wanted = [
        ("accessKeyId", Slot::Text(&mut access_key_id)),
        ("secretAccessKey", Slot::Text(&mut secret)),
        ("sessionToken", Slot::Text(&mut token)),
        ("expiration", Slot::Text(&mut expiration)),
    ];
    key.read(&mut wanted);
    let printable = |text: Option<String>| text.filter(|text| check_printable("", text).is_ok());
    let expires = expiration.and_then(|text| calendar::read_timestamp(&text));
    let (Some(access_key_id), Some(secret), Some(token), Some(expires)) =
        (printable(access_key_id), printable(secret), printable(token), expires)
    else {
        return Err(Error::malformed(Stage::Authentication, answer, "it has no whole key"));
    };
    let credentials =
        Credentials { access_key_id, secret_access_key: Secret::new(secret), session_token: Some(Secret::new(token)) };
    // By a wrong clock the key would seem to have ended, or to be good for ever: so its life counts from now.
    let answered_unix_ms = response.date_unix_ms().unwrap_or(now_unix_ms);
    let life_ms = (expires * 1000).saturating_sub(answered_unix_ms);
    Ok(TemporaryKey::new(credentials, now_unix_ms, now_unix_ms.saturating_add(life_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Cause;
    use crate::outcome::Retry;

    const EXPIRES_MS: u64 = 1_516_267_086_000;

    fn provider(thing_name: Option<&str>) -> CredentialsProvider {
        CredentialsProvider {
            endpoint: Endpoint::new("c1.credentials.iot.eu-west-1.amazonaws.com", 443).unwrap(),
            role_alias: "alias=1".into(),
            thing_name: thing_name.map(Into::into),
            scope: Scope { region: "eu-west-1".into(), service: "iotdata".into() },
        }
    }

    fn response(status: u16, date: Option<&str>, body: &str) -> Response {
        let headers = date.iter().map(|date| ("date".into(), date.as_bytes().to_vec())).collect();
        Response { status, headers, body: body.as_bytes().to_vec() }
    }

    const KEY: &str = r#"{"credentials":{"accessKeyId":"ASIA1","secretAccessKey":"hunter2","sessionToken":"to/ken+=",
        "expiration":"2018-01-18T09:18:06Z"}}"#;

    #[test]
    fn asks_for_the_alias_in_the_name_of_the_thing() {
        let request = credentials_request(&provider(Some("thing-1")));
        assert_eq!((request.method, request.path_with_query.as_str()), ("GET", "/role-aliases/alias%3D1/credentials"));
        assert_eq!(request.headers.last().unwrap(), &("x-amzn-iot-thingname".into(), "thing-1".into()));
        assert_eq!(provider(None).check(), Ok(()));
        let other = CredentialsProvider { role_alias: "a/b".into(), ..provider(None) };
        assert_eq!(other.check(), Err(Problem::Malformed("role alias")));
    }

    #[test]
    fn reads_a_key_and_when_it_ends() {
        let session = read_credentials_response(&response(200, None, KEY), EXPIRES_MS - 3_600_000).unwrap();
        assert_eq!(session.credentials().access_key_id, "ASIA1");
        assert_eq!(session.expires_unix_ms(), EXPIRES_MS);
        assert!(!format!("{session:?}").contains("hunter2"));
    }

    #[test]
    fn by_a_wrong_clock_a_key_lives_as_long_as_by_the_right_one() {
        let answer = response(200, Some("Thu, 18 Jan 2018 08:18:06 GMT"), KEY);
        let session = read_credentials_response(&answer, 5_000).unwrap();
        assert_eq!(session.expires_unix_ms(), 5_000 + 3_600_000);
    }

    #[test]
    fn half_a_key_is_none() {
        for body in
            [KEY.replace("ASIA1", ""), KEY.replace("sessionToken", "other"), KEY.replace("Z\"", "\""), "{}".into()]
        {
            let error = read_credentials_response(&response(200, None, &body), 0).unwrap_err();
            assert_eq!((error.cause, error.stage), (Cause::MalformedAnswer, Stage::Authentication), "{body}");
        }
        let error = read_credentials_response(&response(403, None, r#"{"message":"Access Denied"}"#), 0).unwrap_err();
        assert_eq!((error.cause, error.retry), (Cause::Forbidden, Retry::Never));
    }
}
