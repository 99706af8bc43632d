//! Settings in a header of the request.

use alloc::borrow::ToOwned;
use alloc::string::String;

use thingpost::edge::{Head, Settings, SettingsError};

/// What the settings are made of.
pub type Given = String;

/// What there is with this request.
pub fn given(head: &Head<'_>) -> Result<Given, SettingsError> {
    head.settings().map(ToOwned::to_owned)
}

/// The settings in it.
pub fn read(given: &Given) -> Result<Settings, SettingsError> {
    Settings::from_json(given)
}
