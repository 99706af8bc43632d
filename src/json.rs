//! Both platforms answer with a small JSON object of which two or three fields matter. Reading it with `serde_json`
//! costs 28 KB of each component (its `Value` and floats, without the maps), so here is a reader that finds a field by
//! its path, and a writer that quotes a text. `serde_json` is the oracle of the tests.

#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// How deep a document may nest, as in `serde_json`: what is deeper is no answer of a platform.
const MAX_DEPTH: u8 = 128;

/// The bytes of a document, known to be one JSON object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a>(Option<&'a [u8]>);

impl<'a> Object<'a> {
    /// Takes the bytes for an object if they are one, and for an empty one otherwise.
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut reader = Reader { bytes, at: 0 };
        let is_object =
            reader.peek() == Some(b'{') && reader.skip_value(MAX_DEPTH).is_some() && reader.peek().is_none();
        Self(is_object.then_some(bytes))
    }

    /// The text at this path.
    pub fn text(&self, path: &[&str]) -> Option<String> {
        let mut reader = self.find(path)?;
        reader.text().map(Cow::into_owned)
    }

    /// The integer at this path, exactly or not at all. No platform sends a negative one.
    pub fn integer(&self, path: &[&str]) -> Option<u64> {
        let mut reader = self.find(path)?;
        let from = reader.at;
        reader.skip_number()?;
        core::str::from_utf8(&reader.bytes[from..reader.at]).ok()?.parse().ok()
    }

    /// The truth at this path.
    pub fn boolean(&self, path: &[&str]) -> Option<bool> {
        match self.find(path)?.rest() {
            [b't', ..] => Some(true),
            [b'f', ..] => Some(false),
            _ => None,
        }
    }

    /// Whether the document was an object.
    pub fn is_one(&self) -> bool {
        self.0.is_some()
    }

    /// Whether there is an object at this path, or null in its place.
    pub fn has_object_or_null(&self, path: &[&str]) -> bool {
        self.find(path).is_some_and(|reader| matches!(reader.rest(), [b'{' | b'n', ..]))
    }

    /// How many bytes the value at this path has, without white space between its parts.
    pub fn bytes_without_space(&self, path: &[&str]) -> Option<usize> {
        let mut reader = self.find(path)?;
        let from = reader.at;
        reader.skip_value(MAX_DEPTH)?;
        let (mut is_text, mut is_escaped) = (false, false);
        let counts = |byte: &&u8| {
            is_text ^= **byte == b'"' && !is_escaped;
            is_escaped = **byte == b'\\' && !is_escaped;
            is_text || !byte.is_ascii_whitespace()
        };
        Some(reader.bytes.get(from..reader.at)?.iter().filter(counts).count())
    }

    /// Whether there is anything at this path.
    pub fn has(&self, path: &[&str]) -> bool {
        self.find(path).is_some()
    }

    /// The elements of the array at this path.
    pub fn elements(&self, path: &[&str]) -> Option<Vec<Element<'a>>> {
        self.find(path)?.elements()
    }

    /// The first field whose value is a text, and its name.
    pub fn first_text(&self) -> Option<(String, String)> {
        let mut reader = self.find(&[])?;
        reader.expect(b'{')?;
        let name = reader.text()?;
        reader.expect(b':')?;
        reader.peek()?;
        Some((name.into_owned(), reader.text()?.into_owned()))
    }

    /// A reader at the value. Of two fields with the same name the last one counts, as usual.
    fn find(&self, path: &[&str]) -> Option<Reader<'a>> {
        let mut reader = Reader { bytes: self.0?, at: 0 };
        for name in path {
            reader = reader.enter(name)?;
        }
        reader.peek()?;
        Some(reader)
    }
}

/// Whether a text is one JSON value of any kind.
pub(crate) fn is_value(text: &str) -> bool {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    reader.skip_value(MAX_DEPTH).is_some() && reader.peek().is_none()
}

/// One element of an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a>(&'a [u8]);

impl<'a> Element<'a> {
    /// The elements of a document that is an array.
    pub fn read_array(bytes: &'a [u8]) -> Option<Vec<Self>> {
        let mut reader = Reader { bytes, at: 0 };
        reader.skip_value(MAX_DEPTH)?;
        reader.peek().is_none().then(|| Reader { bytes, at: 0 }.elements())?
    }

