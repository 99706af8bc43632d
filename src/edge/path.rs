//! Where things are. The topic is everything behind `/topics/`, decoded once and no further: clients write its slashes as
//! they are (AWS's own sample does) or as `%2F` (its SDKs do), and a topic may begin with one.

use alloc::string::String;

use percent_encoding::percent_decode_str;

use super::refusal::Refusal;

/// A path that there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'a> {
    /// `/healthz`
    Liveness,
    /// `/readyz`
    Readiness,
    /// `/topics/{topic}` or `/devices/{device}/topics/{topic}`, both still encoded.
    Topic { device: Option<&'a str>, topic: &'a str },
}

impl<'a> Path<'a> {
    pub fn of(path: &'a str) -> Option<Self> {
        match path {
            "/healthz" => return Some(Self::Liveness),
            "/readyz" => return Some(Self::Readiness),
            _ => {}
        }
        if let Some(topic) = path.strip_prefix("/topics/") {
            return Some(Self::Topic { device: None, topic });
        }
        let (device, rest) = path.strip_prefix("/devices/")?.split_once('/')?;
        let topic = rest.strip_prefix("topics/").filter(|_| !device.is_empty())?;
        Some(Self::Topic { device: Some(device), topic })
    }

    /// What can be done there.
    pub fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Liveness | Self::Readiness => &["GET", "HEAD"],
            Self::Topic { .. } => &["POST", "PUT"],
        }
    }
}

/// Decodes a part of a URL, once. A `+` is a plus.
pub(super) fn decode(encoded: &str) -> Result<String, Refusal> {
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        // The library leaves what is no escape as it is, and so the topic would have a percent sign that nobody has meant.
        if byte == b'%' && !(0..2).all(|_| rest.next().is_some_and(|digit| digit.is_ascii_hexdigit())) {
            return Err(Refusal::Encoding);
        }
    }
    let decoded = percent_decode_str(encoded).decode_utf8().map_err(|_| Refusal::Encoding)?;
    Ok(decoded.into_owned())
}
