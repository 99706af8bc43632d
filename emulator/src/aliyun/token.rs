//! A token outlives the process that asked for it and ends without notice. A client is only right if it survives each
//! of the ways in which a token can end, so all of them can be brought about here.

use std::collections::HashMap;
use std::time::Duration;

use super::DeviceName;
use super::answer::{CHECK_TOKEN_ERROR, TOKEN_EXPIRED};
use crate::base64;
use crate::unique::unique_bytes;

/// What tokens look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenForm {
    /// 32 hexadecimal digits, as today.
    Hex,
    /// Three parts in URL-safe base64 with dots between, as until 2018. The one in the middle is JSON and says when the
    /// token ends: `{"expire":1502531507477,"token":"…"}`.
    ThreeParts,
}

pub(super) struct Tokens {
    form: TokenForm,
    lifetime: Duration,
    /// A new token does not end an older one.
    issued: HashMap<String, Issued>,
}

struct Issued {
    device: DeviceName,
    expires_ms: u64,
}

impl Tokens {
    pub(super) fn new(form: TokenForm) -> Self {
        const SEVEN_DAYS: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        Self { form, lifetime: SEVEN_DAYS, issued: HashMap::new() }
    }

    pub(super) fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }

    pub(super) fn issue(&mut self, device: DeviceName, now_ms: u64) -> String {
        let lifetime_ms = u64::try_from(self.lifetime.as_millis()).unwrap_or(u64::MAX);
        let expires_ms = now_ms.saturating_add(lifetime_ms);
        let token = match self.form {
            TokenForm::Hex => hex_token(),
            TokenForm::ThreeParts => three_parts(expires_ms),
        };
        self.issued.insert(token.clone(), Issued { device, expires_ms });
        token
    }

    /// The device that a token was made for, or the code to answer with.
    pub(super) fn check(&self, token: &str, now_ms: u64) -> Result<&DeviceName, u32> {
        let issued = self.issued.get(token).ok_or(CHECK_TOKEN_ERROR)?;
        if now_ms >= issued.expires_ms {
            return Err(TOKEN_EXPIRED);
        }
        Ok(&issued.device)
    }

    /// The device that a token was made for, even if it has expired.
    pub(super) fn owner(&self, token: &str) -> Option<&DeviceName> {
        self.issued.get(token).map(|issued| &issued.device)
    }

    pub(super) fn expire_all(&mut self) {
        for issued in self.issued.values_mut() {
            issued.expires_ms = 0;
        }
    }

    pub(super) fn revoke_all(&mut self) {
        self.issued.clear();
    }
}

fn hex_token() -> String {
    hex::encode(&unique_bytes()[..16])
}

fn three_parts(expires_ms: u64) -> String {
    let header = base64::encode_url(br#"{"type":"JWT","alg":"hmacsha1"}"#);
    let middle = format!(r#"{{"expire":{expires_ms},"token":"{}"}}"#, hex_token());
    let signature = base64::encode_url(&unique_bytes()[..20]);
    format!("{header}.{}.{signature}", base64::encode_url(middle.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> DeviceName {
        DeviceName { product_key: "pk".to_owned(), device_name: "dn".to_owned() }
    }

    #[test]
    fn a_token_is_good_until_its_time_and_not_at_it() {
        let mut tokens = Tokens::new(TokenForm::Hex);
        tokens.set_lifetime(Duration::from_millis(100));
        let token = tokens.issue(device(), 1_000);
        assert_eq!(tokens.check(&token, 1_099), Ok(&device()));
        assert_eq!(tokens.check(&token, 1_100), Err(TOKEN_EXPIRED));
        assert_eq!(tokens.owner(&token), Some(&device()));
    }

    #[test]
    fn a_new_token_leaves_an_older_one_alone() {
        let mut tokens = Tokens::new(TokenForm::Hex);
        let older = tokens.issue(device(), 0);
        let newer = tokens.issue(device(), 0);
        assert_ne!(older, newer);
        assert!(tokens.check(&older, 0).is_ok());
        tokens.revoke_all();
        assert_eq!(tokens.check(&older, 0), Err(CHECK_TOKEN_ERROR));
    }

    #[test]
    fn an_old_token_has_the_captured_length_and_three_parts() {
        let token = three_parts(1_502_531_507_477);
        assert_eq!(token.split('.').count(), 3);
        let beginning = base64::encode_url(br#"{"expire":1502531507477,"token":""#);
        assert!(token.split('.').nth(1).unwrap().starts_with(&beginning[..40]));
        assert_eq!(token.len(), 161);
    }
}
