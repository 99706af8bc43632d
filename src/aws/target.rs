//! Path and query of a request. What goes into them is anything but safe in a URL: topics with slashes, content types with
//! semicolons, tokens with `=`.

use alloc::string::{String, ToString};

use percent_encoding::utf8_percent_encode;

use crate::topic::SEGMENT;

/// A path, and a query that grows.
pub(super) struct Target {
    text: String,
    has_query: bool,
}

impl Target {
    /// A path whose segments are encoded.
    pub fn new(path: &[&str]) -> Self {
        Self { text: path.concat(), has_query: false }
    }

    /// One more parameter.
    pub fn parameter(&mut self, name: &str, value: &str) {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.text.push_str(name);
        self.text.push('=');
        self.text.extend(utf8_percent_encode(value, SEGMENT));
    }

    /// One more parameter, if there is a text for it.
    pub fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.parameter(name, value);
        }
    }

    /// One more parameter, if there is a number for it.
    pub fn number(&mut self, name: &str, value: Option<u32>) {
        if let Some(value) = value {
            self.parameter(name, &value.to_string());
        }
    }

    /// One more parameter, if it is set.
    pub fn flag(&mut self, name: &str, is_set: bool) {
        if is_set {
            self.parameter(name, "true");
        }
    }

    pub fn finish(self) -> String {
        self.text
    }
}

/// A name as one path segment.
pub(super) fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).collect()
}
