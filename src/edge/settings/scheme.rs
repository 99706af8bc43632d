//! Plain HTTP instead of TLS, for tests on one machine: a stock host that trusts public authorities alone cannot be shown
//! an emulated platform otherwise. Secrets travel in these requests, so they leave the machine over TLS or not at all.

use super::error::SettingsErrorKind;
use super::fields::Fields;
use crate::endpoint::Endpoint;
use crate::http::Scheme;

pub(super) fn take(fields: &mut Fields) -> Result<Scheme, SettingsErrorKind> {
    match fields.choice("scheme", &["https", "http"])? {
        Some("http") => Ok(Scheme::Http),
        _ => Ok(Scheme::Https),
    }
}

/// Refuses what is not to be sent in the open. A port is needed because none stands in a request for 443.
pub(super) fn check(scheme: Scheme, endpoint: &Endpoint) -> Result<(), SettingsErrorKind> {
    match scheme {
        Scheme::Http if !is_loopback(endpoint.host()) || endpoint.port() == 443 => Err(SettingsErrorKind::Rule(
            "scheme",
            "http is for tests, to localhost, 127.0.0.0/8 or [::1] and another port than 443",
        )),
        _ => Ok(()),
    }
}

/// Whether this is an address of the machine itself. By what is written: what a name resolves to is the host's to find out.
fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "[::1]")
        || host.parse().is_ok_and(|address: core::net::Ipv4Addr| address.is_loopback())
}
