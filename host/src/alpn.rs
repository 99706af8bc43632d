//! Which protocol to name inside the TLS handshake.
//!
//! On port 443 AWS IoT Core tells MQTT, HTTPS with a certificate and HTTPS with a signature apart by ALPN alone.
//! Without `x-amzn-http-ca` a device certificate is ignored there and the answer is `403 Missing Authentication
//! Token`, which sends people hunting through their policies. On 8443 nothing needs to be offered. That knowledge is
//! built in here; a custom domain, which no rule can recognise, says it explicitly.

/// What a route offers by ALPN.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Alpn {
    /// `x-amzn-http-ca` where AWS IoT wants it, and nothing elsewhere.
    #[default]
    Automatic,
    /// Exactly these, in this order. Empty: the extension is not sent.
    Offer(Vec<Vec<u8>>),
}

/// The ALPN name of AWS IoT for HTTPS with a client certificate.
pub const AWS_HTTPS_WITH_CERTIFICATE: &[u8] = b"x-amzn-http-ca";

impl Alpn {
    /// The protocols to offer when `host` is reached on `port`.
    pub(crate) fn protocols(&self, host: &str, port: u16, with_identity: bool) -> Vec<Vec<u8>> {
        match self {
            Self::Offer(protocols) => protocols.clone(),
            Self::Automatic if with_identity && port == 443 && is_aws_iot_endpoint(host) => {
                vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()]
            }
            Self::Automatic => Vec::new(),
        }
    }
}

/// Whether this is a data endpoint of AWS IoT Core: `PREFIX-ats.iot.REGION.amazonaws.com` and its relatives (FIPS,
/// dual stack, China, VPC). The jobs and credentials endpoints carry `iot` in their names too, but know no such ALPN.
fn is_aws_iot_endpoint(host: &str) -> bool {
    let Some(name) =
        [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().find_map(|suffix| host.strip_suffix(suffix))
    else {
        return false;
    };
    let labels: Vec<&str> = name.split('.').collect();
    let Some(iot) = labels.iter().position(|label| matches!(*label, "iot" | "iot-fips")) else {
        return false;
    };
    // With nothing before it, `iot.REGION.amazonaws.com` is the control plane.
    iot > 0 && !labels[..iot].iter().any(|label| matches!(*label, "credentials" | "jobs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_data_endpoints_on_443_get_the_one_name() {
        for host in [
            "a3k7odshaiipe8-ats.iot.us-west-2.amazonaws.com",
            "data-ats.iot.eu-west-1.api.aws",
            "data.iot-fips.us-gov-west-1.amazonaws.com",
            "data.ats.iot.cn-north-1.amazonaws.com.cn",
            "vpce-0123-abcd.data.iot.us-east-1.vpce.amazonaws.com",
        ] {
            assert_eq!(Alpn::Automatic.protocols(host, 443, true), [b"x-amzn-http-ca"], "{host}");
            assert!(Alpn::Automatic.protocols(host, 8443, true).is_empty());
            assert!(Alpn::Automatic.protocols(host, 443, false).is_empty());
        }
    }

    #[test]
    fn other_hosts_get_none() {
        for host in [
            "iot.us-east-1.amazonaws.com",
            "c2zb.credentials.iot.us-east-1.amazonaws.com",
            "a1b2.jobs.iot.us-east-1.amazonaws.com",
            "s3.us-east-1.amazonaws.com",
            "iot-as-http2.cn-shanghai.aliyuncs.com",
            "a.iot.us-east-1.amazonaws.com.evil.example",
            "xamazonaws.com",
        ] {
            assert!(Alpn::Automatic.protocols(host, 443, true).is_empty(), "{host}");
        }
    }

    #[test]
    fn an_explicit_offer_stands_on_any_port() {
        let offer = Alpn::Offer(vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()]);
        assert_eq!(offer.protocols("iot.example.com", 9443, false), [AWS_HTTPS_WITH_CERTIFICATE]);
        let none = Alpn::Offer(Vec::new());
        assert!(none.protocols("x-ats.iot.us-east-1.amazonaws.com", 443, true).is_empty());
    }
}
