//! Requests carry tokens, passwords and signatures, and a failed test prints whole requests into logs that others read.
//! What is shown of a request is decided here.

use std::fmt;

/// Headers whose values may be shown. A list of the secret ones could never be complete: the owner of a custom
/// authorizer chooses the name of the header that carries the token.
const HARMLESS_HEADERS: &[&str] =
    &["accept", "connection", "content-length", "content-type", "expect", "host", "transfer-encoding", "user-agent"];

/// Query parameters whose values may be shown, for the same reason.
const HARMLESS_PARAMETERS: &[&str] = &["contentType", "messageExpiry", "qos", "responseTopic", "retain"];

const REDACTED: &str = "<redacted>";

/// Shows headers without the values that may be secret.
pub(crate) struct Headers<'a>(pub(crate) &'a [(String, String)]);

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| {
            let harmless = HARMLESS_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name));
            (name, if harmless { value } else { REDACTED })
        });
        f.debug_map().entries(shown).finish()
    }
}

/// A target without the values of its query that may be secret.
pub(crate) fn without_secrets(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let shown: Vec<String> = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if !HARMLESS_PARAMETERS.contains(&name) => format!("{name}={REDACTED}"),
            Some(_) => parameter.to_owned(),
            None => REDACTED.to_owned(),
        })
        .collect();
    format!("{path}?{}", shown.join("&"))
}
