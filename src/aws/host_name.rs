//! AWS has five kinds of IoT endpoints whose names differ in one label, and a request that goes to the wrong one is refused
//! in words about something else. The name also says the region, which a signature must name.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::endpoint::Endpoint;
use crate::text;

/// What the name of an endpoint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HostName<'a> {
    pub kind: Kind,
    pub region: Option<&'a str>,
}

/// What answers there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The data plane: what publishing needs.
    Data,
    /// The data plane with a certificate whose root is trusted no more.
    LegacyData,
    /// Where things and rules are made.
    ControlPlane,
    /// Where temporary keys are given out.
    CredentialsProvider,
    /// Where jobs are asked for.
    Jobs,
    /// A custom domain, or not AWS at all.
    Foreign,
}

impl<'a> HostName<'a> {
    /// Reads such names as `a1b2-ats.iot.eu-central-1.amazonaws.com`, in lower case.
    pub fn of(host: &'a str) -> Self {
        const FOREIGN: HostName<'static> = HostName { kind: Kind::Foreign, region: None };
        let is_aws = DOMAINS.iter().any(|domain| host.as_bytes().ends_with(domain.as_bytes()));
        let mut before = "";
        let mut labels = host.split(is_dot).filter(|_| is_aws);
        let first = labels.clone().next().unwrap_or_default();
        let is_fips = loop {
            match labels.next() {
                Some("iot") => break false,
                Some("iot-fips") => break true,
                Some(label) => before = label,
                None => return FOREIGN,
            }
        };
        let Some(region) = labels.next().filter(|label| is_region(label)) else { return FOREIGN };
        let kind = match before {
            "" => Kind::ControlPlane,
            "credentials" => Kind::CredentialsProvider,
            "jobs" => Kind::Jobs,
            // Beijing has a label of its own; names for FIPS and for VPCs came after the old certificates.
            "ats" => Kind::Data,
            _ if is_fips || first.as_bytes().ends_with(b"-ats") || first.as_bytes().starts_with(b"vpce-") => Kind::Data,
            _ => Kind::LegacyData,
        };
        Self { kind, region: Some(region) }
    }

    /// How names of resources begin there, up to the account, which the name does not tell.
    pub fn resource_prefix(self, host: &str) -> [&'a str; 3] {
        let partition = match self.region {
            Some(_) if host.as_bytes().ends_with(b".cn") => "arn:aws-cn:iot:",
            Some(_) if host.as_bytes().ends_with(b".eu") => "arn:aws-eusc:iot:",
            Some(region) if text::contains(region, "-gov-") => "arn:aws-us-gov:iot:",
            _ => "arn:aws:iot:",
        };
        [partition, self.region.unwrap_or("*"), ":*:"]
    }
}

/// The region in the name of an endpoint, in whatever form a person has given the name. None is in that of a custom domain.
pub fn region(host: &str) -> Option<String> {
    let endpoint = Endpoint::new(host, 443).ok()?;
    HostName::of(endpoint.host()).region.map(ToOwned::to_owned)
}

/// What the names of AWS end with: as they were, for IPv4 and IPv6 alike, in China, and in the sovereign cloud of Europe.
const DOMAINS: [&str; 6] = [
    ".amazonaws.com",
    ".api.aws",
    ".amazonaws.com.cn",
    ".api.amazonwebservices.com.cn",
    ".amazonaws.eu",
    ".api.amazonwebservices.eu",
];

/// Two words at least and a number: `eu-central-1`, `us-gov-west-1`. What else stands there belongs to another kind of name,
/// and to sign for it would be refused.
fn is_region(label: &str) -> bool {
    let mut parts = label.split('-').rev();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.next().is_some_and(is_number) && parts.filter(|part| !part.is_empty()).count() >= 2
}

fn is_dot(character: char) -> bool {
    character == '.'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_endpoint_is_known_by_its_name() {
        for (host, kind, region) in [
            ("a1b2-ats.iot.eu-central-1.amazonaws.com", Kind::Data, "eu-central-1"),
            ("data-ats.iot.us-east-1.amazonaws.com", Kind::Data, "us-east-1"),
            ("data-ats.iot.us-east-1.api.aws", Kind::Data, "us-east-1"),
            ("a1b2-ats.iot.eusc-de-east-1.amazonaws.eu", Kind::Data, "eusc-de-east-1"),
            ("data-ats.iot-fips.us-east-2.api.aws", Kind::Data, "us-east-2"),
            ("data-ats.iot.cn-northwest-1.api.amazonwebservices.com.cn", Kind::Data, "cn-northwest-1"),
            ("data.iot-fips.us-gov-west-1.amazonaws.com", Kind::Data, "us-gov-west-1"),
            ("a1b2-ats.iot.cn-northwest-1.amazonaws.com.cn", Kind::Data, "cn-northwest-1"),
            ("a1b2.ats.iot.cn-north-1.amazonaws.com.cn", Kind::Data, "cn-north-1"),
            ("vpce-0a1b-2c.data.iot.eu-west-1.vpce.amazonaws.com", Kind::Data, "eu-west-1"),
            ("a1b2.iot.eu-central-1.amazonaws.com", Kind::LegacyData, "eu-central-1"),
            ("data.iot.eu-central-1.amazonaws.com", Kind::LegacyData, "eu-central-1"),
            ("iot.eu-central-1.amazonaws.com", Kind::ControlPlane, "eu-central-1"),
            ("iot-fips.us-east-2.amazonaws.com", Kind::ControlPlane, "us-east-2"),
            ("c1b2.credentials.iot.eu-central-1.amazonaws.com", Kind::CredentialsProvider, "eu-central-1"),
            ("a1b2.jobs.iot.eu-central-1.amazonaws.com", Kind::Jobs, "eu-central-1"),
        ] {
            assert_eq!(HostName::of(host), HostName { kind, region: Some(region) }, "{host}");
        }
        for host in [
            "iot.example.com",
            "localhost",
            "",
            "iot.eu-central-1.amazonaws.com.example",
            "s3.amazonaws.com",
            "a.iot.amazonaws.com",
            "a.iot.data.eu-central-1.amazonaws.com",
            "a.iot.eu-central-1.notamazonaws.com",
            "amazonaws.com",
        ] {
            assert_eq!(HostName::of(host), HostName { kind: Kind::Foreign, region: None }, "{host}");
        }
    }

    #[test]
    fn the_region_is_found_however_the_name_is_typed() {
        for host in ["A1B2-ATS.IOT.EU-CENTRAL-1.AMAZONAWS.COM", "a1b2-ats.iot.eu-central-1.amazonaws.com."] {
            assert_eq!(region(host).as_deref(), Some("eu-central-1"), "{host}");
        }
        assert_eq!((region("iot.example.com"), region("[::1]"), region("a b")), (None, None, None));
    }

    #[test]
    fn resources_are_named_in_the_partition_of_the_endpoint() {
        for (host, prefix) in [
            ("a-ats.iot.eu-central-1.amazonaws.com", "arn:aws:iot:eu-central-1:*:"),
            ("a-ats.iot.cn-northwest-1.amazonaws.com.cn", "arn:aws-cn:iot:cn-northwest-1:*:"),
            ("data.iot-fips.us-gov-west-1.amazonaws.com", "arn:aws-us-gov:iot:us-gov-west-1:*:"),
            ("a-ats.iot.eusc-de-east-1.amazonaws.eu", "arn:aws-eusc:iot:eusc-de-east-1:*:"),
            ("iot.example.com", "arn:aws:iot:*:*:"),
        ] {
            assert_eq!(HostName::of(host).resource_prefix(host).concat(), prefix);
        }
    }
}
