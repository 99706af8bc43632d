//! A secret that signs is best kept where no code of ours runs. So what is to be signed is a value of its own: the holder of the
//! secret needs to know nothing of the platform, and the state machines need to know nothing of how it signs.

use alloc::string::String;

use crate::outcome::Retry;

/// How a text is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignMethod {
    /// HMAC with MD5.
    HmacMd5,
    /// HMAC with SHA-1.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
}

impl SignMethod {
    /// The name of the method in lower case and without a dash, as platforms spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacMd5 => "hmacmd5",
            Self::HmacSha1 => "hmacsha1",
            Self::HmacSha256 => "hmacsha256",
        }
    }
}

/// What is to be signed, by which method, and for which device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// What the device belongs to: on Aliyun its product key.
    pub group: String,
    /// The name of the device within its group.
    pub device: String,
    /// How to sign.
    pub method: SignMethod,
    /// The text to sign. No secret.
    pub content: String,
    /// The time that stands in the text, in milliseconds since 1970, if one does.
    pub timestamp_ms: Option<u64>,
    /// Whether that is the time of the platform, and not that of the local clock.
    pub is_by_platform_clock: bool,
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSigned {
    /// The reason, in words.
    pub reason: String,
    /// When the same may be signed after all: a refusal is for good, unless its signer says otherwise.
    pub retry: Retry,
}

impl From<String> for NotSigned {
    fn from(reason: String) -> Self {
        Self { reason, retry: Retry::Never }
    }
}

/// What a [description](Signing::description) says of a time that is the platform's.
pub(crate) const BY_THE_PLATFORMS_CLOCK: &str = " by the platform's clock";

impl Signing {
    /// What was signed, and how: for an error.
    pub fn description(&self) -> String {
        let clock = if self.is_by_platform_clock { BY_THE_PLATFORMS_CLOCK } else { "" };
        ["signed with ", self.method.name(), clock, ": ", &self.content].concat()
    }
}
