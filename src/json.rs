//! Platforms answer with small JSON objects of which two or three fields matter, and they are not strict about types: a
//! number comes as a text, `null` where a text belongs. One field of another type must not cost the rest of the answer,
//! above all not the code that says whether a message was taken.
//!
//! The reader is `serde_json`, with a visitor of our own in place of derived ones. A derived one refuses the whole object
//! for a field of another type or a name that repeats, takes an array for an object, and turns numbers into floats; and
//! each would be code of its own in a component. This one opens a value by one level and leaves what is inside as it
//! stands in the document, so that numbers keep their digits. Whoever reads says what goes where:
//!
//! ```text
//! let (mut code, mut info) = (None, Json::default());
//! json::read(body, &mut [("code", Slot::Integer(&mut code)), ("info", Slot::Value(&mut info))]);
//! ```

#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use serde_core::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// How deep what we send may nest. Readers have a limit, that of `serde_json` among them. What we read may nest as it likes:
/// what is not wanted is skipped without recursion.
const MAX_DEPTH: u8 = 128;

/// Where the value of a field goes. What is of another type leaves nothing there.
pub(crate) enum Slot<'s, 'a> {
    Text(&'s mut Option<String>),
    /// Exactly or not at all. No platform sends a negative one.
    Integer(&'s mut Option<u64>),
    /// An integer, also if it is written as a text.
    Digits(&'s mut Option<u64>),
    Boolean(&'s mut Option<bool>),
    /// Whatever it is.
    Value(&'s mut Json<'a>),
}

/// A field that is wanted: its name, and where its value goes.
pub(crate) type Field<'s, 'a> = (&'static str, Slot<'s, 'a>);

/// Reads what is wanted of a document, and says whether it is an object at all.
pub(crate) fn read<'a>(document: &'a [u8], wanted: &mut [Field<'_, 'a>]) -> bool {
    core::str::from_utf8(document).is_ok_and(|text| Json(text).read(wanted))
}

/// The elements of a document that is an array.
pub(crate) fn elements(document: &[u8]) -> Option<Vec<Json<'_>>> {
    Json(core::str::from_utf8(document).ok()?).elements()
}

/// A document.
#[cfg(feature = "edge")]
pub(crate) fn value(document: &str) -> Option<Json<'_>> {
    Json::whole(document)
}

/// Whether a document is an object.
pub(crate) fn is_object(document: &[u8]) -> bool {
    core::str::from_utf8(document).ok().and_then(Json::whole).is_some_and(Json::is_object)
}

/// Whether a text is one value of any kind that every reader takes: with numbers of any size, but without half of a
/// surrogate pair, and not too deep.
pub(crate) fn is_value(text: &str) -> bool {
    let Some(value) = Json::whole(text) else { return false };
    let mut pending = vec![(value, MAX_DEPTH)];
    while let Some((value, depth)) = pending.pop() {
        let Some(depth) = depth.checked_sub(1) else { return false };
        if !value.0.starts_with(['{', '[', '"']) {
            continue;
        }
        match value.open() {
            Some(Level::Object(fields)) => pending.extend(fields.into_iter().map(|(_, value)| (value, depth))),
            Some(Level::Array(elements)) => pending.extend(elements.into_iter().map(|value| (value, depth))),
            Some(_) => {}
            None => return false,
        }
    }
    true
}

/// A value as it stands in its document. The default is that there is none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Json<'a>(&'a str);

/// As it stands in its document.
#[cfg(feature = "edge")]
impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'a> Slot<'_, 'a> {
    fn fill(&mut self, value: Json<'a>) {
        match self {
            Self::Text(slot) => **slot = value.text(),
            Self::Integer(slot) => **slot = value.0.parse().ok(),
            Self::Digits(slot) => **slot = value.0.parse().ok().or_else(|| value.text()?.parse().ok()),
            Self::Boolean(slot) => **slot = value.0.parse().ok(),
            Self::Value(slot) => **slot = value,
        }
    }
}

impl<'a> Json<'a> {
    /// The value that is all of a text.
    fn whole(text: &'a str) -> Option<Self> {
        serde_json::from_str::<&RawValue>(text).ok().map(|value| Self(value.get()))
    }

