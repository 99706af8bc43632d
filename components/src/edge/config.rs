//! Settings in the store of the host, `wasi:config`.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use thingpost::edge::{Head, Settings, SettingsError};

use crate::bindings::config::store;

/// What the settings are made of: all that the store has, of which some may be for others.
pub type Given = Vec<(String, String)>;

/// What there is now. A host may change it in the life of an instance.
pub fn given(_: &Head<'_>) -> Result<Given, SettingsError> {
    // There are stores that do not list what they have, and answer when they are asked for a name.
    store::get_all().or_else(|_| by_name())
}

fn by_name() -> Result<Given, SettingsError> {
    let mut given = Vec::new();
    for name in Settings::names() {
        let value = store::get(name).map_err(|_| SettingsError::unreadable())?;
        given.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(given)
}

/// The settings in it.
pub fn read(given: &Given) -> Result<Settings, SettingsError> {
    Settings::from_pairs(given.iter().cloned())
}
