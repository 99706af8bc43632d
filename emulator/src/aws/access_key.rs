//! Programs that have no certificate of their own, such as those in AWS's own cloud, sign with an access key; a
//! temporary one comes with a session token, and is worth nothing without it.

use std::fmt;

/// What a client may sign with, on the port that stands for 443.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Stands in each request.
    pub access_key_id: String,
    /// Makes signatures, and stands in no request.
    pub secret_access_key: String,
    /// Of a temporary key: has to stand in `x-amz-security-token`, which must not be sent with any other key.
    pub session_token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted = format_args!("<redacted>");
        f.debug_struct("AccessKey")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &redacted)
            .field("session_token", &self.session_token.as_ref().map(|_| redacted))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_in_the_debug_output() {
        let key = AccessKey {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "hush-secret".to_owned(),
            session_token: Some("hush-token".to_owned()),
        };
        let shown = format!("{key:?}");
        assert!(shown.contains("AKIDEXAMPLE"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
