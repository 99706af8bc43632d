//! What a certificate says, in words. Nothing is judged by it but the time: whether it is trusted is for TLS to say, which
//! says only *no*, and then one wants to see what it said no to.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// How many days before its end a certificate is worth a word.
const SOON: u64 = 30;

const DAY: u64 = 86_400;

/// What is in a certificate.
pub struct CertificateDetails {
    pub subject: String,
    pub issuer: String,
    /// DNS names and addresses.
    pub names: Vec<String>,
    not_before: Duration,
    not_after: Duration,
    /// The validity, as text.
    validity: String,
}

/// What the local clock says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It becomes valid after so many days.
    NotYetValid(u64),
    Valid(u64),
    /// It ends within so many days.
    EndsSoon(u64),
    /// It has ended so many days ago.
    Expired(u64),
}

impl CertificateDetails {
    /// Nothing if it is not to be read.
    pub fn of(der: &[u8]) -> Option<Self> {
        let certificate = CertificateInner::<Raw>::from_der(der).ok()?;
        let certificate = certificate.tbs_certificate();
        let names = certificate.get_extension::<SubjectAltName>().ok().flatten();
        let names = names.map(|(_, SubjectAltName(names))| names.iter().filter_map(name).collect()).unwrap_or_default();
        let validity = certificate.validity();
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names,
            not_before: validity.not_before.to_unix_duration(),
            not_after: validity.not_after.to_unix_duration(),
            validity: format!("valid from {} until {}", validity.not_before, validity.not_after),
        })
    }

    /// `CN=thermometer, issued by CN=Some CA`
    pub fn who(&self) -> String {
        let subject = match self.subject.as_str() {
            "" => "(no subject)",
            subject => subject,
        };
        format!("{subject}, issued by {}", self.issuer)
    }

    /// `valid from 2025-01-01T00:00:00Z until 2049-12-31T23:59:59Z`
    pub fn validity(&self) -> &str {
        &self.validity
    }

    pub fn age(&self) -> Validity {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let days = |from: Duration, to: Duration| (to.saturating_sub(from)).as_secs() / DAY;
        if now < self.not_before {
            Validity::NotYetValid(days(now, self.not_before))
        } else if now > self.not_after {
            Validity::Expired(days(self.not_after, now))
        } else {
            match days(now, self.not_after) {
                left if left < SOON => Validity::EndsSoon(left),
                left => Validity::Valid(left),
            }
        }
    }
}

impl Validity {
    /// In words, by the local clock.
    pub fn text(self) -> String {
        match self {
            Self::NotYetValid(days) => format!("becomes valid {} from now by this machine's clock", in_days(days)),
            Self::Valid(days) | Self::EndsSoon(days) => format!("expires in {}", in_days(days)),
            Self::Expired(days) => format!("expired {} ago by this machine's clock", in_days(days)),
        }
    }
}

fn in_days(days: u64) -> String {
    match days {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
