//! Points in time, for people.

use std::time::{Duration, UNIX_EPOCH};

/// The end of the year 9999, beyond which nothing can be written as a date.
const END_MS: u64 = 253_402_300_800_000;

/// Milliseconds since 1970 as a date. They come from a server, and may be anything.
pub(super) fn date(unix_ms: u64) -> String {
    match unix_ms < END_MS {
        true => httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(unix_ms)),
        false => format!("{unix_ms} ms after 1970"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_is_a_date() {
        assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date(END_MS - 1), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert!(date(END_MS).contains("after 1970"));
        assert!(date(u64::MAX).contains("after 1970"));
    }
}
