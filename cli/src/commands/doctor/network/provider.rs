//! The credentials provider is an endpoint of its own, with a name, a port and a certificate of its own, and what goes wrong
//! on the way to it looks like a refusal by the data plane. That the key itself is given out is seen by the rehearsal.

use std::time::Duration;

use thingpost_host::Route;

use super::{Destination, dial, look_up, tls};
use crate::commands::doctor::finding::{Finding, Outcome};

/// Goes there, up to the end of the handshake.
pub async fn check(to: &Destination, route: &Route, limit: Duration) -> Finding {
    let (mut finding, addresses) = look_up(to, limit).await;
    if finding.has_failed() {
        return finding;
    }
    let (dialled, tcp) = dial(to, &addresses, limit).await;
    finding.append(dialled);
    if let Some(tcp) = tcp {
        finding.append(tls::shake_hands_with_any(to, route, tcp, &addresses, true, limit).await.0);
    }
    if finding.outcome == Outcome::Passed {
        return in_one_line(to, &finding);
    }
    finding
}

/// Where all is well, there is no reason to read it twice.
fn in_one_line(to: &Destination, finding: &Finding) -> Finding {
    let mut short = Finding::new();
    short.see(format!("{}: {}", to.endpoint, finding.seen.join("; ")));
    short
}
