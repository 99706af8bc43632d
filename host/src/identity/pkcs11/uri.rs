//! URIs of objects on tokens, as RFC 7512 has them.
//!
//! One string says which library to load, which token to look for, what to look for on it and where its PIN is. Tools
//! differ in what of it they read, and pass over the rest: a `slot-id` that nobody looks at finds the key of another token. Here each
//! attribute is either looked at or refused.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::percent::{self, Part, ValueFault};
use super::pin::{Pin, PinSource};

/// A URI that names a key or a certificate on a token: `pkcs11:token=..;object=..?module-path=..&pin-source=..`
/// ([RFC 7512](https://www.rfc-editor.org/rfc/rfc7512)).
///
/// Its `Display` is what stands before the `?`, as it was written, and so never has a PIN in it.
#[derive(Clone)]
pub struct Pkcs11Uri {
    written: String,
    path: BTreeMap<PathAttribute, Vec<u8>>,
    module_path: Option<PathBuf>,
    module_name: Option<String>,
    pin: Option<PinSource>,
}

/// What stands before the `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PathAttribute {
    Token,
    Manufacturer,
    Serial,
    Model,
    LibraryManufacturer,
    LibraryDescription,
    LibraryVersion,
    Object,
    Type,
    Id,
    SlotManufacturer,
    SlotDescription,
    SlotId,
}

use PathAttribute as P;

const PATH_ATTRIBUTES: [(&str, PathAttribute); 13] = [
    ("token", P::Token),
    ("manufacturer", P::Manufacturer),
    ("serial", P::Serial),
    ("model", P::Model),
    ("library-manufacturer", P::LibraryManufacturer),
    ("library-description", P::LibraryDescription),
    ("library-version", P::LibraryVersion),
    ("object", P::Object),
    ("type", P::Type),
    ("id", P::Id),
    ("slot-manufacturer", P::SlotManufacturer),
    ("slot-description", P::SlotDescription),
    ("slot-id", P::SlotId),
];

const QUERY_ATTRIBUTES: [&str; 4] = ["pin-source", "pin-value", "module-name", "module-path"];

const TYPES: [&str; 5] = ["public", "private", "cert", "secret-key", "data"];

/// The reason why a text is no URI of an object on a token. Never has anything of a PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkcs11UriError {
    /// It does not begin with `pkcs11:`.
    Scheme,
    /// An attribute that RFC 7512 does not have.
    UnknownAttribute {
        /// Its name.
        name: String,
    },
    /// An attribute on the wrong side of the `?`.
    Misplaced {
        /// Its name.
        name: &'static str,
    },
    /// An attribute that stands there twice.
    Repeated {
        /// Its name.
        name: &'static str,
    },
    /// Something without a `=`.
    NoValue,
    /// A `%` without two hexadecimal digits behind it.
    Percent {
        /// The name of the attribute.
        name: &'static str,
    },
    /// A character that has to be written as a `%` and its number.
    Character {
        /// The name of the attribute.
        name: &'static str,
        /// The character; not of a PIN.
        character: Option<char>,
    },
    /// The value of `type` is none of those that there are.
    Type,
    /// The value of `slot-id` is no number.
    SlotId,
    /// The value of an attribute that names a file is empty, or no text.
    NotAPath {
        /// The name of the attribute.
        name: &'static str,
    },
    /// The PIN is to come from something that is no file.
    PinSource,
    /// Both `pin-source` and `pin-value`.
    TwoPins,
    /// A PIN within the value of another attribute, because something else than a separator stands before it.
    PinInside {
        /// The name of the attribute.
        name: &'static str,
    },
}

impl FromStr for Pkcs11Uri {
    type Err = Pkcs11UriError;

    fn from_str(uri: &str) -> Result<Self, Pkcs11UriError> {
        let rest = Self::without_scheme(uri).ok_or(Pkcs11UriError::Scheme)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parsed = Self {
            written: format!("pkcs11:{path}"),
            path: BTreeMap::new(),
            module_path: None,
            module_name: None,
            pin: None,
        };
        for attribute in path.split(';').filter(|attribute| !attribute.is_empty()) {
            parsed.read_path_attribute(attribute)?;
        }
        let mut seen = Vec::new();
        for attribute in query.split('&').filter(|attribute| !attribute.is_empty()) {
            parsed.read_query_attribute(attribute, &mut seen)?;
        }
        Ok(parsed)
    }
}

impl Pkcs11Uri {
    /// Whether the PIN itself stands in it. On a command line anybody on the machine reads it there.
    pub fn has_pin_value(&self) -> bool {
        matches!(self.pin, Some(PinSource::Value(_)))
    }

