//! Asks the host for signatures: of another device, without a time, for a later day, and of its own as many as it gives.

use wasip2::clocks::wall_clock;

use crate::bindings::thingpost::iot::signer::{Method, Refusal, sign};

/// More than a host gives in a minute.
const MANY: u32 = 10_000;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What came of each, for a device whose client id is its name.
pub fn attack(product_key: &str) -> String {
    let names = |device: &str| format!("clientId{device}deviceName{device}productKey{product_key}");
    let now_ms = wall_clock::now().seconds * 1000;
    let tried = [
        ("another device", format!("{}timestamp{now_ms}", names("other"))),
        ("no time", names("device")),
        ("a later day", format!("{}timestamp{}", names("device"), now_ms + 2 * DAY_MS)),
        ("any text", "any text".to_owned()),
    ];
    let tried = tried.map(|(what, content)| format!("{what}: {}", outcome(&content)));
    let own = format!("{}timestamp{now_ms}", names("device"));
    let last = (0..MANY).map(|_| outcome(&own)).find(|outcome| *outcome != "signed").unwrap_or("signed");
    format!("{}; again and again: {last}", tried.join("; "))
}

fn outcome(content: &str) -> &'static str {
    match sign(Method::HmacSha1, content) {
        Ok(_) => "signed",
        Err(Refusal::NoSecret) => "no secret",
        Err(Refusal::NotAuthentication) => "not authentication",
        Err(Refusal::NoTimestamp) => "no timestamp",
        Err(Refusal::TimestampTooFar) => "timestamp too far",
        Err(Refusal::RateLimited(_)) => "rate limited",
        Err(Refusal::Other(_)) => "other",
    }
}
