//! Who somebody is and what they may do are two questions, with two different answers when the answer is no. This is the
//! second one; it is the same for certificates, access keys and custom authorizers.

use std::collections::HashMap;

#[derive(Default)]
pub(super) struct Policy {
    denied: Vec<String>,
    /// By fingerprint, access key id or authorizer name. Nothing here allows everything.
    allowed: HashMap<String, Vec<String>>,
}

impl Policy {
    pub(super) fn deny(&mut self, prefix: &str) {
        self.denied.push(prefix.to_owned());
    }

    pub(super) fn allow_only(&mut self, principal: &str, prefix: &str) {
        self.allowed.entry(principal.to_owned()).or_default().push(prefix.to_owned());
    }

    /// Allows everything again that is not denied to all.
    pub(super) fn allow_all(&mut self, principal: &str) {
        self.allowed.remove(principal);
    }

    pub(super) fn may_publish(&self, principal: &str, topic: &str) -> bool {
        let matches = |prefixes: &[String]| prefixes.iter().any(|prefix| topic.starts_with(prefix.as_str()));
        // As in a policy document, a denial wins over any permission.
        !matches(&self.denied) && self.allowed.get(principal).is_none_or(|allowed| matches(allowed))
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
        policy.deny("secret/");
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
}