    /// Reads what is wanted of an object, and says whether it is one. Of two fields with the same name the last one counts,
    /// as usual.
    pub fn read(self, wanted: &mut [Field<'_, 'a>]) -> bool {
        let Some(Level::Object(fields)) = self.open() else { return false };
        for (name, value) in fields {
            if let Some((_, slot)) = wanted.iter_mut().find(|(wanted, _)| *wanted == name) {
                slot.fill(value);
            }
        }
        true
    }

    /// The text, without its quotes and escapes.
    pub fn text(self) -> Option<String> {
        match self.open()? {
            Level::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }

    /// Whether there is a value.
    pub fn is_there(self) -> bool {
        !self.0.is_empty()
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The first field of an object that is a text, and its name.
    pub fn first_text(self) -> Option<(String, String)> {
        let Level::Object(fields) = self.open()? else { return None };
        fields.into_iter().find_map(|(name, value)| Some((name.into_owned(), value.text()?)))
    }

    /// The elements of an array.
    pub fn elements(self) -> Option<Vec<Self>> {
        match self.open()? {
            Level::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The fields of an object.
    #[cfg(feature = "edge")]
    pub fn fields(self) -> Option<Vec<(Cow<'a, str>, Self)>> {
        match self.open()? {
            Level::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// How many bytes it has, without white space between its parts.
    pub fn bytes_without_space(self) -> usize {
        let (mut is_text, mut is_escaped) = (false, false);
        let counts = |byte: &u8| {
            is_text ^= *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            is_text || !byte.is_ascii_whitespace()
        };
        self.0.bytes().filter(counts).count()
    }

    fn open(self) -> Option<Level<'a>> {
        serde_json::from_str(self.0).ok()
    }
}

/// A value, opened by one level.
enum Level<'a> {
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
    Array(Vec<Json<'a>>),
    Text(Cow<'a, str>),
    /// A number, a truth, or null.
    Bare,
}

impl<'de> Deserialize<'de> for Level<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for one kind of value, `serde_json` would put the other that is there into words, digits of floats
        // included: more code than all the rest of it.
        deserializer.deserialize_any(OneLevel)
    }
}

struct OneLevel;

impl<'de> Visitor<'de> for OneLevel {
    type Value = Level<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Level<'de>, E> {
        Ok(Level::Bare)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Level<'de>, E> {
        Ok(Level::Bare)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Level<'de>, E> {
        Ok(Level::Bare)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Level<'de>, E> {
        Ok(Level::Bare)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Level<'de>, E> {
        Ok(Level::Bare)
    }

    fn visit_str<E>(self, text: &str) -> Result<Level<'de>, E> {
        Ok(Level::Text(Cow::Owned(text.to_string())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Level<'de>, E> {
        Ok(Level::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Level<'de>, A::Error> {
        let mut elements = Vec::new();
        while let Some(value) = array.next_element::<&RawValue>()? {
            elements.push(Json(value.get()));
        }
        Ok(Level::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Level<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<Level<'de>, &RawValue>()? {
            if let Level::Text(name) = name {
                fields.push((name, Json(value.get())));
            }
        }
        Ok(Level::Object(fields))
    }
}

/// Writes an object.
#[derive(Debug)]
pub(crate) struct ObjectWriter(String);

impl ObjectWriter {
    pub fn new() -> Self {
        Self(String::new())
    }

    /// A field that is a text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        push_text(&mut self.0, value);
    }

    /// A field that is a number.
    pub fn integer(&mut self, name: &str, value: u64) {
        self.name(name);
        self.0.push_str(&value.to_string());
    }

    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        push_text(&mut self.0, name);
        self.0.push(':');
    }

    /// The object.
    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Writes a text in quotes.
pub(crate) fn push_text(json: &mut String, text: &str) {
    // Of a text this never fails.
    json.extend(serde_json::to_string(text));
}
