//! The documentation has described the signature in three ways over the years (values only; names and values; a method
//! that does not exist), which is why "how do I sign" is an FAQ of its own. What holds: names and values of everything
//! that is sent but `version`, `sign` and `signmethod`, sorted by name, without separators.

use alloc::string::{String, ToString};

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use super::SignMethod;

/// The text to sign.
pub fn signing_content(client_id: &str, device_name: &str, product_key: &str, timestamp_ms: Option<u64>) -> String {
    let mut content = ["clientId", client_id, "deviceName", device_name, "productKey", product_key].concat();
    if let Some(timestamp_ms) = timestamp_ms {
        content.push_str("timestamp");
        content.push_str(&timestamp_ms.to_string());
    }
    content
}

/// The signature in lower-case hexadecimal. The key is the secret as text, not decoded in any way.
pub fn sign(method: SignMethod, device_secret: &str, content: &str) -> String {
    match method {
        SignMethod::HmacMd5 => hex_mac::<Hmac<Md5>>(device_secret, content),
        SignMethod::HmacSha1 => hex_mac::<Hmac<Sha1>>(device_secret, content),
        SignMethod::HmacSha256 => hex_mac::<Hmac<Sha256>>(device_secret, content),
    }
}

fn hex_mac<M: Mac + KeyInit>(key: &str, content: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(content.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_the_documented_example_with_every_method() {
        let content = signing_content("12345", "device", "pk", Some(789));
        assert_eq!(content, "clientId12345deviceNamedeviceproductKeypktimestamp789");
        for (method, signature) in [
            (SignMethod::HmacSha1, "fafd82a3d602b37fb0fa8b7892f24a477f851a14"),
            (SignMethod::HmacMd5, "14b198324fe55e1d3c88f2e705e201ee"),
            (SignMethod::HmacSha256, "6074a46a91b1ebb2cc4ea42790ad0e80202c9843859fc292e57c4eb19fad9e57"),
        ] {
            assert_eq!(sign(method, "secret", &content), signature, "{method:?}");
        }
    }

    #[test]
    fn signs_without_a_timestamp() {
        let content = signing_content("12345", "device", "pk", None);
        assert_eq!(content, "clientId12345deviceNamedeviceproductKeypk");
        for (method, signature) in [
            (SignMethod::HmacMd5, "2ce7304ec0ddd548eb1492d65ac0b334"),
            (SignMethod::HmacSha1, "3504e4df7ce4766d30f796ee973c9ce7fc5425cb"),
            (SignMethod::HmacSha256, "c8cb3dcb7159682438e5fd9a9c34f398e41bb8edb6f222795e307bafee151090"),
        ] {
            assert_eq!(sign(method, "secret", &content), signature, "{method:?}");
        }
    }

    #[test]
    fn computes_the_published_bare_vectors() {
        for (method, signature) in [
            (SignMethod::HmacMd5, "ed9dc7baf84a9740a3ceb6f1f26bfb4f"),
            (SignMethod::HmacSha1, "f9cebe2044ea375cff1a46f4dc05eb15ff9870ee"),
            (SignMethod::HmacSha256, "e9403e3a615fad72d1dd1fe90c225cbec4ba81a03e5474d91a72844d2218954f"),
        ] {
            assert_eq!(sign(method, "thinkgos", "thinkgos"), signature, "{method:?}");
        }
    }

    #[test]
    fn a_key_longer_than_a_block_is_no_trouble() {
        assert_eq!(sign(SignMethod::HmacMd5, &"k".repeat(500), "x").len(), 32);
    }
}
