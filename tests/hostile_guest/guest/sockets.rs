//! Connections to where they do not come about, as many as the host begins.

use wasip2::http::types::RequestOptions;

use crate::requests::{outcome, publication, send_empty};

/// More than a host has under way for one guest.
const REQUESTS: usize = 100;

/// Each is another destination.
const PORTS: [u16; 2] = [443, 8443];

/// Says what came of the last of them.
pub fn attack(host: &str) -> String {
    let mut futures = Vec::new();
    for port in PORTS.iter().cycle().take(REQUESTS) {
        let options = RequestOptions::new();
        options.set_connect_timeout(Some(u64::MAX)).unwrap();
        futures.push(send_empty(publication(&format!("{host}:{port}")), options));
    }
    let last = futures.pop().map(|future| outcome(&future)).unwrap_or_default();
    std::mem::forget(futures);
    last
}
