//! The way to an endpoint, step by step: each step needs the one before.

use std::time::Duration;

use thingpost_host::Route;

use super::finding::{Check, Finding};
use super::network::{self, Destination};
use super::report::Report;
use super::{answer, tls};
use crate::arguments::Reach;

/// How long one step on the network may take, unless less is asked for.
const STEP: Duration = Duration::from_secs(10);

/// What the platform expects of a device.
pub struct Expected {
    /// To show a certificate in the handshake.
    pub shows_certificate: bool,
    /// To know what time it is.
    pub clock: Option<Clock>,
}

/// How well a device has to know the time.
pub struct Clock {
    /// How far off it may be.
    pub tolerance: Duration,
    /// What to do where it is more than that.
    pub next_step: &'static str,
}

/// Goes there. Returns whether a certificate was shown.
pub async fn go(report: &mut Report, to: &Destination, route: &Route, limit: Duration, expected: &Expected) -> bool {
    let (finding, addresses) = network::look_up(to, limit).await;
    report.add(Check::Name, finding);
    let tcp = match report.skip_without(Check::Tcp, &[Check::Name]) {
        true => None,
        false => {
            let (finding, tcp) = network::dial(to, &addresses, limit).await;
            report.add(Check::Tcp, finding);
            tcp
        }
    };
    let handshake = match tcp {
        Some(tcp) => {
            let (finding, handshake) = tls::look_at(to, route, tcp, expected.shows_certificate, limit).await;
            report.add(Check::Tls, finding);
            handshake
        }
        None => {
            report.skip_without(Check::Tls, &[Check::Tcp]);
            None
        }
    };
    let was_shown = handshake.as_ref().is_some_and(|handshake| handshake.has_sent);
    let answer = match handshake {
        Some(handshake) => {
            let (finding, answer) = answer::ask(to, handshake, was_shown, limit).await;
            report.add(Check::Answer, finding);
            answer
        }
        None => {
            report.skip_without(Check::Answer, &[Check::Tls]);
            None
        }
    };
    match answer {
        Some(answer) => report.add(Check::Clock, answer::compare_clocks(&answer, expected.clock.as_ref())),
        None => report.add(Check::Clock, Finding::skipped("there is no answer with a date in it")),
    }
    was_shown
}

/// How long one step may take.
pub fn limit(reach: &Reach) -> Duration {
    Duration::from_millis(reach.timeout.into()).min(STEP)
}
