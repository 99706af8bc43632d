//! "auth check error" and "param error" are all that the platform says, and mostly a line break from a text editor, a
//! name from another console page or a topic of another device is behind them. What can be seen without asking is looked
//! at before anything is sent, and what only looks odd is named when the platform refuses.

use alloc::string::String;

use super::Device;
use crate::topic::TopicError;

/// As the documentation has it for names of devices.
const DEVICE_NAME_LENGTH: core::ops::RangeInclusive<usize> = 4..=32;

/// Whether a device name has only characters that the platform gives out.
pub(super) fn is_device_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_@.:".contains(&byte))
}

/// Whether a product key has only characters that the platform gives out.
pub(super) fn is_product_key(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A device publishes to its own topics alone: each of them has its product and then its name in it.
pub(super) fn check_owner(device: &Device, topic: &str) -> Result<(), TopicError> {
    let mut levels = topic.as_bytes().split(|byte| *byte == b'/').peekable();
    while let Some(level) = levels.next() {
        if level == device.product_key.as_bytes() && levels.peek().copied() == Some(device.device_name.as_bytes()) {
            return Ok(());
        }
    }
    Err(TopicError::OtherDevice)
}

/// What looks odd about a device, for an explanation.
pub(super) fn oddity(device: &Device) -> Option<String> {
    let odd = if !DEVICE_NAME_LENGTH.contains(&device.device_name.len()) {
        ["the device name ", &device.device_name, " has not the usual 4 to 32 characters"].concat()
    } else if device.product_key == device.device_name {
        "product key and device name are the same".into()
    } else {
        return None;
    };
    Some(odd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;

    fn device(product_key: &str, device_name: &str) -> Device {
        Device::new(Endpoint::new("a.example", 443).unwrap(), product_key, device_name, None).unwrap()
    }

    #[test]
    fn a_topic_is_of_the_device_whose_product_and_name_stand_in_it() {
        let device = device("pk", "dn");
        for topic in [
            "/pk/dn/user/update",
            "/pk/dn/update",
            "/sys/pk/dn/thing/event/property/post",
            "/ota/device/inform/pk/dn",
            "/shadow/update/pk/dn",
        ] {
            assert_eq!(check_owner(&device, topic), Ok(()), "{topic}");
        }
        for topic in ["/pk/other/user/update", "/other/dn/user/update", "/pk/user/dn", "/pk", "/broadcast/pk/x"] {
            assert_eq!(check_owner(&device, topic), Err(TopicError::OtherDevice), "{topic}");
        }
    }

    #[test]
    fn an_odd_name_is_named() {
        assert!(oddity(&device("pk", "abc")).unwrap().contains("4 to 32"));
        assert!(oddity(&device("abcd", "abcd")).unwrap().contains("the same"));
        assert_eq!(oddity(&device("pk", "thermometer")), None);
    }
}