    /// The file with the PIN, if it names one.
    pub fn pin_file(&self) -> Option<&Path> {
        match &self.pin {
            Some(PinSource::File(file)) => Some(file),
            _ => None,
        }
    }

    fn without_scheme(text: &str) -> Option<&str> {
        let (scheme, rest) = text.split_at_checked("pkcs11:".len())?;
        scheme.eq_ignore_ascii_case("pkcs11:").then_some(rest)
    }

    pub(super) fn get(&self, attribute: PathAttribute) -> Option<&[u8]> {
        self.path.get(&attribute).map(Vec::as_slice)
    }

    pub(super) fn slot_id(&self) -> Option<u64> {
        str::from_utf8(self.get(P::SlotId)?).ok()?.parse().ok()
    }

    pub(super) fn module_path(&self) -> Option<&PathBuf> {
        self.module_path.as_ref()
    }

    pub(super) fn module_name(&self) -> Option<&str> {
        self.module_name.as_deref()
    }

    pub(super) fn pin(&self) -> Option<&PinSource> {
        self.pin.as_ref()
    }

    fn read_path_attribute(&mut self, attribute: &str) -> Result<(), Pkcs11UriError> {
        let (name, value) = attribute.split_once('=').ok_or(Pkcs11UriError::NoValue)?;
        let Some((name, attribute)) = PATH_ATTRIBUTES.into_iter().find(|(known, _)| *known == name) else {
            return match QUERY_ATTRIBUTES.into_iter().find(|known| *known == name) {
                Some(name) => Err(Pkcs11UriError::Misplaced { name }),
                None => ignored_or_unknown(name),
            };
        };
        without_pin(name, value)?;
        let value = decoded(name, value, Part::Path)?;
        match attribute {
            P::Type if !TYPES.iter().any(|known| known.as_bytes() == value) => return Err(Pkcs11UriError::Type),
            P::SlotId if !is_number(&value) => return Err(Pkcs11UriError::SlotId),
            _ => {}
        }
        match self.path.insert(attribute, value) {
            None => Ok(()),
            Some(_) => Err(Pkcs11UriError::Repeated { name }),
        }
    }

    fn read_query_attribute(&mut self, attribute: &str, seen: &mut Vec<&'static str>) -> Result<(), Pkcs11UriError> {
        let (name, value) = attribute.split_once('=').ok_or(Pkcs11UriError::NoValue)?;
        let Some(name) = QUERY_ATTRIBUTES.into_iter().find(|known| *known == name) else {
            return match PATH_ATTRIBUTES.into_iter().find(|(known, _)| *known == name) {
                Some((name, _)) => Err(Pkcs11UriError::Misplaced { name }),
                None => ignored_or_unknown(name),
            };
        };
        if seen.contains(&name) {
            return Err(Pkcs11UriError::Repeated { name });
        }
        seen.push(name);
        without_pin(name, value)?;
        let value = decoded(name, value, Part::Query)?;
        let text = || String::from_utf8(value.clone()).ok().filter(|text| !text.is_empty());
        let path = || text().ok_or(Pkcs11UriError::NotAPath { name });
        match name {
            "module-path" => self.module_path = Some(path()?.into()),
            "module-name" => self.module_name = Some(path()?),
            _ if self.pin.is_some() => return Err(Pkcs11UriError::TwoPins),
            "pin-source" => self.pin = Some(PinSource::File(pin_file(&path()?)?)),
            _ => self.pin = Some(PinSource::Value(Pin::new(&path()?))),
        }
        Ok(())
    }
}

/// Vendors may have attributes of their own, by whose `x-` others know that they may pass over them.
fn ignored_or_unknown(name: &str) -> Result<(), Pkcs11UriError> {
    match name.starts_with("x-") {
        true => Ok(()),
        false => Err(Pkcs11UriError::UnknownAttribute { name: name.to_owned() }),
    }
}

/// A value is shown in sentences, and a PIN that has got into one would be as well.
fn without_pin(name: &'static str, value: &str) -> Result<(), Pkcs11UriError> {
    let value = value.to_ascii_lowercase();
    match ["pin-value", "pin-source", "pin="].iter().any(|pin| value.contains(pin)) {
        true => Err(Pkcs11UriError::PinInside { name }),
        false => Ok(()),
    }
}

fn decoded(name: &'static str, value: &str, part: Part) -> Result<Vec<u8>, Pkcs11UriError> {
    percent::decode(value, part).map_err(|fault| match fault {
        ValueFault::Percent => Pkcs11UriError::Percent { name },
        ValueFault::Character(character) => {
            Pkcs11UriError::Character { name, character: Some(character).filter(|_| name != "pin-value") }
        }
    })
}

fn is_number(value: &[u8]) -> bool {
    str::from_utf8(value)
        .is_ok_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok())
}

