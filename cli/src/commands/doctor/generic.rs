//! A broker that belongs to no cloud has no names and no ports that tell anything, so there is little to be seen of it but what
//! was given.

use thingpost_host::runtime::types::mqtt::GenericBroker;

use super::finding::Finding;

/// The port that brokers have for MQTT without TLS.
const PLAIN: u16 = 1883;

/// Says what the client shows beside its certificate.
pub fn look_at_device(broker: &GenericBroker) -> Finding {
    let with = |is_given: bool, what: &str| format!("{} {what}", if is_given { "a" } else { "no" });
    let mut finding = Finding::new();
    finding.see(format!(
        "{}, {}",
        with(broker.user_name.is_some(), "user name"),
        with(broker.password.is_some(), "password")
    ));
    finding
}

/// Looks at the port: nothing is spoken here without TLS.
pub fn look_at_endpoint(broker: &GenericBroker) -> Finding {
    let mut finding = Finding::new();
    match broker.port {
        PLAIN => finding.warn(
            "port 1883 is usually for MQTT without TLS, which is not spoken here",
            "give the port of the broker that has TLS, usually 8883",
        ),
        port => finding.see(format!("port {port} with TLS, without ALPN")),
    }
    finding
}
