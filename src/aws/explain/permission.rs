//! "Forbidden" is all that AWS says when a policy lacks a line. The line can be foretold: the action follows from the
//! request, the resource from its context, and only the account is not known here.

use alloc::string::String;

use super::Known;
use crate::exchange::ErrorContext;

impl Known<'_> {
    /// Whose policy most likely lacks what.
    pub(super) fn permission_step(&self, whose: &str) -> String {
        let (action, resource) = match self.context {
            ErrorContext::Publication { topic, retain: false } => ("iot:Publish", Some(["topic/", topic].concat())),
            ErrorContext::Publication { topic, retain: true } => {
                ("iot:Publish and iot:RetainPublish", Some(["topic/", topic].concat()))
            }
            ErrorContext::Authentication => ("iot:AssumeRoleWithCertificate", None),
            ErrorContext::Operation(_) => match self.operation() {
                Some(operation) => (operation.action(), operation.resource()),
                None => ("the action", None),
            },
        };
        let prefix = self.host.resource_prefix(self.config.endpoint().host()).concat();
        let resource = resource.map_or_else(|| "*".into(), |resource| [prefix, resource].concat());
        [whose, " most likely lacks ", action, " on ", &resource].concat()
    }
}
