//! A token outlives the process that asked for it and ends without notice. A client is only right if it survives each
//! of the ways in which a token can end, so all of them can be brought about here.

use std::collections::HashMap;
use std::time::Duration;

use super::code::{CHECK_TOKEN_ERROR, TOKEN_EXPIRED};
use super::registry::DeviceName;
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

/// An end that a test can bring about before a token's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The platform knows that it was good once.
    Expired,
    /// The platform does not know it any more.
    Revoked,
}

pub(super) struct Tokens {
    form: TokenForm,
    lifetime: Duration,
    /// Whether a new token ends the older ones of its device. The documentation does not say, so at first it does not.
    pub(super) only_the_latest: bool,
    /// The ended ones too: the ledger still has to say whose they were.
    issued: HashMap<String, Issued>,
}

struct Issued {
    device: DeviceName,
    expires_ms: u64,
    end: Option<End>,
}

impl Tokens {
    pub(super) fn new(form: TokenForm) -> Self {
        const SEVEN_DAYS: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        Self { form, lifetime: SEVEN_DAYS, only_the_latest: false, issued: HashMap::new() }
    }

    pub(super) fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }

    /// A new token, which may end the older ones of its device whatever is usual.
    pub(super) fn issue(&mut self, device: DeviceName, now_ms: u64, ends_the_older: bool) -> String {
        if self.only_the_latest || ends_the_older {
            self.end_those_of(&device, End::Revoked);
        }
        let lifetime_ms = u64::try_from(self.lifetime.as_millis()).unwrap_or(u64::MAX);
        let expires_ms = now_ms.saturating_add(lifetime_ms);
        let token = match self.form {
            TokenForm::Hex => hex_token(),
            TokenForm::ThreeParts => three_parts(expires_ms),
        };
        self.issued.insert(token.clone(), Issued { device, expires_ms, end: None });
        token
    }

    /// The device that a token was made for, or the code to answer with.
    pub(super) fn check(&self, token: &str, now_ms: u64) -> Result<&DeviceName, u32> {
        let issued = self.issued.get(token).ok_or(CHECK_TOKEN_ERROR)?;
        match issued.end {
            Some(End::Revoked) => Err(CHECK_TOKEN_ERROR),
            Some(End::Expired) => Err(TOKEN_EXPIRED),
            None if now_ms >= issued.expires_ms => Err(TOKEN_EXPIRED),
            None => Ok(&issued.device),
        }
    }

    /// The device that a token was made for, even if it has ended.
    pub(super) fn owner(&self, token: &str) -> Option<&DeviceName> {
        self.issued.get(token).map(|issued| &issued.device)
    }

    pub(super) fn end_all(&mut self, end: End) {
        self.issued.values_mut().for_each(|issued| issued.finish(end));
    }

    pub(super) fn end_those_of(&mut self, device: &DeviceName, end: End) {
        let own = self.issued.values_mut().filter(|issued| issued.device == *device);
        own.for_each(|issued| issued.finish(end));
    }
}

impl Issued {
    /// A token that was revoked does not come back in order to expire.
    fn finish(&mut self, end: End) {
        if self.end != Some(End::Revoked) {
            self.end = Some(end);
        }
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
        DeviceName::new("pk", "dn")
    }

    #[test]
    fn a_token_is_good_until_its_time_and_not_at_it() {
        let mut tokens = Tokens::new(TokenForm::Hex);
        tokens.set_lifetime(Duration::from_millis(100));
        let token = tokens.issue(device(), 1_000, false);
        assert_eq!(tokens.check(&token, 1_099), Ok(&device()));
        assert_eq!(tokens.check(&token, 1_100), Err(TOKEN_EXPIRED));
        assert_eq!(tokens.owner(&token), Some(&device()));
    }

    #[test]
    fn a_new_token_leaves_an_older_one_alone() {
        let mut tokens = Tokens::new(TokenForm::Hex);
        let older = tokens.issue(device(), 0, false);
        let newer = tokens.issue(device(), 0, false);
        assert_ne!(older, newer);
        assert!(tokens.check(&older, 0).is_ok());
        tokens.end_all(End::Revoked);
        assert_eq!(tokens.check(&older, 0), Err(CHECK_TOKEN_ERROR));
        assert_eq!(tokens.owner(&older), Some(&device()));
    }

    #[test]
    fn a_revoked_token_cannot_expire_and_an_expired_one_can_be_revoked() {
        let mut tokens = Tokens::new(TokenForm::Hex);
        let token = tokens.issue(device(), 0, false);
        for (end, code) in
            [(End::Expired, TOKEN_EXPIRED), (End::Revoked, CHECK_TOKEN_ERROR), (End::Expired, CHECK_TOKEN_ERROR)]
        {
            tokens.end_those_of(&device(), end);
            assert_eq!(tokens.check(&token, 0), Err(code), "{end:?}");
        }
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
