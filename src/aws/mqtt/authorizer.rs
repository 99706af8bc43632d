//! A CONNECT has no headers, so all that an authorizer goes by is written into the user name, as the query of a URL.
//! Hardly any client does that for its caller, and a `+` of a signature that is left as it is becomes a space.

use alloc::string::String;

use percent_encoding::utf8_percent_encode;

use crate::aws::authentication::check_authorizer;
use crate::config_error::ConfigError as Problem;
use crate::mqtt::MAX_TEXT;
use crate::secret::Secret;
use crate::topic::SEGMENT;

/// What a custom authorizer is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// Which one. The endpoint may have a default.
    pub name: Option<String>,
    /// The token and the name it travels under, which the authorizer's owner has chosen.
    pub token: Option<(String, Secret)>,
    /// The signature of the token in base64, where the authorizer demands one.
    pub signature: Option<Secret>,
    /// What stands in front of all that in the user name. It has no `?` of its own.
    pub user_name: Option<Secret>,
    /// The password, as it is. The authorizer gets it in base64.
    pub password: Option<Secret>,
}

impl Authorizer {
    /// Refuses what AWS refuses, or what cannot stand in a CONNECT.
    pub(super) fn check(&self) -> Result<(), Problem> {
        check_authorizer(self.name.as_deref(), self.token.as_ref(), self.signature.as_ref())?;
        if let Some(user_name) = self.user_name.as_ref().map(Secret::reveal) {
            if user_name.chars().any(char::is_control) {
                return Err(Problem::WhiteSpace("user name"));
            }
            if user_name.as_bytes().contains(&b'?') {
                return Err(Problem::Malformed("user name"));
            }
        }
        if self.user_name().is_some_and(|user_name| user_name.reveal().len() > MAX_TEXT) {
            return Err(Problem::Malformed("user name"));
        }
        match self.password.as_ref().map(|password| password.reveal().len()) {
            Some(0) => Err(Problem::Empty("password")),
            Some(length) if length > MAX_TEXT => Err(Problem::Malformed("password")),
            Some(_) | None => Ok(()),
        }
    }

    /// What an answer must not give away.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let token = self.token.as_ref().map(|(_, token)| token);
        let rest = [self.signature.as_ref(), self.user_name.as_ref(), self.password.as_ref()];
        core::iter::once(token).chain(rest).flatten().map(Secret::reveal)
    }

    /// The user name with what the authorizer goes by.
    pub(super) fn user_name(&self) -> Option<Secret> {
        let name = self.name.as_deref().map(|name| ("x-amz-customauthorizer-name", name));
        let signature = self.signature.as_ref().map(|it| ("x-amz-customauthorizer-signature", it.reveal()));
        let token = self.token.as_ref().map(|(key_name, token)| (key_name.as_str(), token.reveal()));
        let mut text = String::from(self.user_name.as_ref().map(Secret::reveal).unwrap_or_default());
        let mut separator = '?';
        for (name, value) in [name, signature, token].into_iter().flatten() {
            text.push(separator);
            text.extend(utf8_percent_encode(name, SEGMENT));
            text.push('=');
            text.extend(utf8_percent_encode(value, SEGMENT));
            separator = '&';
        }
        // MQTT 3.1.1 has no password without a user name.
        let is_wanted = !text.is_empty() || self.user_name.is_some() || self.password.is_some();
        is_wanted.then(|| Secret::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Authorizer {
        Authorizer { name: None, token: None, signature: None, user_name: None, password: None }
    }

    fn everything() -> Authorizer {
        Authorizer {
            name: Some("gate".into()),
            token: Some(("X-Token".into(), Secret::new("t+/="))),
            signature: Some(Secret::new("c2ln+w==")),
            user_name: Some(Secret::new("me")),
            password: Some(Secret::new("p?&= \u{e9}")),
        }
    }

    fn user_name(authorizer: &Authorizer) -> Option<String> {
        authorizer.user_name().map(|user_name| user_name.reveal().into())
    }

    #[test]
    fn an_authorizer_finds_all_it_goes_by_in_the_user_name() {
        let query =
            "?x-amz-customauthorizer-name=gate&x-amz-customauthorizer-signature=c2ln%2Bw%3D%3D&X-Token=t%2B%2F%3D";
        assert_eq!(user_name(&everything()), Some(["me", query].concat()));
        assert_eq!(user_name(&Authorizer { user_name: None, ..everything() }).as_deref(), Some(query));
        let token_alone = Authorizer { token: Some(("jwt".into(), Secret::new("a.b"))), ..nothing() };
        assert_eq!(user_name(&token_alone).as_deref(), Some("?jwt=a.b"));
    }

    #[test]
    fn with_nothing_to_add_the_user_name_stands_alone() {
        let named = Authorizer { user_name: Some(Secret::new("me")), ..nothing() };
        assert_eq!(user_name(&named).as_deref(), Some("me"));
        assert_eq!(user_name(&nothing()), None);
    }

    #[test]
    fn a_password_never_goes_without_a_user_name() {
        let authorizer = Authorizer { password: Some(Secret::new("p")), ..nothing() };
        assert_eq!(user_name(&authorizer).as_deref(), Some(""));
    }

    #[test]
    fn what_cannot_stand_in_a_connect_is_refused_by_name() {
        let change = |change: fn(&mut Authorizer)| {
            let mut authorizer = everything();
            change(&mut authorizer);
            authorizer.check()
        };
        assert_eq!(change(|_| {}), Ok(()));
        assert_eq!(nothing().check(), Ok(()));
        // Taken over HTTPS, where it is a header. Here it is not.
        assert_eq!(change(|it| it.token = Some(("Authorization".into(), Secret::new("t")))), Ok(()));
        assert_eq!(change(|it| it.name = Some("a/b".into())), Err(Problem::Malformed("authorizer name")));
        assert_eq!(
            change(|it| it.token = Some(("a b".into(), Secret::new("t")))),
            Err(Problem::WhiteSpace("token key name"))
        );
        assert_eq!(
            change(|it| it.token = Some(("jwt".into(), Secret::new("a\nb")))),
            Err(Problem::WhiteSpace("token"))
        );
        assert_eq!(change(|it| it.signature = Some(Secret::new(""))), Err(Problem::Empty("token signature")));
        assert_eq!(
            change(|it| it.signature = Some(Secret::new("s".repeat(65_536)))),
            Err(Problem::Malformed("user name"))
        );
        assert_eq!(change(|it| it.user_name = Some(Secret::new("me?jwt=a"))), Err(Problem::Malformed("user name")));
        assert_eq!(change(|it| it.user_name = Some(Secret::new("me\0"))), Err(Problem::WhiteSpace("user name")));
        assert_eq!(change(|it| it.password = Some(Secret::new(""))), Err(Problem::Empty("password")));
        assert_eq!(
            change(|it| it.password = Some(Secret::new("p".repeat(65_536)))),
            Err(Problem::Malformed("password"))
        );
    }
}
