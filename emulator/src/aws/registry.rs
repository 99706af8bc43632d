//! A certificate that AWS does not know, or knows as inactive, gets no answer at all; one whose policy lacks a topic gets
//! a 403 without a reason. Clients must tell the two apart, so the emulator keeps both lists.

use std::collections::HashMap;

use crate::pki::DeviceCertificate;

#[derive(Default)]
pub(super) struct Registry {
    devices: HashMap<String, Registration>,
    denied: Vec<String>,
}

struct Registration {
    common_name: String,
    active: bool,
    /// Nothing here allows everything.
    allowed: Vec<String>,
}

impl Registry {
    pub(super) fn register(&mut self, device: &DeviceCertificate) {
        let registration = Registration { common_name: device.common_name.clone(), active: true, allowed: Vec::new() };
        self.devices.insert(device.fingerprint.clone(), registration);
    }

    pub(super) fn deactivate(&mut self, fingerprint: &str) {
        if let Some(device) = self.devices.get_mut(fingerprint) {
            device.active = false;
        }
    }

    pub(super) fn deny(&mut self, prefix: &str) {
        self.denied.push(prefix.to_owned());
    }

    pub(super) fn allow_only(&mut self, fingerprint: &str, prefix: &str) {
        if let Some(device) = self.devices.get_mut(fingerprint) {
            device.allowed.push(prefix.to_owned());
        }
    }

    pub(super) fn is_active(&self, fingerprint: &str) -> bool {
        self.devices.get(fingerprint).is_some_and(|device| device.active)
    }

    pub(super) fn common_name(&self, fingerprint: &str) -> Option<String> {
        self.devices.get(fingerprint).map(|device| device.common_name.clone())
    }

    pub(super) fn may_publish(&self, fingerprint: &str, topic: &str) -> bool {
        let matches = |prefixes: &[String]| prefixes.iter().any(|prefix| topic.starts_with(prefix.as_str()));
        let Some(device) = self.devices.get(fingerprint) else {
            return false;
        };
        // As in a policy document, a denial wins over any permission.
        !matches(&self.denied) && (device.allowed.is_empty() || matches(&device.allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Authority;

    #[test]
    fn a_denial_wins_over_a_permission() {
        let device = Authority::new().issue_device("a");
        let mut registry = Registry::default();
        registry.register(&device);
        assert!(registry.may_publish(&device.fingerprint, "secret/x"));
        registry.allow_only(&device.fingerprint, "devices/a/");
        registry.allow_only(&device.fingerprint, "secret/");
        registry.deny("secret/");
        assert!(registry.may_publish(&device.fingerprint, "devices/a/up"));
        assert!(!registry.may_publish(&device.fingerprint, "devices/b/up"));
        assert!(!registry.may_publish(&device.fingerprint, "secret/x"));
    }
}
