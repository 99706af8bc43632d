//! A TOML document that knows where each of its values stands.
//!
//! What is wrong with a configuration is found in two places: while it is read, and when a file that it names turns out to hold
//! something else. Both have to name the line and the key. And neither may show the line: the parser's own errors do, and people
//! write secrets into the wrong key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, ConfigProblem};

/// A spot in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: Arc<Path>,
    /// Counted from 1.
    line: usize,
    /// All the way from the top, as it would be written: `listen.tls.cert`.
    key: String,
}

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A value that is read from one of TOML.
pub(super) trait FromToml: Sized {
    /// The value, or what is wanted in its place.
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem>;
}

/// A table, of which each key is to be asked for.
pub(super) struct Section<'a> {
    text: &'a str,
    table: &'a DeTable<'a>,
    place: Place,
    known: Vec<&'static str>,
    /// Whether its names are anybody's.
    is_free: bool,
}

/// A value that is not looked at yet.
pub(super) struct Entry<'a> {
    text: &'a str,
    value: &'a DeValue<'a>,
    pub place: Place,
}

impl Place {
    pub(super) fn top(file: &Path) -> Self {
        Self { file: file.into(), line: 1, key: String::new() }
    }

    pub(super) fn error(&self, problem: impl Into<ConfigProblem>) -> ConfigError {
        ConfigError {
            file: self.file.to_path_buf(),
            line: Some(self.line),
            key: Some(self.key.clone()).filter(|key| !key.is_empty()),
            problem: problem.into(),
        }
    }

    /// What a path in the file means: one that is relative begins at the folder of the file, wherever the process was started.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    fn below(&self, key: &str, line: usize) -> Self {
        let key = if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) };
        Self { file: Arc::clone(&self.file), line, key }
    }

    fn nth(&self, index: usize, line: usize) -> Self {
        Self { file: Arc::clone(&self.file), line, key: format!("{}[{index}]", self.key) }
    }
}

/// Reads the text as TOML, and has `read` take what it knows of it.
pub(super) fn read<T>(
    file: &Path,
    text: &str,
    read: impl FnOnce(&mut Section<'_>) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let place = Place::top(file);
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        Place { line, ..place.clone() }.error(ConfigProblem::Syntax(message))
    })?;
    let mut section = Section { text, table: table.get_ref(), place, known: Vec::new(), is_free: false };
    let value = read(&mut section)?;
    section.end()?;
    Ok(value)
}

impl<'a> Section<'a> {
    /// Where the table begins.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The value of this key, if it is there.
    pub fn entry(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.known.push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(self.at(key, name.span().start, value))
    }

    /// The value of this key, if it is there.
    pub fn get<T: FromToml>(&mut self, key: &'static str) -> Result<Option<Placed<T>>, ConfigError> {
        self.entry(key).map(|entry| entry.get()).transpose()
    }

    /// Puts the value of this key in the place of the default, if it is there.
    pub fn set<T: FromToml>(&mut self, key: &'static str, value: &mut T) -> Result<(), ConfigError> {
        if let Some(given) = self.get(key)? {
            *value = given.value;
        }
        Ok(())
    }

    /// Has `read` take what it knows of the table under this key, if it is there.
    pub fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        self.entry(key).map(|entry| entry.section(read)).transpose()
    }

    /// Has `read` take what it knows of each table of the list under this key.
    pub fn sections<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Section<'_>) -> Result<T, ConfigError>,
    ) -> Result<Vec<T>, ConfigError> {
        let Some(entry) = self.entry(key) else { return Ok(Vec::new()) };
        let Some(list) = entry.list() else { return Err(entry.place.error(ConfigProblem::NotAList(key))) };
        list.into_iter().map(|entry| entry.section(&mut read)).collect()
    }

    /// All of the table, whose names are anybody's.
    pub fn entries(&mut self) -> Vec<(String, Entry<'a>)> {
        self.is_free = true;
        let table = self.table;
        table
            .iter()
            .map(|(name, value)| (name.get_ref().to_string(), self.at(name.get_ref(), name.span().start, value)))
            .collect()
    }

    fn at(&self, key: &str, offset: usize, value: &'a Spanned<DeValue<'a>>) -> Entry<'a> {
        let place = self.place.below(key, line_of(self.text, offset));
        Entry { text: self.text, value: value.get_ref(), place }
    }

    /// Refuses what was not asked for.
    fn end(self) -> Result<(), ConfigError> {
        let unknown = self.table.keys().filter(|_| !self.is_free).find(|name| !self.known.contains(&&**name.get_ref()));
        match unknown {
            None => Ok(()),
            Some(name) => {
                let place = self.place.below(name.get_ref(), line_of(self.text, name.span().start));
                let nearest = nearest(name.get_ref(), &self.known);
                Err(place.error(ConfigProblem::UnknownKey { nearest, known: self.known }))
            }
        }
    }
}

impl<'a> Entry<'a> {
    pub fn get<T: FromToml>(self) -> Result<Placed<T>, ConfigError> {
        match T::from_toml(self.value) {
            Ok(value) => Ok(Placed { value, place: self.place }),
            Err(problem) => Err(self.place.error(problem)),
        }
    }

    pub fn value(&self) -> &'a DeValue<'a> {
        self.value
    }

    pub fn section<T>(self, read: impl FnOnce(&mut Section<'_>) -> Result<T, ConfigError>) -> Result<T, ConfigError> {
        let DeValue::Table(table) = self.value else {
            return Err(self.place.error(ConfigProblem::Expected("a table, as `{ .. }` or under a line `[..]`")));
        };
        let mut section = Section { text: self.text, table, place: self.place, known: Vec::new(), is_free: false };
        let value = read(&mut section)?;
        section.end()?;
        Ok(value)
    }

    /// The elements, if it is a list.
    pub fn list(&self) -> Option<Vec<Entry<'a>>> {
        let DeValue::Array(list) = self.value else { return None };
        let at = |(index, value): (usize, &'a Spanned<DeValue<'a>>)| Entry {
            text: self.text,
            value: value.get_ref(),
            place: self.place.nth(index, line_of(self.text, value.span().start)),
        };
        Some(list.iter().enumerate().map(at).collect())
    }

    /// Its keys and values, if it is a table.
    pub fn table(&self) -> Option<Vec<(String, Entry<'a>)>> {
        let DeValue::Table(table) = self.value else { return None };
        let mut section =
            Section { text: self.text, table, place: self.place.clone(), known: Vec::new(), is_free: false };
        Some(section.entries())
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// The one of them that was probably meant: two keys of a keyboard away at most, and not for the shortest of names.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let normal = name.to_ascii_lowercase().replace('-', "_");
    let distances = known.iter().map(|known| (distance(&normal, known), *known));
    let (distance, nearest) = distances.min()?;
    (distance <= 2 && distance < nearest.len()).then_some(nearest)
}

/// How many characters have to be put in, taken away or exchanged.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, character) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for column in 0..to.len() {
            let exchanged = diagonal + usize::from(character != to[column]);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}