/// `/path`, `file:/path`, `file:///path` and `file://localhost/path`. RFC 7512 leaves open what else there may be, and some run a
/// program; a key that a program is run for is one that a file of settings can take over.
fn pin_file(source: &str) -> Result<PathBuf, Pkcs11UriError> {
    let path = match source.strip_prefix("file:") {
        Some(rest) => match rest.strip_prefix("//") {
            Some(with_host) => with_host.strip_prefix("localhost").unwrap_or(with_host),
            None => rest,
        },
        None => source,
    };
    let has_scheme = path.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1 && !scheme.contains(['/', '\\']));
    let is_elsewhere = source.starts_with("file://") && !path.starts_with('/');
    match path.is_empty() || path.starts_with('|') || has_scheme || is_elsewhere {
        true => Err(Pkcs11UriError::PinSource),
        false => Ok(path.into()),
    }
}

impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// Never the PIN.
impl fmt::Debug for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pkcs11Uri").field(&self.written).finish()
    }
}

impl fmt::Display for Pkcs11UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("it does not begin with pkcs11:"),
            Self::UnknownAttribute { name } => {
                write!(f, "there is no attribute {name}; before the `?` there may be token, serial, model, manufacturer, object, id, type \
                           and slot-id, behind it module-path, module-name and pin-source")
            }
            Self::Misplaced { name } if QUERY_ATTRIBUTES.contains(name) => {
                write!(f, "{name} belongs behind the `?`, as in pkcs11:token=NAME?{name}=..")
            }
            Self::Misplaced { name } => write!(f, "{name} belongs before the `?`, as in pkcs11:{name}=..?module-path=.."),
            Self::Repeated { name } => write!(f, "{name} stands there twice; give it once"),
            Self::NoValue => f.write_str(
                "a part of it has no `=`; parts are separated by `;` before the `?`, by `&` behind it, and such characters in a value are \
                 written %3B and %26",
            ),
            Self::Percent { name } => {
                write!(f, "a `%` in {name} has no two hexadecimal digits behind it; the character itself is written %25")
            }
            Self::Character { name, character: Some(character) } if !character.is_control() => {
                let encoded = percent::encode(character.encode_utf8(&mut [0; 4]).as_bytes());
                write!(f, "`{character}` in {name} has to be written {encoded}")
            }
            Self::Character { name, .. } => {
                write!(f, "a character in {name} has to be written as a `%` and its number in hexadecimal digits")
            }
            Self::Type => write!(f, "type is one of {}; give private for a key, cert for a certificate", TYPES.join(", ")),
            Self::SlotId => f.write_str("slot-id has to be a decimal number"),
            Self::NotAPath { name } => write!(f, "{name} is empty, or no text"),
            Self::PinSource => f.write_str("pin-source has to be a file: give /PATH or file:/PATH"),
            Self::TwoPins => f.write_str("pin-source and pin-value are two PINs; give one"),
            Self::PinInside { name } => write!(
                f,
                "the value of {name} goes on into a PIN: parts are separated by `;` before the `?`, by `&` behind it, and there is one `?`"
            ),
        }
    }
}

