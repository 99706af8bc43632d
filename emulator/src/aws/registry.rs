//! A certificate that AWS does not know, or knows as inactive, gets no answer at all; one whose policy lacks a topic gets
//! a 403 without a reason. Clients must tell the two apart, so the emulator keeps who is known apart from who may what.

use std::collections::HashMap;

use super::access_key::AccessKey;
use super::authorizer::{Authorizer, Authorizers};
use super::policy::Policy;
use crate::pki::DeviceCertificate;

#[derive(Default)]
pub(super) struct Registry {
    devices: HashMap<String, Registration>,
    /// By their ids.
    pub(super) access_keys: HashMap<String, AccessKey>,
    pub(super) authorizers: Authorizers,
    pub(super) policy: Policy,
}

struct Registration {
    common_name: String,
    active: bool,
}

impl Registry {
    pub(super) fn register(&mut self, device: &DeviceCertificate) {
        let registration = Registration { common_name: device.common_name.clone(), active: true };
        self.policy.allow_all(&device.fingerprint);
        self.devices.insert(device.fingerprint.clone(), registration);
    }

    pub(super) fn deactivate(&mut self, fingerprint: &str) {
        if let Some(device) = self.devices.get_mut(fingerprint) {
            device.active = false;
        }
    }

    pub(super) fn add_access_key(&mut self, key: AccessKey) {
        self.policy.allow_all(&key.access_key_id);
        self.access_keys.insert(key.access_key_id.clone(), key);
    }

    pub(super) fn add_authorizer(&mut self, authorizer: Authorizer) {
        self.policy.allow_all(&authorizer.name);
        self.authorizers.add(authorizer);
    }

    pub(super) fn is_active(&self, fingerprint: &str) -> bool {
        self.devices.get(fingerprint).is_some_and(|device| device.active)
    }

    pub(super) fn common_name(&self, fingerprint: &str) -> Option<String> {
        self.devices.get(fingerprint).map(|device| device.common_name.clone())
    }
}
