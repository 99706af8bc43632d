//! AWS has five kinds of IoT endpoints whose names differ in one label, and what is asked of the wrong one is refused in
//! words about something else. The port decides about the rest: on 8443 only certificates count, on 443 only by ALPN.

use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Scope};

use crate::commands::doctor::finding::Finding;

const DATA: &str = "aws iot describe-endpoint --endpoint-type iot:Data-ATS";
const CREDENTIALS: &str = "aws iot describe-endpoint --endpoint-type iot:CredentialProvider";

/// What answers there, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Data,
    /// The data plane with a certificate whose root is trusted no more.
    LegacyData,
    ControlPlane,
    CredentialsProvider,
    Jobs,
    /// A custom domain, or not AWS at all.
    Foreign,
}

impl Kind {
    /// The kind and the region.
    pub fn of(host: &str) -> (Self, Option<String>) {
        let host = host.to_ascii_lowercase();
        let is_of_aws = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn"];
        let labels: Vec<&str> = host.split('.').collect();
        let iot = labels.iter().position(|label| matches!(*label, "iot" | "iot-fips"));
        let (Some(iot), true) = (iot, is_of_aws.iter().any(|end| host.ends_with(end))) else {
            return (Self::Foreign, None);
        };
        let kind = match &labels[..iot] {
            [] => Self::ControlPlane,
            [.., "credentials"] => Self::CredentialsProvider,
            [.., "jobs"] => Self::Jobs,
            // Beijing has a label of its own; names for FIPS and for VPCs came after the old certificates.
            [.., "ats"] => Self::Data,
            [first, ..] if first.ends_with("-ats") || first.starts_with("vpce-") => Self::Data,
            _ if labels[iot] == "iot-fips" => Self::Data,
            _ => Self::LegacyData,
        };
        (kind, labels.get(iot + 1).map(|region| (*region).to_owned()))
    }

    fn text(self) -> &'static str {
        match self {
            Self::Data => "a data endpoint of AWS",
            Self::LegacyData => "an old data endpoint of AWS, without -ats",
            Self::ControlPlane => "the control plane of AWS IoT",
            Self::CredentialsProvider => "a credentials provider of AWS",
            Self::Jobs => "a jobs endpoint of AWS",
            Self::Foreign => "not a name that AWS gives: a custom domain, or not AWS",
        }
    }
}

/// The kind of an endpoint in a sentence, unless it takes no messages.
pub fn check_kind(finding: &mut Finding, host: &str) -> Kind {
    let (kind, region) = Kind::of(host);
    let is_in = region.as_ref().map(|region| format!(", in {region}")).unwrap_or_default();
    let line = format!("{host} is {}{is_in}", kind.text());
    match kind {
        Kind::Data | Kind::Foreign => finding.see(line),
        Kind::LegacyData => finding.warn(
            line,
            format!("take the one from `{DATA}`: the certificate of this one leads to a root that is trusted no more"),
        ),
        Kind::ControlPlane | Kind::CredentialsProvider | Kind::Jobs => {
            finding.fail(format!("{line}, and takes no messages"), format!("take the endpoint from `{DATA}`"));
        }
    }
    kind
}

/// Looks at the endpoint's name, and at what its port goes with.
pub fn check(config: &AwsConfig) -> Finding {
    let mut finding = Finding::new();
    let kind = check_kind(&mut finding, &config.endpoint);
    let (_, region) = Kind::of(&config.endpoint);
    check_port(&mut finding, config, kind);
    match &config.authentication {
        AwsAuthentication::SigV4(key) => check_region(&mut finding, &key.scope, region.as_deref()),
        AwsAuthentication::CredentialsProvider(provider) => {
            check_region(&mut finding, &provider.scope, region.as_deref());
            check_provider(&mut finding, &provider.endpoint, region.as_deref());
        }
        AwsAuthentication::Certificate | AwsAuthentication::CustomAuthorizer(_) => {}
    }
    finding
}

