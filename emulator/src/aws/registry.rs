//! A certificate that AWS does not know, or knows as inactive, gets no answer at all; one whose policy lacks a topic
//! gets a 403 without a reason. Clients must tell the two apart, so the emulator keeps who is known apart from who may
//! what.

use std::collections::HashMap;
use std::time::Duration;

use super::access_key::AccessKey;
use super::authorizer::{Authorizer, Authorizers};
use super::policy::Policy;
use super::roles::Roles;
use super::sigv4::KnownKey;
use crate::pki::DeviceCertificate;

#[derive(Default)]
pub(super) struct Registry {
    devices: HashMap<String, Registration>,
    /// The things of certificates, by their fingerprints.
    things: HashMap<String, String>,
    /// By their ids.
    access_keys: HashMap<String, AccessKey>,
    pub(super) roles: Roles,
    pub(super) authorizers: Authorizers,
    pub(super) policy: Policy,
    /// Whether a certificate that is not known is registered when it is seen for the first time.
    pub(super) registers_on_first_contact: bool,
}

struct Registration {
    /// Nothing for a certificate that was registered on first contact.
    common_name: Option<String>,
    active: bool,
}

impl Registry {
    pub(super) fn register(&mut self, device: &DeviceCertificate) {
        let registration = Registration { common_name: Some(device.common_name.clone()), active: true };
        self.policy.allow_all(&device.fingerprint);
        self.devices.insert(device.fingerprint.clone(), registration);
    }

    pub(super) fn deactivate(&mut self, fingerprint: &str) {
        if let Some(device) = self.devices.get_mut(fingerprint) {
            device.active = false;
        }
    }

    pub(super) fn attach_thing(&mut self, fingerprint: &str, thing: &str) {
        self.things.insert(fingerprint.to_owned(), thing.to_owned());
    }

    pub(super) fn add_access_key(&mut self, key: AccessKey) {
        self.policy.allow_all(&key.access_key_id);
        self.access_keys.insert(key.access_key_id.clone(), key);
    }

    pub(super) fn add_role_alias(&mut self, alias: &str, lifetime: Duration) {
        self.policy.allow_all(alias);
        self.roles.add(alias, lifetime);
    }

    pub(super) fn add_authorizer(&mut self, authorizer: Authorizer) {
        self.policy.allow_all(&authorizer.name);
        self.authorizers.add(authorizer);
    }

    /// Whether a client with this certificate is listened to. One that is seen for the first time is not, even if that
    /// registers it.
    pub(super) fn admits(&mut self, fingerprint: &str) -> bool {
        if let Some(device) = self.devices.get(fingerprint) {
            return device.active;
        }
        if self.registers_on_first_contact {
            self.devices.insert(fingerprint.to_owned(), Registration { common_name: None, active: true });
        }
        false
    }

    pub(super) fn common_name(&self, fingerprint: &str) -> Option<String> {
        self.devices.get(fingerprint)?.common_name.clone()
    }

    /// Whether a client with this certificate may say that it is this thing. One without a thing may say anything.
    pub(super) fn is_thing(&self, fingerprint: &str, thing: &str) -> bool {
        self.things.get(fingerprint).is_none_or(|attached| attached == thing)
    }

    pub(super) fn key(&self, access_key_id: &str) -> Option<KnownKey<'_>> {
        if let Some(key) = self.access_keys.get(access_key_id) {
            return Some(KnownKey { key, expires: None });
        }
        let issued = self.roles.issued(access_key_id)?;
        Some(KnownKey { key: &issued.key, expires: Some(issued.expires) })
    }

    /// The holder of an access key as the policies know it: for an issued one that is the role.
    pub(super) fn principal(&self, access_key_id: &str) -> String {
        self.roles.issued(access_key_id).map_or(access_key_id, |issued| &issued.alias).to_owned()
    }
}
