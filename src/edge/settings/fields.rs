//! Names and values, from wherever they come. Each is taken once; what is left in the end was not meant for anything here.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use super::error::SettingsErrorKind;
use crate::json::{self, Json};

/// Settings that have not been taken yet.
#[derive(Clone)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub fn of_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        // White space around a value comes from the file that it was read from, and belongs to none.
        Self(pairs.into_iter().map(|(name, value)| (name, value.trim().to_owned())).collect())
    }

    pub fn of_object(json: &str) -> Option<Self> {
        Self::of_json(json::value(json)?)
    }

    pub fn of_list(json: &str) -> Option<Vec<Self>> {
        json::elements(json.as_bytes())?.into_iter().map(Self::of_json).collect()
    }

    /// Texts without their quotes, all else as it stands in the document.
    fn of_json(object: Json<'_>) -> Option<Self> {
        let fields = object.fields()?;
        let text = |value: Json<'_>| value.text().unwrap_or_else(|| value.to_string());
        let given = fields.into_iter().filter(|(_, value)| !value.is_null());
        Some(Self::of_pairs(given.map(|(name, value)| (name.into_owned(), text(value)))))
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// Of several with the same name the last counts, as in JSON.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let mut taken = None;
        self.0.retain_mut(|(candidate, value)| {
            let is_it = candidate == name;
            if is_it {
                taken = Some(core::mem::take(value));
            }
            !is_it
        });
        taken
    }

    pub fn required(&mut self, name: &'static str) -> Result<String, SettingsErrorKind> {
        self.take(name).ok_or(SettingsErrorKind::Missing(name))
    }

    pub fn number(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<u32>,
    ) -> Result<Option<u32>, SettingsErrorKind> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| bounds.contains(number));
        number.map(Some).ok_or(SettingsErrorKind::Rule(name, "it is a number, and neither 0 nor that large"))
    }

    pub fn choice(
        &mut self,
        name: &'static str,
        choices: &'static [&'static str],
    ) -> Result<Option<&'static str>, SettingsErrorKind> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let chosen = choices.iter().find(|choice| **choice == value);
        chosen.copied().map(Some).ok_or(SettingsErrorKind::NoneOf(name, choices))
    }

    /// Nothing may be left.
    pub fn finish(self) -> Result<(), SettingsErrorKind> {
        match self.0.into_iter().next() {
            Some((name, _)) => Err(SettingsErrorKind::Unknown(name)),
            None => Ok(()),
        }
    }
}

/// Shows the names alone.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
