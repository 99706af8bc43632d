//! What Aliyun alone has: tokens that end at any moment, secrets that others sign with, clocks that matter, devices that
//! register themselves, and a thing model.

mod clock;
mod codec_provisioning;
mod diagnosis;
mod endurance;
mod host_signs;
mod lint;
mod mqtt_credentials;
mod registration;
mod sessions;
mod thing_model;
