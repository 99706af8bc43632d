//! Which protocol to name inside the TLS handshake.
//!
//! On port 443 AWS IoT Core tells MQTT, HTTPS with a certificate and HTTPS with a signature apart by ALPN alone.
//! Without `x-amzn-http-ca` a device certificate is ignored there and the answer is `403 Missing Authentication
//! Token`, which sends people hunting through their policies; an MQTT client that offers nothing talks to a web server.
//! On 8443 and 8883 nothing needs to be offered. That knowledge is built in here; a custom domain, which no rule can
//! recognise, says it explicitly.

/// The offer of a route by ALPN (RFC 7301).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Alpn {
    /// What AWS IoT wants on port 443 of its data endpoints, and nothing elsewhere. HTTPS: `x-amzn-http-ca` with an
    /// identity, nothing without. MQTT: `x-amzn-mqtt-ca` with an identity, `mqtt` without.
    #[default]
    Automatic,
    /// Exactly these, in this order. Empty: the extension is not sent.
    Offer(Vec<Vec<u8>>),
}

/// The ALPN name of AWS IoT for HTTPS with a client certificate
/// (<https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html>).
pub const AWS_HTTPS_WITH_CERTIFICATE: &[u8] = b"x-amzn-http-ca";

/// The ALPN name of AWS IoT for MQTT with a client certificate.
pub const AWS_MQTT_WITH_CERTIFICATE: &[u8] = b"x-amzn-mqtt-ca";

/// The ALPN name of AWS IoT for MQTT with a custom authorizer.
pub const AWS_MQTT_WITH_AUTHORIZER: &[u8] = b"mqtt";

/// The protocol of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    /// HTTP/1.1, by this crate.
    Https,
    /// MQTT, by the component.
    Mqtt,
}

impl Protocol {
    /// The ports of a route that names none: those on which it is served over TLS by those who serve it by the book (IANA: 443
    /// for HTTPS, 8883 for MQTT), and the other one of AWS IoT for each.
    pub(crate) fn implied_ports(self) -> &'static [u16] {
        match self {
            Self::Https => &[443, 8443],
            Self::Mqtt => &[8883, 443],
        }
    }
}

impl Alpn {
    /// The protocols to offer when `host` is reached on `port`.
    pub(crate) fn protocols(&self, protocol: Protocol, host: &str, port: u16, with_identity: bool) -> Vec<Vec<u8>> {
        match self {
            Self::Offer(protocols) => return protocols.clone(),
            Self::Automatic if port != 443 || !is_aws_iot_endpoint(host) => return Vec::new(),
            Self::Automatic => {}
        }
        match (protocol, with_identity) {
            (Protocol::Https, true) => vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()],
            // With a signature, or a token in its headers.
            (Protocol::Https, false) => Vec::new(),
            (Protocol::Mqtt, true) => vec![AWS_MQTT_WITH_CERTIFICATE.to_vec()],
            (Protocol::Mqtt, false) => vec![AWS_MQTT_WITH_AUTHORIZER.to_vec()],
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
    use super::Protocol::{Https, Mqtt};
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
            assert_eq!(Alpn::Automatic.protocols(Https, host, 443, true), [b"x-amzn-http-ca"], "{host}");
            assert!(Alpn::Automatic.protocols(Https, host, 8443, true).is_empty());
            assert!(Alpn::Automatic.protocols(Https, host, 443, false).is_empty());
            assert_eq!(Alpn::Automatic.protocols(Mqtt, host, 443, true), [b"x-amzn-mqtt-ca"], "{host}");
            assert_eq!(Alpn::Automatic.protocols(Mqtt, host, 443, false), [b"mqtt"], "{host}");
            for port in [8883, 1883, 8443] {
                assert!(Alpn::Automatic.protocols(Mqtt, host, port, true).is_empty());
                assert!(Alpn::Automatic.protocols(Mqtt, host, port, false).is_empty());
            }
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
            "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com",
            "a.iot.us-east-1.amazonaws.com.evil.example",
            "xamazonaws.com",
        ] {
            for protocol in [Https, Mqtt] {
                assert!(Alpn::Automatic.protocols(protocol, host, 443, true).is_empty(), "{host}");
                assert!(Alpn::Automatic.protocols(protocol, host, 443, false).is_empty(), "{host}");
            }
        }
    }

    #[test]
    fn an_explicit_offer_stands_on_any_port() {
        let offer = Alpn::Offer(vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()]);
        assert_eq!(offer.protocols(Https, "iot.example.com", 9443, false), [AWS_HTTPS_WITH_CERTIFICATE]);
        let none = Alpn::Offer(Vec::new());
        for protocol in [Https, Mqtt] {
            assert!(none.protocols(protocol, "x-ats.iot.us-east-1.amazonaws.com", 443, true).is_empty());
        }
    }
}
