//! Certificates and the clock.
//!
//! A box without a battery wakes up in 1970, and then every certificate is "not valid yet". Whether it is the certificate that is
//! wrong or the clock shows to a reader who sees both dates, so both are said; and a clock that shows a time before this program
//! was written is wrong whatever the certificate says.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::{DateTime, Decode};

/// No clock that is right shows a time before this: the first of November 2026, when this was written. It being old does no
/// harm; it only says less then.
const WRITTEN: Duration = Duration::from_secs(1_793_491_200);

/// The time of a certificate, where the clock of this machine is outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutsideValidity {
    /// When it begins to be valid, or when it ended.
    limit: Duration,
    /// What the clock says.
    now: Duration,
}

impl OutsideValidity {
    pub(crate) fn new(limit: Duration, now: Duration) -> Self {
        Self { limit, now }
    }

    /// Nothing if it is in its time, or not to be read.
    pub(crate) fn of(certificate: &CertificateDer<'_>, now: Duration) -> Option<Self> {
        let (begin, end) = times(certificate)?;
        match now {
            now if now < begin => Some(Self::new(begin, now)),
            now if now > end => Some(Self::new(end, now)),
            _ => None,
        }
    }

    /// Whether its time is over, and not still to come.
    pub fn has_expired(&self) -> bool {
        self.now > self.limit
    }

    /// Whether the clock is wrong in any case.
    pub fn is_clock_wrong(&self) -> bool {
        self.now < WRITTEN
    }
}

/// `expired on 2025-01-01T00:00:00Z, and this machine's clock says 2026-11-30T13:00:00Z`
impl fmt::Display for OutsideValidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.has_expired() { "expired on" } else { "is not valid before" };
        write!(f, "{what} {}, and this machine's clock says {}", date(self.limit), date(self.now))?;
        match self.is_clock_wrong() {
            true => f.write_str(", which is long past"),
            false => Ok(()),
        }
    }
}

/// A certificate that ends within two weeks at the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiresSoon {
    not_after: Duration,
    now: Duration,
}

/// How long before its end a certificate counts as one that ends soon: people take their time.
const SOON: Duration = Duration::from_secs(14 * 86_400);

impl ExpiresSoon {
    pub(crate) fn new(not_after: Duration, now: Duration) -> Self {
        Self { not_after, now }
    }

    /// Nothing if it ends later, has ended, or is not to be read.
    pub(crate) fn of(certificate: &CertificateDer<'_>, now: Duration) -> Option<Self> {
        let (begin, end) = times(certificate)?;
        let soon = SOON.min(end.saturating_sub(begin) / 3);
        (now <= end && end - now <= soon).then(|| Self::new(end, now))
    }

    /// The end.
    pub fn not_after(&self) -> SystemTime {
        UNIX_EPOCH + self.not_after
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.not_after.saturating_sub(self.now)
    }
}

/// `expires on 2026-12-08T00:00:00Z, in 8 days`
impl fmt::Display for ExpiresSoon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes) = (self.left().as_secs() / 3600, self.left().as_secs() / 60);
        let left = match hours {
            48.. => format!("{} days", hours / 24),
            2.. => format!("{hours} hours"),
            _ => format!("{minutes} minutes"),
        };
        write!(f, "expires on {}, in {left}", date(self.not_after))
    }
}

/// When a certificate begins and ends to be valid.
fn times(certificate: &CertificateDer<'_>) -> Option<(Duration, Duration)> {
    let certificate = CertificateInner::<Raw>::from_der(certificate).ok()?;
    let validity = certificate.tbs_certificate().validity();
    Some((validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration()))
}

/// When it ends to be valid.
pub(crate) fn not_after(certificate: &CertificateDer<'_>) -> Option<Duration> {
    times(certificate).map(|(_, end)| end)
}

/// By the clock of this machine, as it is in certificates.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn date(since_1970: Duration) -> String {
    match DateTime::from_unix_duration(Duration::from_secs(since_1970.as_secs())) {
        Ok(date) => date.to_string(),
        Err(_) => "a time after the year 9999".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(limit: u64, now: u64) -> String {
        OutsideValidity::new(Duration::from_secs(limit), Duration::from_secs(now)).to_string()
    }

    #[test]
    fn both_dates_are_said() {
        assert_eq!(
            said(1_000_000_000, 1_800_000_000),
            "expired on 2001-09-09T01:46:40Z, and this machine's clock says 2027-01-15T08:00:00Z"
        );
        assert!(said(1_900_000_000, 1_800_000_000).starts_with("is not valid before 2030-03-17T17:46:40Z, and"));
        assert!(said(u64::MAX, 1_800_000_000).contains("after the year 9999"));
    }

    #[test]
    fn a_certificate_ends_soon_in_its_last_two_weeks_or_in_the_last_third_of_a_short_life() {
        const DAY: Duration = Duration::from_secs(86_400);
        let begin = Duration::from_secs(1_790_000_000);
        let soon = |life: Duration, left: Duration| {
            let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
            params.not_before = (UNIX_EPOCH + begin).into();
            params.not_after = (UNIX_EPOCH + begin + life).into();
            let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
            ExpiresSoon::of(certificate.der(), begin + life - left)
        };
        assert_eq!(soon(365 * DAY, 15 * DAY), None);
        assert!(soon(365 * DAY, 13 * DAY).unwrap().to_string().ends_with("Z, in 13 days"));
        assert_eq!(soon(DAY, DAY / 2), None);
        assert!(soon(DAY, DAY / 4).unwrap().to_string().ends_with("Z, in 6 hours"));
        assert!(soon(DAY, Duration::from_secs(600)).unwrap().to_string().ends_with("Z, in 10 minutes"));
    }

    #[test]
    fn a_clock_from_before_this_was_written_is_wrong() {
        assert!(said(1_800_000_000, 60).ends_with("says 1970-01-01T00:01:00Z, which is long past"));
        assert!(!said(1_800_000_000, WRITTEN.as_secs()).contains("long past"));
        assert_eq!(date(WRITTEN), "2026-11-01T00:00:00Z");
    }
}
