//! `[config]`: what guests see by `wasi:config`.
//!
//! There a value is a text. Here it may also be a number, and a list of tables where the guest wants JSON; what is secret is named by its
//! file or its variable, at any depth.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde_json::Value;
use toml::de::DeValue;

use super::document::{Entry, Place, Section};
use super::error::{ConfigError, ConfigProblem};
use super::load::{secret_of_file, secret_of_variable};
use super::units::integer;

/// A value for guests.
#[derive(Clone)]
pub struct Setting {
    place: Place,
    value: SettingValue,
}

#[derive(Clone)]
enum SettingValue {
    Text(String),
    Integer(i64),
    Boolean(bool),
    File(PathBuf),
    Variable(String),
    List(Vec<Setting>),
    Table(BTreeMap<String, Setting>),
}

pub(super) fn all_of(section: &mut Section<'_>) -> Result<BTreeMap<String, Setting>, ConfigError> {
    section.entries().into_iter().map(|(name, entry)| Ok((name, Setting::of(&entry)?))).collect()
}

impl Setting {
    fn of(entry: &Entry<'_>) -> Result<Self, ConfigError> {
        let value = match entry.value() {
            DeValue::String(text) => SettingValue::Text(text.to_string()),
            DeValue::Boolean(boolean) => SettingValue::Boolean(*boolean),
            value @ DeValue::Integer(_) => {
                let problem = ConfigProblem::Expected("a whole number of 64 bits");
                SettingValue::Integer(integer(value).ok_or_else(|| entry.place.error(problem))?)
            }
            DeValue::Array(_) => {
                let list = entry.list().unwrap_or_default();
                SettingValue::List(list.iter().map(Self::of).collect::<Result<_, _>>()?)
            }
            DeValue::Table(_) => Self::of_table(entry)?,
            DeValue::Float(_) | DeValue::Datetime(_) => {
                let problem =
                    ConfigProblem::Expected("a text in quotes, a whole number, { file = \"..\" } or { env = \"..\" }");
                return Err(entry.place.error(problem));
            }
        };
        Ok(Self { place: entry.place.clone(), value })
    }

    /// A table of one key that is `file` or `env` says where the value is, and any other one is the value.
    fn of_table(entry: &Entry<'_>) -> Result<SettingValue, ConfigError> {
        let table = entry.table().unwrap_or_default();
        if let [(name, source)] = &table[..]
            && let Some(text) = source.value().as_str()
        {
            match name.as_str() {
                "file" => return Ok(SettingValue::File(entry.place.path(text))),
                "env" => return Ok(SettingValue::Variable(text.to_owned())),
                _ => {}
            }
        }
        let values = table.iter().map(|(name, entry)| Ok((name.clone(), Self::of(entry)?)));
        Ok(SettingValue::Table(values.collect::<Result<_, _>>()?))
    }

    /// The files that it names.
    pub fn files(&self) -> Vec<PathBuf> {
        match &self.value {
            SettingValue::File(file) => vec![file.clone()],
            SettingValue::List(list) => list.iter().flat_map(Self::files).collect(),
            SettingValue::Table(table) => table.values().flat_map(Self::files).collect(),
            _ => Vec::new(),
        }
    }

    /// What the guest sees: the text itself, and JSON of what is more than a text.
    pub(super) fn resolve(&self) -> Result<String, ConfigError> {
        Ok(match self.json()? {
            Value::String(text) => text,
            value => value.to_string(),
        })
    }

    fn json(&self) -> Result<Value, ConfigError> {
        Ok(match &self.value {
            SettingValue::Text(text) => Value::from(text.as_str()),
            SettingValue::Integer(number) => Value::from(*number),
            SettingValue::Boolean(boolean) => Value::from(*boolean),
            SettingValue::File(file) => Value::from(secret_of_file(file).map_err(|problem| self.place.error(problem))?),
            SettingValue::Variable(name) => {
                Value::from(secret_of_variable(name).map_err(|problem| self.place.error(problem))?)
            }
            SettingValue::List(list) => list.iter().map(Self::json).collect::<Result<_, _>>()?,
            SettingValue::Table(table) => {
                let members = table.iter().map(|(name, value)| Ok((name.clone(), value.json()?)));
                Value::Object(members.collect::<Result<_, _>>()?)
            }
        })
    }
}

/// Shows where it is, and not what: people write secrets where they should not be.
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("place", &self.place).finish_non_exhaustive()
    }
}
