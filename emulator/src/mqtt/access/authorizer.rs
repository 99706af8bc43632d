//! MQTT has no headers, so a device without a certificate puts the parameters of a custom authorizer behind its user
//! name, as a query. The password goes to the authorizer as it is.

use std::fmt;

use crate::aws::Authorizer;
use crate::percent;

const NAME: &str = "x-amz-customauthorizer-name";
const SIGNATURE: &str = "x-amz-customauthorizer-signature";

/// A custom authorizer that admits one login, on the port that stands for 443.
#[derive(Clone, PartialEq, Eq)]
pub struct MqttAuthorizer {
    /// What is the same over HTTP: names, token and signature.
    pub authorizer: Authorizer,
    /// What has to stand in front of the query. `None` for any user name.
    pub user_name: Option<String>,
    /// What the password has to be. `None` for any, or none.
    pub password: Option<Vec<u8>>,
}

impl From<Authorizer> for MqttAuthorizer {
    /// One that does not care for user name and password.
    fn from(authorizer: Authorizer) -> Self {
        Self { authorizer, user_name: None, password: None }
    }
}

impl fmt::Debug for MqttAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttAuthorizer")
            .field("authorizer", &self.authorizer)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| format_args!("<redacted>")))
            .finish()
    }
}

/// What a client shows to an authorizer.
pub(super) struct Login<'a> {
    /// What stands in front of the query.
    user_name: &'a str,
    query: &'a str,
    password: Option<&'a [u8]>,
}

impl<'a> Login<'a> {
    pub(super) fn new(user_name: Option<&'a str>, password: Option<&'a [u8]>) -> Self {
        let text = user_name.unwrap_or_default();
        let (user_name, query) = text.split_once('?').unwrap_or((text, ""));
        Self { user_name, query, password }
    }

    /// Of a parameter. As in any other query, a plus that is not encoded is a blank, and so is no part of a right
    /// signature.
    fn value(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let raw = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value).next()?;
        percent::decode(&raw.replace('+', " "))
    }
}

/// The authorizers of an endpoint.
#[derive(Default)]
pub(super) struct Authorizers(Vec<MqttAuthorizer>);

impl Authorizers {
    /// Takes the place of one of the same name.
    pub(super) fn add(&mut self, new: MqttAuthorizer) {
        self.0.retain(|known| known.authorizer.name != new.authorizer.name);
        if new.authorizer.is_default {
            self.0.iter_mut().for_each(|known| known.authorizer.is_default = false);
        }
        self.0.push(new);
    }

    /// The name of the authorizer that a client asks for, known or not, or that of the default one.
    pub(super) fn asked(&self, login: &Login<'_>) -> Option<String> {
        login.value(NAME).or_else(|| {
            let default = self.0.iter().find(|known| known.authorizer.is_default)?;
            Some(default.authorizer.name.clone())
        })
    }

    pub(super) fn admits(&self, name: &str, login: &Login<'_>) -> bool {
        self.0.iter().find(|known| known.authorizer.name == name).is_some_and(|known| {
            let Authorizer { token_key_name, token, signature, .. } = &known.authorizer;
            let is_signed = signature.is_none() || login.value(SIGNATURE) == *signature;
            is_signed
                && login.value(token_key_name).as_ref() == Some(token)
                && known.user_name.as_deref().is_none_or(|expected| expected == login.user_name)
                && known.password.as_deref().is_none_or(|expected| Some(expected) == login.password)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorizers(is_default: bool) -> Authorizers {
        let authorizer = Authorizer {
            name: "gatekeeper".to_owned(),
            token_key_name: "MyToken".to_owned(),
            token: "hush-token".to_owned(),
            signature: Some("hush+/=".to_owned()),
            is_default,
        };
        let mut authorizers = Authorizers::default();
        authorizers.add(MqttAuthorizer {
            authorizer,
            user_name: Some("device".to_owned()),
            password: Some(b"hush-password".to_vec()),
        });
        authorizers
    }

    #[test]
    fn a_login_has_to_be_right_in_every_part() {
        let authorizers = authorizers(false);
        let admits = |user_name: &str, password: &[u8]| {
            let login = Login::new(Some(user_name), Some(password));
            authorizers.asked(&login).is_some_and(|name| authorizers.admits(&name, &login))
        };
        let right = "device?x-amz-customauthorizer-name=gatekeeper\
                     &x-amz-customauthorizer-signature=hush%2B%2F%3D&MyToken=hush-token";
        assert!(admits(right, b"hush-password"));
        assert!(!admits(right, b"other"));
        for (part, wrong) in [
            ("device?", "other?"),
            ("=gatekeeper", "=somebody"),
            ("hush%2B%2F%3D", "hush+%2F%3D"),
            ("hush%2B%2F%3D", "hush%2"),
            ("MyToken=hush-token", "MyToken=x"),
            ("MyToken=", "mytoken="),
            ("?", "&"),
            ("x-amz-customauthorizer-name=gatekeeper&", ""),
        ] {
            assert!(!admits(&right.replace(part, wrong), b"hush-password"), "{wrong}");
        }
    }

    #[test]
    fn the_default_authorizer_need_not_be_named() {
        let login = Login::new(
            Some("device?x-amz-customauthorizer-signature=hush%2B%2F%3D&MyToken=hush-token"),
            Some(b"hush-password"),
        );
        assert_eq!(authorizers(false).asked(&login), None);
        let authorizers = authorizers(true);
        let name = authorizers.asked(&login).unwrap();
        assert!(authorizers.admits(&name, &login));
        assert!(!authorizers.admits(&name, &Login::new(None, None)));
    }

    #[test]
    fn secrets_are_not_in_the_debug_output() {
        let shown = format!("{:?}", authorizers(false).0);
        assert!(shown.contains("gatekeeper") && !shown.contains("hush"), "{shown}");
    }
}