fn check_port(finding: &mut Finding, config: &AwsConfig, kind: Kind) {
    if let port @ (1883 | 8883) = config.port {
        let step = "leave --port out, or see `thingpost mqtt publish --help`";
        return match kind {
            Kind::Foreign => finding.warn(format!("port {port} is one for MQTT elsewhere"), step),
            _ => finding.fail(format!("port {port} is for MQTT, and this is HTTPS"), step),
        };
    }
    let with = match &config.authentication {
        AwsAuthentication::Certificate => {
            return match config.port {
                8443 => finding.see("port 8443 with a certificate: no ALPN protocol is needed"),
                443 => finding.see("port 443 with a certificate: the ALPN protocol x-amzn-http-ca is offered"),
                port if kind == Kind::Foreign => finding.see(format!("port {port} with a certificate, without ALPN")),
                port => finding.warn(
                    format!("port {port} is none of AWS's for HTTPS with a certificate"),
                    "leave --port out for 8443, or give --port 443",
                ),
            };
        }
        AwsAuthentication::SigV4(_) => "a signature",
        AwsAuthentication::CustomAuthorizer(_) => "a custom authorizer",
        AwsAuthentication::CredentialsProvider(_) => "a temporary key",
    };
    match config.port {
        443 => finding.see(format!("port 443 with {with}: no ALPN protocol is offered, as it must be")),
        8443 if kind != Kind::Foreign => finding.fail(
            format!("port 8443 with {with}: there AWS looks at client certificates alone"),
            "leave --port out, or give --port 443",
        ),
        port if kind == Kind::Foreign => finding.see(format!("port {port} with {with}, without ALPN")),
        port => finding.warn(format!("port {port} is none of AWS's for HTTPS with {with}"), "leave --port out for 443"),
    }
}

fn check_region(finding: &mut Finding, scope: &Scope, of_endpoint: Option<&str>) {
    match (&scope.region, of_endpoint) {
        (Some(region), Some(there)) if region != there => finding.fail(
            format!("the signature is for {region}, and the endpoint is in {there}"),
            format!("leave --region out, or give --region {there}"),
        ),
        (Some(region), _) => finding.see(format!("the signature is for {region}")),
        (None, Some(there)) => finding.see(format!("the signature is for {there}, as the endpoint's name says")),
        // There is no signing without one; the request says so.
        (None, None) => {}
    }
}

fn check_provider(finding: &mut Finding, host: &str, region: Option<&str>) {
    let (kind, its_region) = Kind::of(host);
    let take = || format!("take the credentials endpoint from `{CREDENTIALS}`");
    match kind {
        Kind::CredentialsProvider if its_region.as_deref() != region && region.is_some() => {
            let there = its_region.unwrap_or_default();
            finding.warn(format!("the credentials endpoint is in {there}, and the data endpoint is not"), take());
        }
        Kind::CredentialsProvider | Kind::Foreign => finding.see(format!("{host} is {}", kind.text())),
        Kind::Data | Kind::LegacyData | Kind::ControlPlane | Kind::Jobs => {
            finding.fail(format!("{host} is {}, and gives out no keys", kind.text()), take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_endpoint_is_known_by_its_name() {
        for (host, kind, region) in [
            ("a1b2-ats.iot.eu-central-1.amazonaws.com", Kind::Data, "eu-central-1"),
            ("A1B2-ATS.iot.eu-central-1.amazonaws.com", Kind::Data, "eu-central-1"),
            ("data-ats.iot.us-east-1.api.aws", Kind::Data, "us-east-1"),
            ("data.iot-fips.us-gov-west-1.amazonaws.com", Kind::Data, "us-gov-west-1"),
            ("a1b2.ats.iot.cn-north-1.amazonaws.com.cn", Kind::Data, "cn-north-1"),
            ("vpce-0a1b-2c.data.iot.eu-west-1.vpce.amazonaws.com", Kind::Data, "eu-west-1"),
            ("a1b2.iot.eu-central-1.amazonaws.com", Kind::LegacyData, "eu-central-1"),
            ("iot.eu-central-1.amazonaws.com", Kind::ControlPlane, "eu-central-1"),
            ("c1b2.credentials.iot.eu-central-1.amazonaws.com", Kind::CredentialsProvider, "eu-central-1"),
            ("a1b2.jobs.iot.eu-central-1.amazonaws.com", Kind::Jobs, "eu-central-1"),
        ] {
            assert_eq!(Kind::of(host), (kind, Some(region.to_owned())), "{host}");
        }
        for host in
            ["iot.example.com", "localhost", "iot.eu-central-1.amazonaws.com.example", "s3.amazonaws.com", "::1"]
        {
            assert_eq!(Kind::of(host), (Kind::Foreign, None), "{host}");
        }
    }
}
