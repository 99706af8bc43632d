//! `auth check error` is all that Aliyun says about a wrong signature, so most clients were written by trial and error.
//! The rule is simple: names and values of all parameters but three, sorted by name, without separators, under an HMAC
//! with the device secret as its key. This is its second implementation in the workspace, on purpose.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

/// `signmethod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Md5,
    Sha1,
    /// Not documented for `/auth`, but what the official SDK sends there.
    Sha256,
}

impl Method {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "hmacmd5" => Some(Self::Md5),
            "hmacsha1" => Some(Self::Sha1),
            "hmacsha256" => Some(Self::Sha256),
            _ => None,
        }
    }

    /// For registrations, where the documentation has written `HmacMD5` and `hmac_md5` for it, and clients do too.
    pub(super) fn from_any_spelling(name: &str) -> Option<Self> {
        Self::from_name(&name.to_ascii_lowercase().replace('_', ""))
    }
}

/// The parameters of `/auth` that are not signed.
pub(super) const UNSIGNED_OF_AUTH: &[&str] = &["version", "sign", "signmethod"];

/// What is signed: all parameters but some.
pub(super) fn content(parameters: &BTreeMap<String, String>, unsigned: &[&str]) -> String {
    parameters
        .iter()
        .filter(|(name, _)| !unsigned.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}{value}"))
        .collect()
}

/// Whether `sign` is the signature of `content` in hex of either case.
pub(crate) fn is_right(method: Method, secret: &str, content: &str, sign: &str) -> bool {
    let Ok(sign) = hex::decode(sign) else {
        return false;
    };
    match method {
        Method::Md5 => verify::<Hmac<Md5>>(secret, content, &sign),
        Method::Sha1 => verify::<Hmac<Sha1>>(secret, content, &sign),
        Method::Sha256 => verify::<Hmac<Sha256>>(secret, content, &sign),
    }
}

fn verify<M: Mac + KeyInit>(secret: &str, content: &str, sign: &[u8]) -> bool {
    // The fully qualified path names the trait: Mac inherits a constructor of the same name.
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("an HMAC takes keys of any length");
    mac.update(content.as_bytes());
    mac.verify_slice(sign).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &str = "clientId12345deviceNamedeviceproductKeypktimestamp789";

    #[test]
    fn the_published_signatures_are_right() {
        for (method, sign) in [
            (Method::Sha1, "fafd82a3d602b37fb0fa8b7892f24a477f851a14"),
            (Method::Md5, "14b198324fe55e1d3c88f2e705e201ee"),
            (Method::Sha256, "6074a46a91b1ebb2cc4ea42790ad0e80202c9843859fc292e57c4eb19fad9e57"),
        ] {
            assert!(is_right(method, "secret", CONTENT, sign), "{method:?}");
            assert!(is_right(method, "secret", CONTENT, &sign.to_uppercase()), "{method:?}");
            assert!(!is_right(method, "Secret", CONTENT, sign), "{method:?}");
            assert!(!is_right(method, "secret", CONTENT, &sign[2..]), "{method:?}");
        }
        assert!(!is_right(Method::Md5, "secret", CONTENT, ""));
        assert!(!is_right(Method::Md5, "secret", CONTENT, "no hex"));
    }

    #[test]
    fn the_bare_hmacs_of_another_client_are_right() {
        for (method, sign) in [
            (Method::Md5, "ed9dc7baf84a9740a3ceb6f1f26bfb4f"),
            (Method::Sha1, "f9cebe2044ea375cff1a46f4dc05eb15ff9870ee"),
            (Method::Sha256, "e9403e3a615fad72d1dd1fe90c225cbec4ba81a03e5474d91a72844d2218954f"),
        ] {
            assert!(is_right(method, "thinkgos", "thinkgos", sign), "{method:?}");
        }
    }

    #[test]
    fn registrations_spell_the_methods_in_three_ways() {
        for (method, names) in [
            (Method::Md5, ["hmacmd5", "HmacMD5", "hmac_md5"]),
            (Method::Sha1, ["hmacsha1", "HmacSHA1", "hmac_sha1"]),
            (Method::Sha256, ["hmacsha256", "HmacSHA256", "hmac_sha256"]),
        ] {
            for name in names {
                assert_eq!(Method::from_any_spelling(name), Some(method), "{name}");
            }
            assert_eq!(Method::from_name(names[1]), None);
        }
        for name in ["", "md5", "hmac-md5", "hmacsha512"] {
            assert_eq!(Method::from_any_spelling(name), None, "{name}");
        }
    }

    #[test]
    fn the_content_is_sorted_and_leaves_three_parameters_out() {
        let parameters = [
            ("timestamp", "789"),
            ("version", "default"),
            ("productKey", "pk"),
            ("sign", "00"),
            ("signmethod", "hmacsha1"),
            ("deviceName", "device"),
            ("clientId", "12345"),
        ];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        assert_eq!(content(&parameters.into_iter().map(owned).collect(), UNSIGNED_OF_AUTH), CONTENT);
    }
}
