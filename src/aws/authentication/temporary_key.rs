//! A temporary key outlives the instance that asked for it. Its keeper has to know when it ends and whose it is.

use alloc::string::{String, ToString};
use core::fmt;

use super::CredentialsProvider;
use crate::aws::sigv4::Credentials;
use crate::config_error::ConfigError;
use crate::json::{self, ObjectWriter, Slot};
use crate::secret::Secret;

/// A key is renewed in the last tenth of its life, but not sooner than this before its end.
const EARLIEST_RENEWAL_MS: u64 = 5 * 60 * 1000;

/// The form of an exported session. It grows by one with every change.
const VERSION: u64 = 1;

/// A temporary key and its life.
#[derive(Clone, PartialEq, Eq)]
pub struct TemporaryKey {
    credentials: Credentials,
    obtained_unix_ms: u64,
    expires_unix_ms: u64,
}

impl TemporaryKey {
    pub(super) fn new(credentials: Credentials, obtained_unix_ms: u64, expires_unix_ms: u64) -> Self {
        Self { credentials, obtained_unix_ms, expires_unix_ms }
    }

    /// The key.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// When it ends by the local clock.
    pub fn expires_unix_ms(&self) -> u64 {
        self.expires_unix_ms
    }

    /// Whether it should be renewed.
    pub fn is_near_its_end(&self, now_unix_ms: u64) -> bool {
        let life_ms = self.expires_unix_ms.saturating_sub(self.obtained_unix_ms);
        now_unix_ms >= self.expires_unix_ms.saturating_sub((life_ms / 10).min(EARLIEST_RENEWAL_MS))
    }

    /// The session as text. A secret.
    pub fn export(&self, provider: &CredentialsProvider) -> String {
        let mut session = ObjectWriter::new();
        session.integer("version", VERSION);
        session.integer("obtainedUnixMs", self.obtained_unix_ms);
        session.integer("expiresUnixMs", self.expires_unix_ms);
        for (name, value) in belongs_to(provider) {
            session.text(name, &value);
        }
        session.text("accessKeyId", &self.credentials.access_key_id);
        session.text("secretAccessKey", self.credentials.secret_access_key.reveal());
        if let Some(token) = &self.credentials.session_token {
            session.text("sessionToken", token.reveal());
        }
        session.finish()
    }

    /// Reads what [`export`](Self::export) wrote for the same provider.
    ///
    /// # Errors
    ///
    /// Text that is none of these, is of another version, or belongs to another provider, role alias or thing.
    pub fn import(text: &str, provider: &CredentialsProvider) -> Result<Self, ConfigError> {
        let (mut version, mut obtained, mut expires) = (None, None, None);
        let (mut endpoint, mut role_alias, mut thing_name) = (None, None, None);
        let (mut access_key_id, mut secret, mut token) = (None, None, None);
        let mut wanted = [
            ("version", Slot::Integer(&mut version)),
            ("obtainedUnixMs", Slot::Integer(&mut obtained)),
            ("expiresUnixMs", Slot::Integer(&mut expires)),
            ("endpoint", Slot::Text(&mut endpoint)),
            ("roleAlias", Slot::Text(&mut role_alias)),
            ("thingName", Slot::Text(&mut thing_name)),
            ("accessKeyId", Slot::Text(&mut access_key_id)),
            ("secretAccessKey", Slot::Text(&mut secret)),
            ("sessionToken", Slot::Text(&mut token)),
        ];
        json::read(text.as_bytes(), &mut wanted);
        if version != Some(VERSION) {
            return Err(ConfigError::UnknownCredential);
        }
        if belongs_to(provider).map(|(_, value)| Some(value)) != [endpoint, role_alias, thing_name] {
            return Err(ConfigError::ForeignCredential);
        }
        let printable = |text: Option<String>| text.filter(|text| super::check_printable("", text).is_ok());
        match (printable(access_key_id), printable(secret), printable(token), obtained, expires) {
            (Some(access_key_id), Some(secret), Some(token), Some(obtained), Some(expires)) => {
                let credentials = Credentials {
                    access_key_id,
                    secret_access_key: Secret::new(secret),
                    session_token: Some(Secret::new(token)),
                };
                Ok(Self::new(credentials, obtained, expires))
            }
            _ => Err(ConfigError::UnknownCredential),
        }
    }
}

/// What makes a session useless for others.
fn belongs_to(provider: &CredentialsProvider) -> [(&'static str, String); 3] {
    [
        ("endpoint", provider.endpoint.authority()),
        ("roleAlias", provider.role_alias.clone()),
        ("thingName", provider.thing_name.as_deref().unwrap_or_default().to_string()),
    ]
}

/// Shows no key.
impl fmt::Debug for TemporaryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemporaryKey").field("expires_unix_ms", &self.expires_unix_ms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::aws::sigv4::Scope;
    use crate::endpoint::Endpoint;

    const HOUR_MS: u64 = 60 * 60 * 1000;

    fn provider(role_alias: &str) -> CredentialsProvider {
        CredentialsProvider {
            endpoint: Endpoint::new("c1.credentials.iot.eu-west-1.amazonaws.com", 443).unwrap(),
            role_alias: role_alias.into(),
            thing_name: None,
            scope: Scope { region: "eu-west-1".into(), service: "iotdata".into() },
        }
    }

    fn session() -> TemporaryKey {
        let credentials = Credentials {
            access_key_id: "ASIA1".into(),
            secret_access_key: Secret::new("secret"),
            session_token: Some(Secret::new("token")),
        };
        TemporaryKey::new(credentials, 100 * HOUR_MS, 101 * HOUR_MS)
    }

    #[test]
    fn a_key_is_renewed_shortly_before_its_end() {
        assert!(!session().is_near_its_end(100 * HOUR_MS));
        assert!(!session().is_near_its_end(101 * HOUR_MS - EARLIEST_RENEWAL_MS - 1));
        assert!(session().is_near_its_end(101 * HOUR_MS - EARLIEST_RENEWAL_MS));
        let short = TemporaryKey { expires_unix_ms: 100 * HOUR_MS + 60_000, ..session() };
        assert!(!short.is_near_its_end(100 * HOUR_MS + 53_999));
        assert!(short.is_near_its_end(100 * HOUR_MS + 54_000));
    }

    #[test]
    fn an_exported_session_comes_back_for_its_own_provider_only() {
        let text = session().export(&provider("alias"));
        assert_eq!(TemporaryKey::import(&text, &provider("alias")), Ok(session()));
        assert_eq!(TemporaryKey::import(&text, &provider("other")), Err(ConfigError::ForeignCredential));
    }

    #[test]
    fn a_session_of_another_form_is_refused() {
        let text = session().export(&provider("alias"));
        for changed in [
            text.replace("\"version\":1", "\"version\":2"),
            text.replace("\"token\"", "\"to\\nken\""),
            text.replace("expiresUnixMs", "expires"),
            String::new(),
        ] {
            assert_eq!(TemporaryKey::import(&changed, &provider("alias")), Err(ConfigError::UnknownCredential));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_imported_without_a_panic(text in any::<String>()) {
            let _ = TemporaryKey::import(&text, &provider("alias"));
        }
    }
}
