//! The files that all tools of AWS share, in the form that those tools read.
//!
//! It looks like INI, and readers of INI take half a key for a whole one. A secret has `/` and `+` and may end with `=`, so
//! there are no escapes and no quotes, and `#` and `;` begin a comment only after white space; an indented line belongs to
//! the setting above it, so that a `region` nested under `s3` is not the profile's. `rust-ini` can be made to read all that,
//! but reads on where a line has no `=`, over the next section if need be. AWS's own reader is part of a crate that brings
//! its SDK along. Its rules are a few lines.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The settings of one section of a file.
pub(super) struct Settings {
    pub(super) path: PathBuf,
    /// None: there is no such section, or no file.
    section: Option<HashMap<String, String>>,
}

/// Why a file is of no use. Does not quote it: it holds keys.
#[derive(Debug)]
pub(super) enum SettingsError {
    Unreadable { path: PathBuf, error: io::Error },
    NoText { path: PathBuf },
    Malformed { path: PathBuf, line: usize },
}

impl Settings {
    /// Reads the sections for which this holds.
    pub(super) fn read(path: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<Self, SettingsError> {
        let path = path.to_owned();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { path, section: None }),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(SettingsError::NoText { path }),
            Err(error) => return Err(SettingsError::Unreadable { path, error }),
        };
        match section(&text, is_wanted) {
            Ok(section) => Ok(Self { path, section }),
            Err(line) => Err(SettingsError::Malformed { path, line }),
        }
    }

    pub(super) fn exists(&self) -> bool {
        self.section.is_some()
    }

    /// One that is set to nothing is not set.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.section.as_ref()?.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Or the number of the line that cannot be read. Sections of the same name are one.
fn section(text: &str, is_wanted: impl Fn(&str) -> bool) -> Result<Option<HashMap<String, String>>, usize> {
    let mut section: Option<HashMap<String, String>> = None;
    let mut is_inside = None;
    let mut last = None;
    // Editors of Windows put a mark before the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim_matches(WHITE_SPACE);
        if trimmed.is_empty() || trimmed.starts_with(COMMENT) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let (name, _) = rest.split_once(']').ok_or(number)?;
            let is_this = is_wanted(name.trim_matches(WHITE_SPACE));
            if is_this {
                section.get_or_insert_default();
            }
            (is_inside, last) = (Some(is_this), None);
            continue;
        }
        let is_inside = is_inside.ok_or(number)?;
        if line.starts_with(WHITE_SPACE) {
            let name: &String = last.as_ref().ok_or(number)?;
            if let Some(value) = section.as_mut().filter(|_| is_inside).and_then(|section| section.get_mut(name)) {
                value.push('\n');
                value.push_str(trimmed);
            }
            continue;
        }
        let (name, value) = without_comment(line).split_once('=').ok_or(number)?;
        let name = name.trim_matches(WHITE_SPACE).to_ascii_lowercase();
        if name.is_empty() {
            return Err(number);
        }
        if let Some(section) = section.as_mut().filter(|_| is_inside) {
            section.insert(name.clone(), value.trim_matches(WHITE_SPACE).to_owned());
        }
        last = Some(name);
    }
    Ok(section)
}

const WHITE_SPACE: [char; 2] = [' ', '\t'];
const COMMENT: [char; 2] = ['#', ';'];

fn without_comment(line: &str) -> &str {
    let begins = |(at, _): &(usize, &str)| line[..*at].ends_with(WHITE_SPACE);
    line.match_indices(COMMENT).find(begins).map_or(line, |(at, _)| &line[..at])
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => write!(
                f,
                "cannot read {}: {error}; mend that, or name another file in AWS_SHARED_CREDENTIALS_FILE or AWS_CONFIG_FILE",
                path.display()
            ),
            Self::NoText { path } => {
                write!(f, "cannot read {}: it is not text in UTF-8; save it as such", path.display())
            }
            Self::Malformed { path, line } => write!(
                f,
                "{} cannot be read, line {line} is neither a section (`[NAME]`) nor a setting (`NAME = VALUE`)",
                path.display()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str, name: &str) -> Option<String> {
        section(text, |section| section == "default").unwrap()?.remove(name)
    }

    #[test]
    fn a_value_is_taken_as_it_stands_up_to_a_comment() {
        for (line, value) in [
            ("k=a/b+c==", "a/b+c=="),
            ("k = a#b;c", "a#b;c"),
            ("k = a # b", "a"),
            ("k = a\t;b", "a"),
            (r#"k = "a'\n"#, r#""a'\n"#),
            ("K = a  ", "a"),
            ("k = é", "é"),
        ] {
            assert_eq!(get(&format!("[default]\n{line}\nother = x\n"), "k").as_deref(), Some(value), "{line}");
            assert_eq!(get(&format!("\u{feff}[default]\r\n{line}\r\n"), "k").as_deref(), Some(value), "{line}");
        }
    }

    #[test]
    fn what_is_nested_is_not_a_setting_of_the_section() {
        let text = "[default]\ns3 =\n  region = wrong\n  max = 5\nregion = right\n";
        assert_eq!(get(text, "region").as_deref(), Some("right"));
        assert_eq!(get("[default]\ns3 =\n    region = wrong\n", "region"), None);
    }

    #[test]
    fn a_section_that_occurs_twice_is_one_and_the_later_setting_counts() {
        let text = "# comment\n[default] ; comment\na = 1\nb = 1\n[other]\na = 2\n\n[default]\na = 3\n";
        assert_eq!((get(text, "a").as_deref(), get(text, "b").as_deref()), (Some("3"), Some("1")));
    }

    #[test]
    fn an_indented_line_belongs_to_the_setting_above_it() {
        assert_eq!(get("[default]\nk = a\n  b = c\n", "k").as_deref(), Some("a\nb = c"));
        assert_eq!(get("[default]\nk = a\n[other]\nk = b\n  c\n", "k").as_deref(), Some("a"));
    }

    #[test]
    fn a_line_that_is_nothing_is_counted_and_not_quoted() {
        for text in ["k = v\n", "[default]\nhush\n", "[default]\n = hush\n", "[default\n", "[default]\n  hush\n"] {
            let line = section(text, |_| true).unwrap_err();
            assert_eq!(line, text.lines().count(), "{text}");
            let error = SettingsError::Malformed { path: "f".into(), line }.to_string();
            assert!(error.contains(&format!("line {line} ")) && !error.contains("hush"), "{error}");
        }
    }
}