impl std::error::Error for Pkcs11UriError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<Pkcs11Uri, Pkcs11UriError> {
        uri.parse()
    }

    #[test]
    fn a_pin_that_a_wrong_separator_has_put_into_another_value_is_not_told() {
        for (uri, name) in [
            ("pkcs11:token=gw;object=device&pin-value=13572468?module-path=/m", "object"),
            ("pkcs11:token=gw&pin-value=13572468;object=device", "token"),
            ("pkcs11:object=device,PIN-VALUE=13572468", "object"),
            ("pkcs11:token=gw?module-path=/m?pin-value=13572468", "module-path"),
            ("pkcs11:token=gw?pin-source=/f;pin=13572468", "pin-source"),
        ] {
            let error = parse(uri).unwrap_err();
            assert_eq!(error, Pkcs11UriError::PinInside { name }, "{uri}");
            assert!(!error.to_string().contains("1357"), "{error}");
        }
    }

    #[test]
    fn each_attribute_is_read() {
        let uri = parse(
            "PKCS11:token=My%20Token;manufacturer=m;serial=1;model=o;library-manufacturer=lm;library-description=ld;\
             library-version=2.6;object=a%2fb;type=private;id=%01%ff;slot-manufacturer=sm;slot-description=sd;slot-id=18446744073709551615\
             ?module-path=/usr/lib/x.so&module-name=x&pin-source=file:/run/pin",
        )
        .unwrap();
        for (attribute, value) in [
            (P::Token, &b"My Token"[..]),
            (P::Manufacturer, b"m"),
            (P::Serial, b"1"),
            (P::Model, b"o"),
            (P::LibraryManufacturer, b"lm"),
            (P::LibraryDescription, b"ld"),
            (P::LibraryVersion, b"2.6"),
            (P::Object, b"a/b"),
            (P::Type, b"private"),
            (P::Id, &[1, 0xff]),
            (P::SlotManufacturer, b"sm"),
            (P::SlotDescription, b"sd"),
        ] {
            assert_eq!(uri.get(attribute), Some(value), "{attribute:?}");
        }
        assert_eq!(uri.slot_id(), Some(u64::MAX));
        assert_eq!(uri.module_path(), Some(&PathBuf::from("/usr/lib/x.so")));
        assert_eq!((uri.module_name(), uri.pin_file()), (Some("x"), Some(Path::new("/run/pin"))));
        let nothing = parse("pkcs11:").unwrap();
        assert!(nothing.get(P::Token).is_none() && nothing.pin().is_none());
        assert_eq!(parse("pkcs11:object=").unwrap().get(P::Object), Some(&b""[..]), "an empty value is a value");
    }

    #[test]
    fn a_file_with_the_pin_is_named_in_each_form_and_nothing_is_run_for_it() {
        for source in ["/run/pin", "file:/run/pin", "file:///run/pin", "file://localhost/run/pin", "file:%2Frun%2Fpin"]
        {
            let uri = parse(&format!("pkcs11:?pin-source={source}")).unwrap();
            assert_eq!(uri.pin_file(), Some(Path::new("/run/pin")), "{source}");
        }
        for source in [
            "|/usr/bin/prompt",
            "file:|/usr/bin/prompt",
            "env:PIN",
            "https://a.example/pin",
            "file://host/pin",
            "file:",
        ] {
            assert_eq!(
                parse(&format!("pkcs11:?pin-source={source}")).unwrap_err(),
                Pkcs11UriError::PinSource,
                "{source}"
            );
        }
        assert_eq!(parse("pkcs11:?pin-source=pin.txt").unwrap().pin_file(), Some(Path::new("pin.txt")));
    }

    #[test]
    fn what_is_wrong_is_named() {
        use Pkcs11UriError as E;
        for (uri, error, words) in [
            ("device.pem", E::Scheme, "pkcs11:"),
            ("pkcs11:tokken=a", E::UnknownAttribute { name: "tokken".into() }, "tokken"),
            ("pkcs11:token=a?pin=1", E::UnknownAttribute { name: "pin".into() }, "pin-source"),
            ("pkcs11:token=a;module-path=/x", E::Misplaced { name: "module-path" }, "behind the `?`"),
            ("pkcs11:token=a;pin-value=1", E::Misplaced { name: "pin-value" }, "behind the `?`"),
            ("pkcs11:?object=a", E::Misplaced { name: "object" }, "before the `?`"),
            ("pkcs11:token=a;object=b;token=a", E::Repeated { name: "token" }, "twice"),
            ("pkcs11:?module-path=/x&module-path=/x", E::Repeated { name: "module-path" }, "twice"),
            ("pkcs11:device", E::NoValue, "`=`"),
            ("pkcs11:id=%1", E::Percent { name: "id" }, "%25"),
            ("pkcs11:token=My Token", E::Character { name: "token", character: Some(' ') }, "%20"),
            ("pkcs11:type=privat", E::Type, "private"),
            ("pkcs11:slot-id=0x1", E::SlotId, "decimal"),
            ("pkcs11:slot-id=", E::SlotId, "decimal"),
            ("pkcs11:slot-id=18446744073709551616", E::SlotId, "decimal"),
            ("pkcs11:?module-path=", E::NotAPath { name: "module-path" }, "empty"),
            ("pkcs11:?pin-source=/p&pin-value=1", E::TwoPins, "give one"),
        ] {
            let found = parse(uri).unwrap_err();
            assert_eq!(found, error, "{uri}");
            assert!(found.to_string().contains(words), "{found}");
        }
        assert!(parse("pkcs11:token=a;x-colour=red?x-size=3&x-size=4").is_ok(), "those of vendors are passed over");
    }

    #[test]
    fn a_pin_shows_nowhere() {
        let uri = parse("pkcs11:token=a?pin-value=s3cret-p1n").unwrap();
        assert!(uri.has_pin_value());
        let shown = format!("{uri} {uri:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        for broken in ["pin-value=s3cret;p1n", "pin-value=s3cret%1", "pin-value=a&s3cret-p1n", "pin-value=s3cret p1n"] {
            let error = parse(&format!("pkcs11:token=a?{broken}")).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("s3cret") && !shown.contains("p1n") && !shown.contains("';'"), "{shown}");
        }
    }
}
