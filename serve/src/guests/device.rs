//! Whose request it is, for limits. `/devices/{device}/..` is how the edge function names a device; all other paths are those of the
//! default one, and so of one name too.

use percent_encoding::percent_decode_str;

/// The device of a path, decoded, so that `%70ump` is no second `pump` with limits of its own. None for the default device.
pub(super) fn device(path: &str) -> Option<Box<[u8]>> {
    let device = path.strip_prefix("/devices/")?.split('/').next()?;
    // What is not encoded properly stands for itself: it is the component that refuses it.
    (!device.is_empty()).then(|| percent_decode_str(device).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_one_name_however_it_is_written() {
        for path in ["/devices/pump/topics/a", "/devices/%70um%70", "/devices/p%75mp/"] {
            assert_eq!(device(path).as_deref(), Some(&b"pump"[..]), "{path}");
        }
        for path in ["/topics/devices/pump", "/devices", "/devices/", "/devices//topics/a", "/", "*"] {
            assert_eq!(device(path), None, "{path}");
        }
        assert_eq!(device("/devices/%zz%4").as_deref(), Some(&b"%zz%4"[..]));
    }
}
