//! A token lives for days; an instance in a sandbox often for one call. An instance that authenticates each time is
//! soon throttled, so a token can be taken out and given to the next one.

use alloc::string::String;
use core::fmt;

use super::Device;
use crate::base64;
use crate::config_error::ConfigError;
use crate::json::{self, ObjectWriter, Slot};
use crate::secret::Secret;

/// The documented life of a token. It says nothing itself, unless it is of the old three-part form.
const LIFE_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// The form of an exported session. Whatever has another number is not understood.
const VERSION: u64 = 1;

/// What authentication gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    value: Secret,
    expires_unix_ms: Option<u64>,
}

impl Token {
    /// Takes the token as it came.
    pub fn new(value: &str) -> Self {
        Self { value: Secret::new(value), expires_unix_ms: expiry(value) }
    }

    /// Whether a text can be a token: it becomes a header value.
    pub fn is_one(value: &str) -> bool {
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// The token itself.
    pub fn value(&self) -> &str {
        self.value.reveal()
    }

    /// When it ends, if it says so.
    pub fn expires_unix_ms(&self) -> Option<u64> {
        self.expires_unix_ms
    }
}

/// Tokens of the old form are `header.body.signature` in base64url; the body is `{"expire":<ms>,"token":".."}`.
fn expiry(token: &str) -> Option<u64> {
    let mut parts = token.as_bytes().split(|byte| *byte == b'.');
    let (Some(_header), Some(body), Some(_signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let body = base64::decode(body)?;
    let mut expire = None;
    json::read(&body, &mut [("expire", Slot::Integer(&mut expire))]);
    expire
}

/// A token and when it was obtained.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    token: Token,
    obtained_unix_ms: u64,
}

impl IssuedToken {
    /// A session that begins now.
    pub fn new(token: Token, now_unix_ms: u64) -> Self {
        Self { token, obtained_unix_ms: now_unix_ms }
    }

    /// The token.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Whether the token is in the last tenth of its life, or past it: time for a new one, before a message finds
    /// out. A clock that was set back does not make a token old.
    pub fn is_near_its_end(&self, now_unix_ms: u64) -> bool {
        // A token that had already ended when it came is one that is read with a wrong clock.
        let expires = self.token.expires_unix_ms.filter(|expires| *expires > self.obtained_unix_ms);
        let expires = expires.unwrap_or(self.obtained_unix_ms.saturating_add(LIFE_MS));
        let life = expires.saturating_sub(self.obtained_unix_ms);
        now_unix_ms >= expires.saturating_sub(life / 10)
    }

    /// The session as text, for the next instance. A secret: it holds the token, though not the device secret.
    pub fn export(&self, device: &Device) -> String {
        let mut session = ObjectWriter::new();
        session.integer("version", VERSION);
        session.integer("obtainedUnixMs", self.obtained_unix_ms);
        for (name, value) in belongs_to(device) {
            session.text(name, &value);
        }
        session.text("token", self.token.value());
        session.finish()
    }

    /// Reads what [`export`](Self::export) wrote for the same device.
    ///
    /// # Errors
    ///
    /// Text that is none of these, is of another version, or belongs to another device.
    pub fn import(text: &str, device: &Device) -> Result<Self, ConfigError> {
        let (mut version, mut obtained, mut token) = (None, None, None);
        let (mut endpoint, mut product_key, mut device_name) = (None, None, None);
        let mut wanted = [
            ("version", Slot::Integer(&mut version)),
            ("obtainedUnixMs", Slot::Integer(&mut obtained)),
            ("endpoint", Slot::Text(&mut endpoint)),
            ("productKey", Slot::Text(&mut product_key)),
            ("deviceName", Slot::Text(&mut device_name)),
            ("token", Slot::Text(&mut token)),
        ];
        json::read(text.as_bytes(), &mut wanted);
        if version != Some(VERSION) {
            return Err(ConfigError::UnknownCredential);
        }
        if belongs_to(device).map(|(_, value)| Some(value)) != [endpoint, product_key, device_name] {
            return Err(ConfigError::ForeignCredential);
        }
        match (token, obtained) {
            (Some(token), Some(obtained)) if Token::is_one(&token) => Ok(Self::new(Token::new(&token), obtained)),
            _ => Err(ConfigError::UnknownCredential),
        }
    }
}

/// What a session is good for. The endpoint too: a token is no other's business.
fn belongs_to(device: &Device) -> [(&'static str, String); 3] {
    [
        ("endpoint", device.endpoint.authority()),
        ("productKey", device.product_key.clone()),
        ("deviceName", device.device_name.clone()),
    ]
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken").field("obtained_unix_ms", &self.obtained_unix_ms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::endpoint::Endpoint;

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    fn device(name: &str) -> Device {
        Device::new(Endpoint::new("a.example", 443).unwrap(), "pk", name, None).unwrap()
    }

    #[test]
    fn a_plain_token_is_renewed_in_the_last_tenth_of_seven_days() {
        let session = IssuedToken::new(Token::new("6944e5bfb92e4d4ea3918d1eda3942f6"), 100 * DAY_MS);
        assert!(!session.is_near_its_end(100 * DAY_MS));
        assert!(!session.is_near_its_end(106 * DAY_MS));
        assert!(session.is_near_its_end(107 * DAY_MS - 1));
        assert!(session.is_near_its_end(200 * DAY_MS));
        assert!(!session.is_near_its_end(0));
    }

    #[test]
    fn a_token_of_the_old_form_says_when_it_ends() {
        // {"expire":1502531507477,"token":"804f"}
        let token = Token::new("eyJ0IjoxfQ.eyJleHBpcmUiOjE1MDI1MzE1MDc0NzcsInRva2VuIjoiODA0ZiJ9.c2ln");
        assert_eq!(token.expires_unix_ms(), Some(1_502_531_507_477));
        let session = IssuedToken::new(token, 1_502_531_507_477 - 1_000);
        assert!(!session.is_near_its_end(1_502_531_507_477 - 500));
        assert!(session.is_near_its_end(1_502_531_507_477 - 50));
        let read_with_a_fast_clock = IssuedToken::new(session.token().clone(), 1_502_531_507_477 + DAY_MS);
        assert!(!read_with_a_fast_clock.is_near_its_end(1_502_531_507_477 + DAY_MS + 1));
        assert_eq!(Token::new("a.b.c").expires_unix_ms(), None);
        assert_eq!(Token::new("a.b").expires_unix_ms(), None);
    }

    #[test]
    fn an_exported_session_comes_back_for_its_own_device_only() {
        let session = IssuedToken::new(Token::new("token"), 5);
        let text = session.export(&device("dn"));
        assert_eq!(IssuedToken::import(&text, &device("dn")), Ok(session));
        assert_eq!(IssuedToken::import(&text, &device("other")), Err(ConfigError::ForeignCredential));
        let elsewhere = Device::new(Endpoint::new("b.example", 443).unwrap(), "pk", "dn", None).unwrap();
        assert_eq!(IssuedToken::import(&text, &elsewhere), Err(ConfigError::ForeignCredential));
    }

    #[test]
    fn a_session_of_another_form_is_refused() {
        let text = IssuedToken::new(Token::new("token"), 5).export(&device("dn"));
        for changed in [
            text.replace("\"version\":1", "\"version\":2"),
            text.replace("\"token\":\"token\"", "\"token\":\"to\\nken\""),
            text.replace("\"token\":\"token\"", "\"token\":\"\""),
            text.replace("obtainedUnixMs", "obtained"),
            String::new(),
            "[]".to_owned(),
        ] {
            assert_eq!(IssuedToken::import(&changed, &device("dn")), Err(ConfigError::UnknownCredential), "{changed}");
        }
    }

    #[test]
    fn debug_output_shows_no_token() {
        let session = IssuedToken::new(Token::new("hunter2"), 5);
        assert!(!format!("{session:?} {:?}", session.token()).contains("hunter2"));
    }

    proptest! {
        #[test]
        fn any_text_is_imported_without_a_panic(text in any::<String>(), token in "\\PC{0,8}\\.\\PC{0,40}\\.\\PC{0,8}") {
            let _ = IssuedToken::import(&text, &device("dn"));
            let _ = Token::new(&token);
        }
    }
}