    /// The element as an object, empty if it is none.
    pub fn object(self) -> Object<'a> {
        Object::read(self.0)
    }

    /// The element as a text.
    pub fn text(self) -> Option<String> {
        let mut reader = Reader { bytes: self.0, at: 0 };
        reader.peek()?;
        reader.text().map(Cow::into_owned)
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
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\x1f' => {
                let digit = |nibble: u32| char::from_digit(nibble, 16).unwrap_or('0');
                let code = u32::from(character);
                json.push_str("\\u00");
                json.extend([digit(code >> 4), digit(code & 0xf)]);
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The elements of a well-formed array.
    fn elements(mut self) -> Option<Vec<Element<'a>>> {
        let mut elements = Vec::new();
        self.expect(b'[')?;
        while self.peek()? != b']' {
            let from = self.at;
            self.skip_value(MAX_DEPTH)?;
            elements.push(Element(self.bytes.get(from..self.at)?));
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        Some(elements)
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// From the start of an object to the value of a field.
    fn enter(mut self, wanted: &str) -> Option<Self> {
        self.expect(b'{')?;
        let mut found = None;
        while self.peek()? != b'}' {
            let name = self.text()?;
            self.expect(b':')?;
            if name == wanted {
                found = Some(self);
            }
            self.skip_value(MAX_DEPTH)?;
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        found
    }

    fn skip_value(&mut self, depth: u8) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.peek()? {
            b'{' => self.skip_all(b'}', |reader| {
                reader.text()?;
                reader.expect(b':')?;
                reader.skip_value(depth)
            }),
            b'[' => self.skip_all(b']', |reader| reader.skip_value(depth)),
            b'"' => self.text().map(drop),
            b't' => self.skip_word(b"true"),
            b'f' => self.skip_word(b"false"),
            b'n' => self.skip_word(b"null"),
            _ => self.skip_number(),
        }
    }

    /// Elements between brackets, with commas between them.
    fn skip_all(&mut self, end: u8, skip_element: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        if self.peek()? == end {
            self.at += 1;
            return Some(());
        }
        loop {
            skip_element(self)?;
            match self.peek()? {
                b',' => self.at += 1,
                byte if byte == end => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn skip_word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn skip_number(&mut self) -> Option<()> {
        self.skip_if(b"-");
        let leads_with_zero = self.bytes.get(self.at) == Some(&b'0');
        if self.skip_digits()? > 1 && leads_with_zero {
            return None;
        }
        if self.skip_if(b".") {
            self.skip_digits()?;
        }
        if self.skip_if(b"eE") {
            self.skip_if(b"+-");
            self.skip_digits()?;
        }
        Some(())
    }

    fn skip_if(&mut self, any_of: &[u8]) -> bool {
        let is_there = self.bytes.get(self.at).is_some_and(|byte| any_of.contains(byte));
        self.at += usize::from(is_there);
        is_there
    }

    fn skip_digits(&mut self) -> Option<usize> {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(digits)
    }

    /// A text without its quotes and escapes. Most have none of the latter, and are part of the document as they are.
    fn text(&mut self) -> Option<Cow<'a, str>> {
        self.expect(b'"')?;
        let plain = self.plain()?;
        if self.next()? == b'"' {
            return core::str::from_utf8(plain).ok().map(Cow::Borrowed);
        }
        let mut text = plain.to_vec();
        loop {
            let character = self.escaped()?;
            text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            text.extend_from_slice(self.plain()?);
            if self.next()? == b'"' {
                return String::from_utf8(text).ok().map(Cow::Owned);
            }
        }
    }

    /// The bytes up to the next quote or backslash, which must be there.
    fn plain(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        self.at += plain;
        (rest[plain] > 0x1f).then_some(&rest[..plain])
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.code_unit()?;
                if (0xd800..0xdc00).contains(&unit) {
                    self.skip_word(b"\\u")?;
                    let low = self.code_unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    return char::from_u32(0x10000 + ((unit - 0xd800) << 10) + low);
                }
                char::from_u32(unit)?
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn code_unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.next()?).to_digit(16)?;
        }
        Some(unit)
    }
}
