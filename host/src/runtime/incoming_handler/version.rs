//! Which names of interfaces stand for the same one.
//!
//! A host that offers `wasi:http/types@0.2.12` serves a component that was built for 0.2.6, and the other way round, as long as
//! the functions are there. A version before the first, with a `-` in it, promises nothing and has to be met exactly.

/// The name of an interface in its parts, as `wasi:config/store@0.2.0-rc.1` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InterfaceName<'a> {
    /// Package and interface.
    pub path: &'a str,
    /// What stands behind the `@`.
    pub version: Option<&'a str>,
}

impl<'a> InterfaceName<'a> {
    pub fn new(name: &'a str) -> Self {
        match name.split_once('@') {
            Some((path, version)) => Self { path, version: Some(version) },
            None => Self { path: name, version: None },
        }
    }

    /// Whether what has this name can stand for what has the other one.
    pub fn is_compatible_with(&self, other: &InterfaceName<'_>) -> bool {
        self.path == other.path
            && (self.version == other.version || (self.track().is_some() && self.track() == other.track()))
    }

    /// The part of the version that stands for compatibility: the first number that is not zero, and all before it.
    fn track(&self) -> Option<&'a str> {
        let version = self.version.filter(|version| !version.contains('-'))?;
        let version = version.split_once('+').map_or(version, |(version, _build)| version);
        let mut end = 0;
        for part in version.split('.') {
            end += part.len();
            if part.parse::<u64>().ok()? != 0 {
                return version.get(..end);
            }
            end += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_compatible(one: &str, other: &str) -> bool {
        InterfaceName::new(one).is_compatible_with(&InterfaceName::new(other))
    }

    #[test]
    fn releases_of_one_track_stand_for_each_other_and_drafts_for_themselves() {
        assert!(is_compatible("wasi:http/types@0.2.12", "wasi:http/types@0.2.0"));
        assert!(is_compatible("a:b/c@1.2.3", "a:b/c@1.9.0"));
        assert!(is_compatible("a:b/c", "a:b/c"));
        assert!(is_compatible("wasi:config/store@0.2.0-rc.1", "wasi:config/store@0.2.0-rc.1"));
        for (one, other) in [
            ("wasi:http/types@0.2.12", "wasi:http/types@0.3.0"),
            ("wasi:http/types@0.2.12", "wasi:http/handler@0.2.12"),
            ("wasi:config/store@0.2.0-rc.1", "wasi:config/store@0.2.0-draft-2024-09-27"),
            ("wasi:config/store@0.2.0-rc.1", "wasi:config/store@0.2.0"),
            ("a:b/c@10.0.0", "a:b/c@1.0.0"),
            ("a:b/c@0.0.1", "a:b/c@0.0.2"),
            ("a:b/c@1.0.0", "a:b/c"),
        ] {
            assert!(!is_compatible(one, other) && !is_compatible(other, one), "{one} {other}");
        }
    }
}
