//! The identity of a caller and its permissions are two questions, with two different answers when the answer is no.
//! This is the second one; it is the same for certificates, access keys and custom authorizers.

use std::collections::{HashMap, HashSet};

/// What a policy can deny, by the names that AWS's policies have for it behind `iot:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AwsAction {
    /// To publish, wherever.
    Publish,
    /// To publish messages that are to be retained, on top of [`AwsAction::Publish`].
    RetainPublish,
    /// To read a shadow.
    GetThingShadow,
    /// To change a shadow.
    UpdateThingShadow,
    /// To delete a shadow.
    DeleteThingShadow,
    /// To list the named shadows of a thing.
    ListNamedShadowsForThing,
    /// To read a retained message.
    GetRetainedMessage,
    /// To list the retained messages.
    ListRetainedMessages,
    /// To send a message to one client.
    SendDirectMessage,
    /// To ask about a client.
    GetConnection,
    /// To list what a client has subscribed to.
    ListSubscriptions,
    /// To disconnect a client.
    DeleteConnection,
    /// To get an access key from the credentials provider.
    AssumeRoleWithCertificate,
}

#[derive(Default)]
pub(super) struct Policy {
    denied_prefixes: Vec<String>,
    /// By fingerprint, access key id, role alias or authorizer name, as below.
    denied_actions: HashSet<(String, AwsAction)>,
    /// Nothing here allows everything.
    allowed: HashMap<String, Vec<String>>,
}

impl Policy {
    pub(super) fn deny_prefix(&mut self, prefix: &str) {
        self.denied_prefixes.push(prefix.to_owned());
    }

    pub(super) fn deny_action(&mut self, principal: &str, action: AwsAction) {
        self.denied_actions.insert((principal.to_owned(), action));
    }

    pub(super) fn allow_only(&mut self, principal: &str, prefix: &str) {
        self.allowed.entry(principal.to_owned()).or_default().push(prefix.to_owned());
    }

    /// Allows everything again that is not denied to all.
    pub(super) fn allow_all(&mut self, principal: &str) {
        self.allowed.remove(principal);
        self.denied_actions.retain(|(denied, _)| denied != principal);
    }

    pub(super) fn may(&self, principal: &str, action: AwsAction) -> bool {
        !self.denied_actions.contains(&(principal.to_owned(), action))
    }

    pub(super) fn may_publish(&self, principal: &str, topic: &str) -> bool {
        let matches = |prefixes: &[String]| prefixes.iter().any(|prefix| topic.starts_with(prefix.as_str()));
        // As in a policy document, a denial wins over any permission.
        self.may(principal, AwsAction::Publish)
            && !matches(&self.denied_prefixes)
            && self.allowed.get(principal).is_none_or(|allowed| matches(allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_wins_over_a_permission() {
        let mut policy = Policy::default();
        assert!(policy.may_publish("a", "secret/x"));
        policy.allow_only("a", "devices/a/");
        policy.allow_only("a", "secret/");
        policy.deny_prefix("secret/");
        assert!(policy.may_publish("a", "devices/a/up"));
        assert!(!policy.may_publish("a", "devices/b/up"));
        assert!(!policy.may_publish("a", "secret/x"));
    }

    #[test]
    fn a_permission_limits_nobody_else_and_can_be_forgotten() {
        let mut policy = Policy::default();
        policy.allow_only("a", "devices/a/");
        assert!(policy.may_publish("b", "devices/b/up"));
        policy.allow_all("a");
        assert!(policy.may_publish("a", "devices/b/up"));
    }

    #[test]
    fn an_action_is_denied_to_one_principal_alone_and_can_be_allowed_again() {
        let mut policy = Policy::default();
        policy.deny_action("a", AwsAction::GetConnection);
        policy.deny_action("a", AwsAction::Publish);
        assert!(!policy.may("a", AwsAction::GetConnection));
        assert!(!policy.may_publish("a", "t"));
        assert!(policy.may("a", AwsAction::DeleteConnection));
        assert!(policy.may("b", AwsAction::GetConnection));
        policy.allow_all("a");
        assert!(policy.may("a", AwsAction::GetConnection) && policy.may_publish("a", "t"));
    }
}
