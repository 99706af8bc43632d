//! Which line a policy lacks follows from what was asked for; only the account is not known here.

use alloc::string::String;

use super::Known;

impl Known<'_> {
    pub(super) fn whose_policy(&self) -> &'static str {
        match self.has_certificate() {
            true => "the policy of the device's certificate",
            false => "the policy that the authorizer returns",
        }
    }

    pub(super) fn may_connect(&self) -> String {
        self.permission("iot:Connect on ", "client/", &self.broker.client_id)
    }

    pub(super) fn may_publish(&self, topic: &str) -> String {
        self.permission("iot:Publish on ", "topic/", topic)
    }

    pub(super) fn may_subscribe(&self, filter: &str) -> String {
        // In a policy a `*` stands for anything, and `+` and `#` for themselves.
        let topics: String = filter.chars().map(|it| if matches!(it, '+' | '#') { '*' } else { it }).collect();
        let subscribe = self.permission("iot:Subscribe on ", "topicfilter/", filter);
        [subscribe, self.permission(", and iot:Receive on ", "topic/", &topics)].concat()
    }

    fn permission(&self, action: &str, kind: &str, name: &str) -> String {
        let prefix = self.host.resource_prefix(self.broker.endpoint.host()).concat();
        [action, &prefix, kind, name].concat()
    }
}
