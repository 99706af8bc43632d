//! Which topic filters the platform takes. A wildcard stands for levels of topics, so a filter keeps to the same rules.

use alloc::string::String;

use crate::aliyun::topic::encode_path;
use crate::aliyun::{Device, lint};
use crate::message::RequestError;
use crate::topic::check_filter as check_form;

/// Whether the platform can take it from this device: it is one of its own topics, or a broadcast to its product.
pub(super) fn check_filter(device: &Device, filter: &str) -> Result<(), RequestError> {
    check_form(filter)?;
    let topic: String = filter.chars().map(|it| if matches!(it, '+' | '#') { 'x' } else { it }).collect();
    encode_path(&topic)?;
    if is_broadcast(device, filter) { Ok(()) } else { Ok(lint::check_owner(device, filter)?) }
}

fn is_broadcast(device: &Device, filter: &str) -> bool {
    let mut levels = filter.split('/');
    levels.next() == Some("")
        && levels.next() == Some("broadcast")
        && levels.next() == Some(&device.product_key)
        && levels.next().is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::endpoint::Endpoint;
    use crate::field::Field;
    use crate::topic::TopicError;

    fn check(filter: &str) -> Result<(), RequestError> {
        let endpoint = Endpoint::new("a.example", 443).unwrap();
        check_filter(&Device::new(endpoint, "pk", "dn", None).unwrap(), filter)
    }

    #[test]
    fn takes_filters_for_the_device_and_for_broadcasts_to_its_product() {
        for filter in [
            "/pk/dn/user/get",
            "/pk/dn/user/+",
            "/pk/dn/#",
            "/sys/pk/dn/thing/service/+",
            "/sys/pk/dn/thing/service/property/set",
            "/ota/device/upgrade/pk/dn",
            "/broadcast/pk/news",
            "/broadcast/pk/#",
        ] {
            assert_eq!(check(filter), Ok(()), "{filter}");
        }
    }

    #[test]
    fn refuses_filters_that_the_platform_does_not_take() {
        let malformed = RequestError::InvalidField(Field::TopicFilter);
        let invalid = RequestError::InvalidTopic;
        for (filter, problem) in [
            ("", malformed),
            ("/pk/dn/#/a", malformed),
            ("/pk/dn/a+", malformed),
            ("/pk/dn/\n", malformed),
            ("#", invalid(TopicError::NotAbsolute)),
            ("pk/dn/#", invalid(TopicError::NotAbsolute)),
            ("$share/g/pk/dn/a", invalid(TopicError::NotAbsolute)),
            ("/pk/dn//a", invalid(TopicError::EmptyLevel)),
            ("/pk/dn/", invalid(TopicError::EmptyLevel)),
            ("/pk/${deviceName}/#", invalid(TopicError::Placeholder)),
            ("/pk/other/#", invalid(TopicError::OtherDevice)),
            ("/pk/+/user/get", invalid(TopicError::OtherDevice)),
            ("/#", invalid(TopicError::OtherDevice)),
            ("/broadcast/other/#", invalid(TopicError::OtherDevice)),
            ("/broadcast/pk", invalid(TopicError::OtherDevice)),
            ("/pk/dn/a/b/c/d/e/#", invalid(TopicError::TooManySlashes)),
            (&["/pk/dn/", &"a".repeat(122)].concat(), invalid(TopicError::TooLong)),
        ] {
            assert_eq!(check(filter), Err(problem), "{filter:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_checked_without_a_panic(text in any::<String>()) {
            let _ = (check(&text), check(&["/pk/dn/", &text].concat()));
        }

        #[test]
        fn an_accepted_filter_names_the_product(filter in "[/a+#]{0,6}(pk/)?(dn)?[/a+#]{0,6}") {
            if check(&filter).is_ok() {
                prop_assert!(filter.contains("/pk/dn"), "{}", filter);
            }
        }
    }
}
