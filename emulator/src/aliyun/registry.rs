//! A device exists before anybody knows its secret, and has another one after each registration until it has used one.
//! What a product and a device are, and in which of these states, is kept here.

use std::collections::HashMap;

use super::register::AliyunRegistration;
use crate::ledger::Device;
use crate::unique::unique_bytes;

/// A device of a product.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct DeviceName {
    pub(super) product_key: String,
    pub(super) device_name: String,
}

impl DeviceName {
    pub(super) fn new(product_key: &str, device_name: &str) -> Self {
        Self { product_key: product_key.to_owned(), device_name: device_name.to_owned() }
    }

    /// As the ledger has it.
    pub(super) fn to_device(&self) -> Device {
        Device::Aliyun { product_key: self.product_key.clone(), device_name: self.device_name.clone() }
    }
}

/// The secret of a device or a product. It has no Debug output, so that it cannot get into any other.
pub(super) struct Secret(pub(super) String);

pub(super) struct Product {
    pub(super) secret: Secret,
    /// Whether its devices may register themselves.
    pub(super) registration: bool,
}

struct Known {
    /// Nothing until one was given.
    secret: Option<Secret>,
    /// Whether it has authenticated itself with a secret that it has not replaced since.
    active: bool,
}

#[derive(Default)]
pub(super) struct Registry {
    products: HashMap<String, Product>,
    devices: HashMap<DeviceName, Known>,
    pub(super) registrations: Vec<AliyunRegistration>,
}

impl Registry {
    pub(super) fn add_device(&mut self, device: DeviceName, secret: &str) {
        self.devices.insert(device, Known { secret: Some(Secret(secret.to_owned())), active: false });
    }

    /// In the place of one of that name.
    pub(super) fn pre_register(&mut self, device: DeviceName) {
        self.devices.insert(device, Known { secret: None, active: false });
    }

    pub(super) fn add_product(&mut self, product_key: &str, product_secret: &str, registration: bool) {
        let product = Product { secret: Secret(product_secret.to_owned()), registration };
        self.products.insert(product_key.to_owned(), product);
    }

    /// One that has a secret of its own.
    pub(super) fn product(&self, product_key: &str) -> Option<&Product> {
        self.products.get(product_key)
    }

    /// Whether there is such a product, if only because it has a device.
    pub(super) fn has_product(&self, product_key: &str) -> bool {
        self.products.contains_key(product_key) || self.devices.keys().any(|device| device.product_key == product_key)
    }

    pub(super) fn has_device(&self, device: &DeviceName) -> bool {
        self.devices.contains_key(device)
    }

    /// Nothing for a device that is not known, or that has no secret yet.
    pub(super) fn secret(&self, device: &DeviceName) -> Option<&Secret> {
        self.devices.get(device)?.secret.as_ref()
    }

    /// Whether a device that is known has used its secret. Nothing for any other.
    pub(super) fn is_active(&self, device: &DeviceName) -> Option<bool> {
        Some(self.devices.get(device)?.active)
    }

    pub(super) fn activate(&mut self, device: &DeviceName) {
        if let Some(known) = self.devices.get_mut(device) {
            known.active = true;
        }
    }

    /// Gives a device a new secret, after which no older one is good.
    pub(super) fn issue_secret(&mut self, device: &DeviceName) -> String {
        // 32 characters, as the platform's own.
        let secret = hex::encode(&unique_bytes()[..16]);
        self.add_device(device.clone(), &secret);
        secret
    }
}
